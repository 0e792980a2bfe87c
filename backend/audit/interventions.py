"""What to change inside a model during a forward pass, as values. Knows no model and no hook."""

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from backend.subjects.language_model import POSITION_CLASSES, PositionClass
from backend.subjects.sparse_autoencoder import FeatureId

Mode = Literal["zero", "mean", "resample", "scale", "noise"]
"""zero: f' = 0. mean: f' = the feature's mean on benign prompts. resample: f' = its value on a random benign
prompt. scale: f' = c * f (c = 0 is zero; negative c is the clamp of Refusal-SAE, arXiv 2505.23556; c = 2 is zero's edit
with its sign flipped). noise: a control, x <- x + |sum_i f_i W_dec[i]| u with u a random unit vector of the layer, the
same at every token: as long as zero's edit, and unrelated to the features."""


NOISE_SEEDS = 2**48


@dataclass(frozen=True)
class Scope:
    """Which token positions an intervention touches: position classes. Padding is never touched.

    The default leaves out the attention sink: SAEs are not trained on it, its norm is hundreds of times that of
    other tokens, and zeroing random features there moves the refusal score (a false positive).
    """

    classes: frozenset[PositionClass] = frozenset(POSITION_CLASSES) - {"sink"}

    def __post_init__(self) -> None:
        unknown = self.classes - set(POSITION_CLASSES)
        if unknown:
            raise ValueError(f"scope: unknown position class {sorted(unknown)}; known: {POSITION_CLASSES}")


DEFAULT_SCOPE = Scope()
SCOPE_WITH_SINK = Scope(frozenset(POSITION_CLASSES))


@dataclass(frozen=True, eq=False)
class DirectionEdit:
    """An edit along a residual-stream direction (Arditi et al. 2406.11717); compared by identity.

    ablate: x <- x - r_hat (r_hat . x) with r_hat = vector / |vector|.  add: x <- x + vector.
    """

    vector: Tensor  # [d_model]
    layers: tuple[int, ...]  # resid_post of these blocks
    operation: Literal["ablate", "add"]


@dataclass(frozen=True)
class Intervention:
    """A set of features with a mode and a scope, and optionally an edit along a direction.

    Always error-preserving: x <- x + sum_i (f'_i - f_i) W_dec[i], with f_i re-encoded at run time at every layer,
    so that a feature woken by an upstream ablation is seen and the SAE's error stays. Only `reconstructed` takes the
    error away too: x becomes what the SAE makes of it, and features are set in that; f_i is as x arrived.
    """

    features: tuple[FeatureId, ...] = ()  # kept sorted and unique
    mode: Mode = "zero"
    scale: float = 0.0  # c of mode "scale"
    values: tuple[float, ...] = ()  # modes "mean" and "resample": one target activation per feature
    scope: Scope = DEFAULT_SCOPE
    direction: DirectionEdit | None = field(default=None)
    noise_seed: int = 0  # of mode "noise": fixes u of every layer
    reconstructed: tuple[int, ...] = ()  # layers where x in scope is first replaced by the SAE's reconstruction of it

    def __post_init__(self) -> None:
        if self.mode in ("mean", "resample"):
            if len(self.values) != len(self.features):
                raise ValueError(f"mode '{self.mode}' needs one value per feature")
            if len(set(self.features)) != len(self.features):
                raise ValueError("features: each may appear once")
            pairs = sorted(zip(self.features, self.values, strict=True))
            object.__setattr__(self, "features", tuple(f for f, _ in pairs))
            object.__setattr__(self, "values", tuple(v for _, v in pairs))
        else:
            if self.values:
                raise ValueError(f"mode '{self.mode}' takes no values")
            object.__setattr__(self, "features", tuple(sorted(set(self.features))))
        if self.mode != "scale" and self.scale != 0.0:
            raise ValueError("scale belongs to mode 'scale'")
        if self.mode != "noise" and self.noise_seed != 0:
            raise ValueError("noise_seed belongs to mode 'noise'")
        if not 0 <= self.noise_seed < NOISE_SEEDS:
            raise ValueError(f"noise_seed: must be at least 0 and below {NOISE_SEEDS}")
        object.__setattr__(self, "reconstructed", tuple(sorted(set(self.reconstructed))))

    def coefficients(self) -> list[tuple[FeatureId, float, float]]:
        """(feature, a, b) with f' = a f + b; of mode "noise" what it is as long as: f' = 0."""
        a = self.scale if self.mode == "scale" else 0.0
        values = self.values or (0.0,) * len(self.features)
        return [(feature, a, value) for feature, value in zip(self.features, values, strict=True)]

    @property
    def keeps_silence(self) -> bool:
        """True when a feature that is silent is left alone (f = 0 gives f' = 0)."""
        return not any(self.values)

    @property
    def noise(self) -> int | None:
        """The noise seed where the mode is "noise": what sets it apart from the edits of `coefficients`."""
        return self.noise_seed if self.mode == "noise" else None

    @property
    def first_layer(self) -> int | None:
        """Lowest layer whose resid_post is edited; None when nothing is."""
        layers = [*self.reconstructed, *(feature.layer for feature in self.features)]
        if self.direction is not None:
            layers += self.direction.layers
        return min(layers, default=None)


NO_INTERVENTION = Intervention()


def ablate(features: "tuple[FeatureId, ...] | frozenset[FeatureId]", scope: Scope = DEFAULT_SCOPE) -> Intervention:
    """Zero-ablate some features: the default intervention of every stage."""
    return Intervention(features=tuple(features), scope=scope)
