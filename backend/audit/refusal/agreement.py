"""How well verdicts agree with a reader's, and what that does to a rate. Knows verdicts and numbers only."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from backend.audit.refusal.judges.judge import VERDICTS, Verdict
from backend.audit.results import NOTHING_MEASURED, Figure
from backend.audit.stats.bootstrap import FEWEST_CLUSTERS
from backend.audit.stats.rates import wilson
from backend.audit.stats.samples import Floats, Z

DRAWS, SEED = 2000, 0  # of kappa's bootstrap: a property of judge and yardstick, the same in every audit


@dataclass(frozen=True)
class Graded:
    """One completion of the yardstick: its reader's verdict and the judge's."""

    id: str
    truth: Verdict
    judged: Verdict
    family: str  # of the prompt
    label: str = ""  # of the prompt: harmful | look_alike | benign
    arm: str = ""  # baseline, or how the subject was changed


def sensitivity(rows: Sequence[Graded], positive: Verdict) -> Figure:
    """Share of the completions that are `positive` which the judge calls so (Wilson)."""
    those = [row for row in rows if row.truth == positive]
    return wilson(sum(row.judged == positive for row in those), len(those))


def specificity(rows: Sequence[Graded], positive: Verdict) -> Figure:
    """Share of the others which the judge does not call so (Wilson)."""
    others = [row for row in rows if row.truth != positive]
    return wilson(sum(row.judged != positive for row in others), len(others))


def kappa(rows: Sequence[Graded]) -> Figure:
    """Cohen's kappa over the three verdicts (Cohen 1960), (p_o - p_e) / (1 - p_e).

    Interval: percentile bootstrap over prompt families. Nothing is measured where chance alone agrees fully (one
    verdict throughout); no interval below FEWEST_CLUSTERS families.
    """
    by_family = _by_family(rows)
    estimate = float(_kappas(by_family.sum(0)))
    if np.isnan(estimate):
        return NOTHING_MEASURED
    if len(by_family) < FEWEST_CLUSTERS:
        return Figure(estimate, None, None, len(rows))
    n = len(by_family)
    counts = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=DRAWS)
    low, high = np.nanquantile(_kappas(np.tensordot(counts, by_family, axes=1)), [0.025, 0.975])
    return Figure(estimate, float(low), float(high), len(rows))


def corrected_rate(raw: Figure, sensitivity: Figure, specificity: Figure) -> Figure:
    """The rate behind a judged one: (p + Sp - 1) / (Se + Sp - 1) (Rogan & Gladen 1978), clipped to [0, 1].

    Interval: Lang & Reiczigel (2014, Prev. Vet. Med. 113:13), which carries the uncertainty of rate, sensitivity and
    specificity; clipped too, and stretched to the estimate where that lies just outside. Nothing is measured for a
    judge no better than chance (Se + Sp <= 1), or where one of the three was not measured.
    """
    p, se, sp = raw.value, sensitivity.value, specificity.value
    if p is None or se is None or sp is None or se + sp <= 1:
        return NOTHING_MEASURED
    estimate = _clipped((p + sp - 1) / (se + sp - 1))
    # Every proportion is drawn towards one half first, by z^2 or 2 more observations.
    n, n_se, n_sp = raw.n + Z**2, sensitivity.n + 2, specificity.n + 2
    p = (raw.n * p + Z**2 / 2) / n
    se, sp = (sensitivity.n * se + 1) / n_se, (specificity.n * sp + 1) / n_sp
    youden = se + sp - 1
    if youden <= 0:
        return Figure(estimate, None, None, raw.n)
    centre = (p + sp - 1) / youden
    of_se, of_sp = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    shift = 2 * Z**2 * (centre * of_se - (1 - centre) * of_sp)
    half = Z * sqrt(p * (1 - p) / n + centre**2 * of_se + (1 - centre) ** 2 * of_sp) / youden
    low, high = _clipped(centre + shift - half), _clipped(centre + shift + half)
    return Figure(estimate, min(low, estimate), max(high, estimate), raw.n)


def _clipped(share: float) -> float:
    return float(min(1.0, max(0.0, share)))


def _by_family(rows: Sequence[Graded]) -> Floats:
    """Counts [families, truth, judged]."""
    families: dict[Hashable, int] = {}
    for row in sorted(rows, key=lambda r: r.family):
        families.setdefault(row.family, len(families))
    counts = np.zeros((len(families), len(VERDICTS), len(VERDICTS)))
    for row in rows:
        counts[families[row.family], VERDICTS.index(row.truth), VERDICTS.index(row.judged)] += 1
    return counts


def _kappas(tables: Floats) -> Floats:
    """Of tables [..., truth, judged]; NaN where chance alone agrees fully, as in an empty one."""
    whole = tables.sum((-2, -1))
    agreed = np.trace(tables, axis1=-2, axis2=-1) * whole
    by_chance = (tables.sum(-1) * tables.sum(-2)).sum(-1)
    return np.asarray(
        np.where(whole**2 > by_chance, (agreed - by_chance) / np.maximum(whole**2 - by_chance, 1), np.nan)
    )
