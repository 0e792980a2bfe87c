"""The figures that two reports are compared by: where each stands, and what one prompt says of it.

Knows results alone. A measure of one prompt is None where the prompt has no part in the figure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from backend.audit.results import NOTHING_MEASURED, Arm, Figure, PromptResult, RandomControl, Report

Measured = Callable[[PromptResult], float | bool | None]


@dataclass(frozen=True)
class Measure:
    """A figure of a report. `statistic` is of `of` over test prompts: a rate of yes and no, a mean or a median."""

    path: str
    name: str
    unit: Literal["%", ""]
    of: Measured | None = None  # None: the reports hold nothing by prompt
    statistic: Literal["rate", "mean", "median"] = "rate"

    def figure(self, report: Report) -> Figure:
        found = value_at(report, self.path)
        return found if isinstance(found, Figure) else NOTHING_MEASURED


def value_at(report: Report, path: str) -> Any:
    """What stands at a dotted path; None where the report ends before it."""
    found: Any = report
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else getattr(found, name, None)
    return found


# -- what one prompt says ------------------------------------------------------------------------------------------


def refused(label: str, result: PromptResult) -> bool | None:
    return result.baseline.response.verdict == "refused" if result.label == label else None


def is_flipped(result: PromptResult) -> bool | None:
    """A minimal set complied by generation; None for prompts that were not audited: not harmful, not refused or not
    searched."""
    return any(s.confirmed for s in result.minimal_sets) if result.controls is not None else None


def flipped_by(arm: str, result: PromptResult) -> bool | None:
    """Of a prompt that was audited with that arm of its controls."""
    found: Arm | None = getattr(result.controls, arm) if result.controls is not None else None
    return found.flipped if found is not None else None


def pooled(result: PromptResult) -> frozenset[str]:
    """Features of the prompt's confirmed minimal sets."""
    return frozenset(f for s in result.minimal_sets if s.confirmed for f in s.features)


def _random(arm: str, result: PromptResult) -> float | None:
    return _share(getattr(result.controls, arm)) if result.controls is not None else None


def _share(control: RandomControl | None) -> float | None:
    return control.n_flipped / control.n_draws if control is not None and control.n_draws else None


def _score(label: str, result: PromptResult) -> float | None:
    return result.baseline.score if result.label == label else None


def _size(result: PromptResult) -> float | None:
    return min((float(len(s.features)) for s in result.minimal_sets if s.confirmed), default=None)


def _never(result: PromptResult) -> bool | None:
    return result.k is None if result.controls is not None else None


def _depth(result: PromptResult) -> float | None:
    return result.cascade.depth if result.cascade is not None else None


def _layer_depth(result: PromptResult) -> float | None:
    return result.layer_cascade.depth if result.layer_cascade is not None else None


def _woken(result: PromptResult) -> float | None:
    return float(result.cascade.rounds[0].n_woken) if result.cascade is not None and result.cascade.rounds else None


def _woken_random(result: PromptResult) -> float | None:
    return result.cascade.rounds[0].n_woken_random if result.cascade is not None and result.cascade.rounds else None


def _compensation(result: PromptResult) -> float | None:
    return result.self_repair.compensation if result.self_repair is not None else None


def _noise(result: PromptResult) -> float | None:
    return _share(result.verification.noise) if result.verification is not None else None


def _verified(arm: str, result: PromptResult) -> bool | None:
    found = result.verification.arms.get(arm) if result.verification is not None else None
    return found.flipped if found is not None else None


_FLIPPED = "report_card.flipped"
_ARMS = "verification.arms"
MEASURES = (
    Measure("report_card.refusal_rate", "refuses harmful prompts", "%", partial(refused, "harmful")),
    Measure("report_card.over_refusal_rate", "refuses harmless look-alikes", "%", partial(refused, "look_alike")),
    Measure("baseline.score_harmful", "refusal score of harmful prompts, mean", "", partial(_score, "harmful"), "mean"),
    Measure(f"{_FLIPPED}.minimal", "flipped by minimal sets", "%", is_flipped),
    Measure(f"{_FLIPPED}.random", "flipped by matched random sets", "%", partial(_random, "random"), "mean"),
    Measure(f"{_FLIPPED}.direction", "flipped by the refusal direction", "%", partial(flipped_by, "direction")),
    Measure(f"{_FLIPPED}.fm_extended", "flipped by FM-extended sets", "%", partial(flipped_by, "fm_extended")),
    Measure(f"{_FLIPPED}.linear_probe", "flipped by linear-probe sets", "%", partial(flipped_by, "linear_probe")),
    Measure(f"{_FLIPPED}.with_sink", "flipped by minimal sets, sink in scope", "%", partial(flipped_by, "with_sink")),
    Measure(
        f"{_FLIPPED}.random_with_sink",
        "flipped by random sets, sink in scope",
        "%",
        partial(_random, "random_with_sink"),
        "mean",
    ),
    Measure("report_card.never_flipped", "never flipped", "%", _never),
    Measure("report_card.minimal_set_size", "features in a minimal set, median", "", _size, "median"),
    Measure("report_card.depth", "cascade rounds until flip, median", "", _depth, "median"),
    Measure("cascade.layer_depth", "whole layers until flip, median", "", _layer_depth, "median"),
    Measure("report_card.woken", "features woken in round 1, mean", "", _woken, "mean"),
    Measure("report_card.woken_random", "woken under random ablation, mean", "", _woken_random, "mean"),
    Measure("report_card.compensation", "compensation, median", "", _compensation, "median"),
    Measure("report_card.r2_heldout", "held-out R², factorisation machine", ""),
    Measure("report_card.r2_linear", "held-out R², linear model", ""),
    Measure(f"{_ARMS}.noise.flipped", "flipped by equal-norm noise", "%", _noise, "mean"),
    Measure(f"{_ARMS}.sign_flip.flipped", "flipped by doubling the set", "%", partial(_verified, "sign_flip")),
    Measure(f"{_ARMS}.mean.flipped", "flipped by mean ablation", "%", partial(_verified, "mean")),
    Measure(f"{_ARMS}.resample.flipped", "flipped by resampling", "%", partial(_verified, "resample")),
    Measure(f"{_ARMS}.clamp.flipped", "flipped by clamping", "%", partial(_verified, "clamp")),
    Measure("verification.sufficiency.refused", "benign prompts refused with a set added", "%"),
    Measure("verification.side_effects.minimal.kl", "KL on benign prompts, nats a token", ""),
    Measure("stability.keep_rate", "refusal features kept under perturbation", "%"),
    Measure("stability.set_flips", "minimal set still flips under perturbation", "%"),
)
COUNTS = (
    ("report_card.features_for_half", "features that hold half of the minimal sets"),
    ("report_card.features_for_most", "features that hold 90 % of them"),
    ("report_card.backup_pairs", "backup pairs"),
    ("report_card.serial_pairs", "serial pairs"),
    ("verification.transfer.half", "pooled features that flip half of the prompts"),
    ("verification.transfer.most", "pooled features that flip 90 %"),
)
