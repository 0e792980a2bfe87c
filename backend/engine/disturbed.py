"""A model whose weights are disturbed whenever it runs, and only then. Knows the model by protocol."""

from typing import Any

from torch import Tensor

from backend.subjects.language_model import Disturbance, LanguageModel


class DisturbedModel:
    """A LanguageModel over another one, which is as it came between two runs: other work may go on there."""

    def __init__(self, model: LanguageModel, disturbance: Disturbance) -> None:
        self._model, self._weights = model, model.disturbed(disturbance)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def run(self, start: Tensor, **options: Any) -> Tensor:
        with self._weights:
            return self._model.run(start, **options)
