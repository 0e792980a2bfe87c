"""How features fire on a sample of prompts with nothing changed: what mean and resample put in, and what random sets
are matched by. Knows the engine by protocol."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from backend.audit.candidates import ActivationTable
from backend.audit.interventions import DEFAULT_SCOPE
from backend.audit.spec import AuditedPrompt
from backend.engine.protocol import Activation, Engine, Pair
from backend.errors import BadInput
from backend.prompts.prompt import Prompt
from backend.subjects.sparse_autoencoder import FeatureId

MOST_BENIGN = 24  # prompts whose activations are what mean and resample put in
MOST_OTHERS = 24  # others beside them, so that random sets are matched over both kinds


@dataclass(frozen=True, eq=False)
class BenignValues:
    """Activations in the default scope (no sink), no intervention."""

    table: ActivationTable  # largest activation on each sampled prompt
    on_benign: tuple[dict[FeatureId, float], ...]  # per benign prompt: means over its tokens in scope, silent left out

    def mean(self, features: Sequence[FeatureId]) -> tuple[float, ...]:
        """Each feature's mean over benign prompts."""
        self._need_benign("mean")
        return tuple(sum(one.get(f, 0.0) for one in self.on_benign) / len(self.on_benign) for f in features)

    def resample(self, features: Sequence[FeatureId], random: np.random.Generator) -> tuple[float, ...]:
        """Each feature's value on one random benign prompt, the same for all, so that they belong together."""
        self._need_benign("resample")
        one = self.on_benign[int(random.integers(len(self.on_benign)))]
        return tuple(one.get(f, 0.0) for f in features)

    def _need_benign(self, mode: str) -> None:
        if not self.on_benign:
            raise BadInput(f"mode: {mode} needs benign prompts and the audit has none; use zero or scale")


def sample_prompts(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Benign ones and others, evenly spaced, each once, benign first."""
    benign = [p for p in prompts if p.label == "benign"]
    others = [p for p in prompts if p.label != "benign"]
    return [*_spread(benign, MOST_BENIGN), *_spread(others, MOST_OTHERS)]


class Sampling:
    """Values of a sample, measured prompt by prompt: whoever needs them goes on where another was interrupted."""

    def __init__(self, sample: Sequence[AuditedPrompt]) -> None:
        self._sample = sample
        self._rows: list[dict[FeatureId, Activation]] = []  # what is active on each prompt measured so far
        self._values: BenignValues | None = None

    def values(self, engine: Engine, onset_ids: Sequence[int]) -> BenignValues:
        """All of them. The engine's calls may be interrupted by work that asks for the same values."""
        while self._values is None:
            place = len(self._rows)
            if place == len(self._sample):
                self._values = self._gather(engine)
                break
            active = engine.observe([Pair(self._sample[place].tokens)], onset_ids, DEFAULT_SCOPE)[0].active
            if len(self._rows) == place:
                self._rows.append(active)
        return self._values

    def _gather(self, engine: Engine) -> BenignValues:
        by_layer = {layer: torch.zeros(len(self._sample), sae.d_sae) for layer, sae in engine.saes.items()}
        for place, active in enumerate(self._rows):
            for feature, activation in active.items():
                by_layer[feature.layer][place, feature.index] = activation.maximum
        unused = {layer: torch.zeros(sae.d_sae) for layer, sae in engine.saes.items()}
        table = ActivationTable(tuple(p.prompt.id for p in self._sample), by_layer, unused)
        on_benign = tuple(
            {feature: activation.mean for feature, activation in active.items()}
            for audited, active in zip(self._sample, self._rows, strict=True)
            if audited.prompt.label == "benign"
        )
        return BenignValues(table, on_benign)


def _spread(prompts: Sequence[Prompt], most: int) -> list[Prompt]:
    if len(prompts) <= most:
        return list(prompts)
    return [prompts[i * len(prompts) // most] for i in range(most)]
