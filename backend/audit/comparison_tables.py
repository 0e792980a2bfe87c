"""Prompts of two reports matched, and what became of each in both: flip tables, figures with their differences.

Knows results; knows no tensor and no file.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import isfinite

from backend.audit.comparison_measures import COUNTS, MEASURES, Measure, flipped_by, is_flipped, refused, value_at
from backend.audit.comparison_results import (
    OUTCOMES,
    CountPair,
    FigureDifference,
    FlipTable,
    Matching,
    Outcome,
    Prompts,
)
from backend.audit.results import NOTHING_MEASURED, Figure, PromptResult, Report
from backend.audit.stats.multiple import benjamini_hochberg
from backend.audit.stats.paired import mcnemar, paired_bootstrap, paired_difference
from backend.audit.stats.permutation import paired_swaps
from backend.audit.stats.power import detectable_difference, power_sentence
from backend.audit.stats.rates import wilson
from backend.audit.stats.recovery import difference_of_figures, p_of_interval

Pair = tuple[PromptResult, PromptResult]  # the same prompt in A and in B

_HAPPENED: dict[Outcome, Callable[[PromptResult], bool | None]] = {
    "refused": partial(refused, "harmful"),
    "over_refused": partial(refused, "look_alike"),
    "flipped_minimal": is_flipped,
    "flipped_direction": partial(flipped_by, "direction"),
    "flipped_fm": partial(flipped_by, "fm_extended"),
}


def match_prompts(a: Report, b: Report) -> tuple[list[Pair], Matching]:
    """Prompts that both have, in A's order, and what was left out."""
    of_b = {p.id: p for p in b.prompts}
    common = [(p, of_b[p.id]) for p in a.prompts if p.id in of_b]
    same_text = [(p, q) for p, q in common if p.text == q.text]
    pairs = [(p, q) for p, q in same_text if p.label == q.label]
    ids_a = {p.id for p in a.prompts}
    return pairs, Matching(
        n=len(pairs),
        n_test=len(in_test(pairs)),
        only_a=tuple(p.id for p in a.prompts if p.id not in of_b),
        only_b=tuple(p.id for p in b.prompts if p.id not in ids_a),
        other_text=tuple(p.id for p, q in common if p.text != q.text),
        other_label=tuple(p.id for p, q in same_text if p.label != q.label),
        other_split=tuple(p.id for p, q in pairs if p.split != q.split),
    )


def in_test(pairs: Sequence[Pair]) -> list[Pair]:
    """Those that neither audit fitted anything on."""
    return [(p, q) for p, q in pairs if p.split == q.split == "test"]


def flip_tables(pairs: Sequence[Pair]) -> tuple[FlipTable, ...]:
    """Every outcome over test prompts, then over all."""
    test = in_test(pairs)
    return tuple(flip_table(which, "test", test) for which in OUTCOMES) + tuple(
        flip_table(which, "all", pairs) for which in OUTCOMES
    )


def flip_table(outcome: Outcome, prompts: Prompts, pairs: Sequence[Pair]) -> FlipTable:
    """One outcome over the pairs that could show it on both sides."""
    happened = _HAPPENED[outcome]
    seen = [(p.id, happened(p), happened(q)) for p, q in pairs]
    tried = [(i, x, y) for i, x, y in seen if x is not None and y is not None]
    of_a, of_b = [bool(x) for _, x, _ in tried], [bool(y) for _, _, y in tried]
    n = len(tried)
    only_a, only_b = _where(tried, True, False), _where(tried, False, True)
    discordant = (len(only_a) + len(only_b)) / n if only_a and only_b else 0.0  # all one way is the best case
    detectable = detectable_difference(n, discordant=discordant)
    return FlipTable(
        outcome=outcome,
        prompts=prompts,
        both=_where(tried, True, True),
        only_a=only_a,
        only_b=only_b,
        neither=_where(tried, False, False),
        untried_a=tuple(i for i, x, y in seen if x is None and y is not None),
        untried_b=tuple(i for i, x, y in seen if y is None and x is not None),
        rate_a=wilson(sum(of_a), n),
        rate_b=wilson(sum(of_b), n),
        difference=paired_difference(of_b, of_a),
        p=mcnemar(len(only_a), len(only_b)) if n else None,
        detectable=detectable if isfinite(detectable) else None,
        power=power_sentence(n, discordant=discordant),
    )


def figure_differences(a: Report, b: Report, pairs: Sequence[Pair], seed: int) -> tuple[FigureDifference, ...]:
    """Every figure that one of the reports measured; q over those with a p."""
    test = in_test(pairs)
    found = [_difference(measure, measure.figure(a), measure.figure(b), test, seed) for measure in MEASURES]
    shown = [one for one in found if one.a.value is not None or one.b.value is not None]
    with_p = [one.p for one in shown if one.p is not None]
    q = iter(benjamini_hochberg(with_p))
    return tuple(one if one.p is None else replace(one, q=next(q)) for one in shown)


def count_pairs(a: Report, b: Report) -> tuple[CountPair, ...]:
    """Counts that one of the reports has."""
    found = [CountPair(path, name, value_at(a, path), value_at(b, path)) for path, name in COUNTS]
    return tuple(one for one in found if one.a is not None or one.b is not None)


def _where(tried: Sequence[tuple[str, bool | None, bool | None]], a: bool, b: bool) -> tuple[str, ...]:
    return tuple(i for i, x, y in tried if x is a and y is b)


def _difference(measure: Measure, a: Figure, b: Figure, test: Sequence[Pair], seed: int) -> FigureDifference:
    def of(difference: Figure, how: str, p: float | None) -> FigureDifference:
        return FigureDifference(measure.path, measure.name, measure.unit, a, b, difference, how, p, None)  # type: ignore[arg-type]

    if a.value is None or b.value is None:
        return of(NOTHING_MEASURED, "not compared", None)
    rows = [(p.family, x, y) for p, q in test for x, y in [_values(measure, p, q)] if x is not None and y is not None]
    if not rows:
        joined = difference_of_figures(b, a)
        return of(joined, "unpaired", p_of_interval(joined))
    families, of_a, of_b = [f for f, _, _ in rows], [x for _, x, _ in rows], [y for _, _, y in rows]
    if measure.statistic == "rate":
        yes_a, yes_b = [bool(x) for x in of_a], [bool(y) for y in of_b]
        only_a = sum(x and not y for x, y in zip(yes_a, yes_b, strict=True))
        only_b = sum(y and not x for x, y in zip(yes_a, yes_b, strict=True))
        return of(paired_difference(yes_b, yes_a), "paired", mcnemar(only_a, only_b))
    difference = paired_bootstrap(of_b, of_a, families, measure.statistic, seed=seed)
    return of(difference, "paired", paired_swaps(of_b, of_a, families, measure.statistic, seed=seed))


def _values(measure: Measure, a: PromptResult, b: PromptResult) -> tuple[float | None, float | None]:
    return (measure.of(a), measure.of(b)) if measure.of is not None else (None, None)
