"""How features fire on a sample of prompts with nothing changed: what mean and resample put in, and what random sets
are matched by. Knows the engine by protocol."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from backend.audit.candidates import ActivationTable
from backend.audit.interventions import DEFAULT_SCOPE
from backend.audit.prompt_groups import evenly_spaced
from backend.audit.spec import AuditedPrompt
from backend.engine.protocol import Engine, Firing
from backend.errors import BadInput
from backend.prompts.prompt import Prompt
from backend.subjects.sparse_autoencoder import FeatureId

MOST_BENIGN = 24  # prompts whose activations are what mean and resample put in
MOST_OTHERS = 24  # others beside them, so that random sets are matched over both kinds


@dataclass(frozen=True, eq=False)
class BenignValues:
    """Activations in the default scope (no sink), no intervention."""

    table: ActivationTable  # largest activation on each sampled prompt
    on_benign: dict[int, Tensor]  # layer -> [benign prompts, d_sae] mean over a prompt's tokens in scope

    def mean(self, features: Sequence[FeatureId]) -> tuple[float, ...]:
        """Each feature's mean over benign prompts."""
        self._need_benign("mean")
        return tuple(float(self.on_benign[f.layer][:, f.index].mean()) for f in features)

    def resample(self, features: Sequence[FeatureId], random: np.random.Generator) -> tuple[float, ...]:
        """Each feature's value on one random benign prompt, the same for all, so that they belong together."""
        row = int(random.integers(self._need_benign("resample")))
        return tuple(float(self.on_benign[f.layer][row, f.index]) for f in features)

    def _need_benign(self, mode: str) -> int:
        n_benign = min((len(rows) for rows in self.on_benign.values()), default=0)
        if n_benign == 0:
            raise BadInput(f"mode: {mode} needs benign prompts and the audit has none; use zero or scale")
        return n_benign


def sample_prompts(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Benign ones and others, evenly spaced, each once, benign first."""
    benign = [p for p in prompts if p.label == "benign"]
    others = [p for p in prompts if p.label != "benign"]
    return [*evenly_spaced(benign, MOST_BENIGN), *evenly_spaced(others, MOST_OTHERS)]


class Sampling:
    """Values of a sample, measured prompt by prompt: whoever needs them goes on where another was interrupted."""

    def __init__(self, sample: Sequence[AuditedPrompt]) -> None:
        self._sample = sample
        self._rows: list[dict[int, Firing]] = []  # how features fire on each prompt measured so far
        self._values: BenignValues | None = None

    def values(self, engine: Engine) -> BenignValues:
        """All of them. The engine's calls may be interrupted by work that asks for the same values."""
        while self._values is None:
            place = len(self._rows)
            if place == len(self._sample):
                self._values = self._gather(engine)
                break
            firing = engine.firing([self._sample[place].tokens], DEFAULT_SCOPE)[0]
            if len(self._rows) == place:
                self._rows.append(firing)
        return self._values

    def _gather(self, engine: Engine) -> BenignValues:
        benign = [i for i, audited in enumerate(self._sample) if audited.prompt.label == "benign"]
        by_layer, on_benign = {}, {}
        for layer, sae in engine.saes.items():
            nothing = torch.zeros(0, sae.d_sae)
            by_layer[layer] = torch.stack([row[layer].maximum for row in self._rows]) if self._rows else nothing
            on_benign[layer] = torch.stack([self._rows[i][layer].mean for i in benign]) if benign else nothing
        unused = {layer: torch.zeros(sae.d_sae) for layer, sae in engine.saes.items()}
        return BenignValues(ActivationTable(tuple(p.prompt.id for p in self._sample), by_layer, unused), on_benign)
