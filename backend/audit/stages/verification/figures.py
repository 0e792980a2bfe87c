"""Stage 5 over the refused test prompts: each way to intervene as a rate, and whether the sets beat their controls.

Pure functions of results; knows no engine.
"""

from collections.abc import Callable, Sequence

from backend.audit.claimed_sets import claimed_set
from backend.audit.results import (
    NOTHING_MEASURED,
    Arm,
    ArmFigures,
    Figure,
    ModeAgreement,
    PromptResult,
    PromptVerification,
    RandomControl,
    Response,
)
from backend.audit.splits import TestRows, require_test
from backend.audit.stages.verification.arms import MODES
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.audit.stats.multiple import benjamini_hochberg
from backend.audit.stats.rates import wilson

FALSE_DISCOVERIES = 0.05  # q at which a set counts as beyond its random sets


def arm_figures(rows: TestRows[PromptResult], seed: int) -> dict[str, ArmFigures]:
    """rows: refused harmful test prompts. Those that no set flips count as not flipped by theirs; arms that need a
    claimed set are over the prompts that have one."""
    require_test(rows)
    figures = {
        "minimal": _figures([(r, _minimal_response(r), _is_flipped(r), _minimal_score(r)) for r in rows], seed),
        "random": _draw_figures([(r, r.controls.random) for r in rows if r.controls is not None], seed),
        "noise": _draw_figures([(r, v.noise) for r, v in _verified(rows)], seed),
    }
    arms: dict[str, Callable[[PromptResult], Arm | None]] = {
        name: lambda r, name=name: r.verification.arms.get(name) if r.verification is not None else None  # type: ignore[misc]
        for name in ("sign_flip", "reconstruction", *MODES)
    }
    arms["direction"] = lambda r: r.controls.direction if r.controls is not None else None
    for name, arm_of in arms.items():
        tried = [(r, arm) for r in rows if (arm := arm_of(r)) is not None]
        figures[name] = _figures([(r, arm.response, arm.flipped, arm.score) for r, arm in tried], seed)
    return figures


def mode_agreement(rows: TestRows[PromptResult]) -> ModeAgreement:
    """Zero flips every claimed set, by its being claimed: a mode agrees where it flips too."""
    outcomes = [{mode: v.arms[mode].flipped for mode in MODES} for _, v in _verified(rows)]
    return ModeAgreement(
        all_modes=wilson(sum(all(outcome.values()) for outcome in outcomes), len(outcomes)),
        with_zero={mode: wilson(sum(outcome[mode] for outcome in outcomes), len(outcomes)) for mode in MODES},
    )


def coverage(rows: TestRows[PromptResult], seed: int) -> Figure:
    """Mean share of a claimed set that is active with nothing changed."""
    return _mean([(r.family, len(v.active) / len(v.features)) for r, v in _verified(rows)], seed)


def beyond_random(rows: TestRows[PromptResult]) -> tuple[int, int]:
    """Claimed sets that were held against random ones, and how many of them those do not explain."""
    p_values = [v.p for _, v in _verified(rows) if v.p is not None]
    return len(p_values), sum(q <= FALSE_DISCOVERIES for q in benjamini_hochberg(p_values))


def smallest_p(rows: TestRows[PromptResult]) -> float | None:
    """The smallest that so many different random sets can give; None without claimed sets."""
    draws = [v.p_draws for _, v in _verified(rows) if v.p is not None]
    return 1 / (1 + max(draws)) if draws else None


def _verified(rows: TestRows[PromptResult]) -> list[tuple[PromptResult, PromptVerification]]:
    return [(r, r.verification) for r in require_test(rows) if r.verification is not None]


def _is_flipped(result: PromptResult) -> bool:
    return claimed_set(result) is not None


def _minimal_response(result: PromptResult) -> Response | None:
    claimed = claimed_set(result)
    if claimed is not None:
        return claimed.response
    return result.minimal_sets[0].response if result.minimal_sets else None


def _minimal_score(result: PromptResult) -> float:
    """With the claimed set ablated, or the first that did not comply; without one, the widest set tried."""
    claimed = claimed_set(result)
    if claimed is not None:
        return claimed.score
    return result.minimal_sets[0].score if result.minimal_sets else result.sweep[-1].score


def _figures(rows: Sequence[tuple[PromptResult, Response | None, bool, float]], seed: int) -> ArmFigures:
    incoherent = sum(response is not None and response.verdict == "incoherent" for _, response, _, _ in rows)
    rated = [
        (r.family, response.usefulness)
        for r, response, _, _ in rows
        if response is not None and response.usefulness is not None
    ]
    return ArmFigures(
        flipped=wilson(sum(flipped for _, _, flipped, _ in rows), len(rows)),
        incoherent=wilson(incoherent, len(rows)),
        score=_mean([(r.family, score) for r, _, _, score in rows], seed),
        usefulness=_mean(rated, seed),
    )


def _draw_figures(rows: Sequence[tuple[PromptResult, RandomControl | None]], seed: int) -> ArmFigures:
    """Each prompt's share, or mean, over its draws; their usefulness is not kept."""
    tried = [(r, control) for r, control in rows if control is not None and control.n_draws]
    counted = [control for _, control in tried if control.n_incoherent is not None]
    return ArmFigures(
        flipped=wilson(sum(control.n_flipped / control.n_draws for _, control in tried), len(tried)),
        incoherent=wilson(sum((control.n_incoherent or 0) / control.n_draws for control in counted), len(counted)),
        score=_mean([(r.family, sum(control.scores) / control.n_draws) for r, control in tried], seed),
        usefulness=NOTHING_MEASURED,
    )


def _mean(values: Sequence[tuple[str, float]], seed: int) -> Figure:
    return cluster_bootstrap([value for _, value in values], [family for family, _ in values], "mean", seed=seed)
