"""The slow, obvious engine: one pair at a time, the library's own forward pass over the whole sequence, every SAE
encoded in full, one feature edited at a time, no cache. Tests and benchmarks compare the fast path against it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from backend.audit.refusal.score import refusal_score
from backend.engine.noise import noise_direction
from backend.engine.protocol import Completion, Pair
from backend.subjects.language_model import LanguageModel, PositionClass
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder


class ReferenceEngine:
    """Scores, activations and completions as `ResidualEngine` must give them."""

    def __init__(self, model: LanguageModel, saes: dict[int, SparseAutoencoder]) -> None:
        self.model, self.saes = model, saes

    def score(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[float]:
        """Refusal score of each pair."""
        return [float(refusal_score(self._logits(pair, [])[None], onset_ids)[0]) for pair in pairs]

    def token_activations(self, pair: Pair, features: Sequence[FeatureId]) -> Tensor:
        """Activations [prompt tokens, features], each as found before the edit at its layer."""
        seen: dict[int, Tensor] = {}
        self._logits(pair, [], seen)
        return torch.stack([seen[feature.layer][:, feature.index] for feature in features], 1)

    def generate(self, pairs: Sequence[Pair], max_new_tokens: int) -> list[Completion]:
        """Greedy completions, the whole sequence run again for every token."""
        completions = []
        for pair in pairs:
            ids: list[int] = []
            ended = False
            while len(ids) < max_new_tokens and not ended:
                token = int(self._logits(pair, ids).argmax())
                ended = token in self.model.eos_ids
                if not ended:
                    ids.append(token)
            completions.append(Completion(tuple(ids), self.model.decode(ids), ended))
        return completions

    def response_log_probabilities(self, pairs: Sequence[Pair], responses: Sequence[Sequence[int]]) -> list[Tensor]:
        """[tokens, vocab] for each pair, the whole sequence run again for every token."""
        return [
            torch.stack([torch.log_softmax(self._logits(pair, list(ids[:n])), -1) for n in range(len(ids))])
            for pair, ids in zip(pairs, responses, strict=True)
        ]

    def _logits(self, pair: Pair, response: list[int], seen: dict[int, Tensor] | None = None) -> Tensor:
        """Logits [vocab] after the last token."""
        ids = torch.tensor([[*pair.prompt.ids, *response]], device=self.model.device)
        classes = (*pair.prompt.classes, *(["response"] * len(response)))
        with self._edited(pair, classes, seen):
            return self.model.plain_logits(ids)[0, -1]

    @contextmanager
    def _edited(
        self, pair: Pair, classes: Sequence[PositionClass | str], seen: dict[int, Tensor] | None
    ) -> Iterator[None]:
        intervention = pair.intervention
        direction = intervention.direction

        def edit(layer: int, x: Tensor) -> Tensor:
            x = x.clone()
            if layer in self.saes:
                sae = self.saes[layer]
                activations = sae.encode(x[0])
                if seen is not None:
                    seen[layer] = activations
                _, unit_size = sae.preprocess(x[0])
                arrived, rebuilt = activations.clone(), sae.reconstruct(x[0])
                for token, position_class in enumerate(classes):
                    if position_class in intervention.scope.classes:
                        if layer in intervention.reconstructed:
                            x[0, token] = rebuilt[token]
                        moved = torch.zeros_like(x[0, token])
                        for feature, factor, value in intervention.coefficients():
                            if feature.layer == layer:
                                f = arrived[token, feature.index]
                                moved += (factor * f + value - f) * unit_size[token] * sae.W_dec[feature.index]
                        if intervention.noise is not None:
                            unit = noise_direction(layer, intervention.noise, len(moved))
                            moved = moved.norm() * unit.to(moved.device)
                        x[0, token] += moved
            if direction is not None and layer in direction.layers:
                vector = direction.vector.to(x.device).float()
                for token, position_class in enumerate(classes):
                    if position_class in intervention.scope.classes:
                        if direction.operation == "ablate":
                            unit = vector / vector.norm()
                            x[0, token] -= unit * (unit @ x[0, token].float())
                        else:
                            x[0, token] += vector
            return x

        def hook(layer: int) -> Any:
            def replace(module: Any, args: Any, output: Any) -> Any:
                if isinstance(output, tuple):
                    return (edit(layer, output[0]), *output[1:])
                return edit(layer, output)

            return replace

        handles = [self.model.block(layer).register_forward_hook(hook(layer)) for layer in range(self.model.n_layers)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
