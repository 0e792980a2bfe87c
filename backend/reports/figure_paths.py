"""Figures by their path in report.json, such as report_card.flipped.minimal. Knows the results' shape alone."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from backend.audit.results import NOTHING_MEASURED, Figure, Report
from backend.errors import BadInput

ANY_KEY = "*"  # where a dictionary's own keys go: a category, an arm, a mode

SHARES = frozenset(
    {
        "all_modes", "auc", "backups_confirmed", "benign_refusal_rate", "confirmed_half", "confirmed_most",
        "corrected", "coverage", "fm_auc", "flipped", "incoherent", "incoherent_rate", "jaccard", "keep_rate",
        "keep_rate_placebo", "layer_flipped", "length_sweep", "linear_auc", "necessity", "never_flipped",
        "over_refusal_rate", "refusal_rate", "refusal_rate_by_category", "refusal_rate_by_split", "refused",
        "refused_random", "score_positive", "score_positive_random", "sensitivity", "set_flips", "share_deactivated",
        "specificity", "usefulness", "verdict_changed", "with_zero",
    }
)  # fmt: skip
"""Fields that are from 0 to 1 or hold only such figures. `direction.sufficiency` and `transfer.mean` are shares too."""


def is_share(path: str) -> bool:
    """Whether the figure there is from 0 to 1."""
    parts = path.split(".")
    return not SHARES.isdisjoint(parts) or parts[-2:] in (["direction", "sufficiency"], ["transfer", "mean"])


def named_figure(path: str, at: str) -> None:
    """Check that a report has room for a figure of this path. Raises BadInput that names one near it."""
    if not any(_fits(path.split("."), pattern.split(".")) for pattern in figure_patterns()):
        within = [pattern for pattern in figure_patterns() if pattern.startswith(f"{path}.")]
        near = within or get_close_matches(path, figure_patterns(), 1, cutoff=0.0)
        raise BadInput(f'{at}: a report has no figure "{path}"; did you mean "{near[0]}"?')


def find_figure(report: Report, path: str) -> Figure:
    """The figure there; NOTHING_MEASURED where the report lacks that part."""
    value: Any = report
    parts = path.split(".")
    for i, part in enumerate(parts):
        if isinstance(value, dict):
            whole = value.get(".".join(parts[i:]))
            if isinstance(whole, Figure):
                return whole
            value = value.get(part)
        else:
            value = getattr(value, part, None)
    return value if isinstance(value, Figure) else NOTHING_MEASURED


@cache
def figure_patterns() -> tuple[str, ...]:
    """Every path at which a report can have a figure, lists left out; ANY_KEY stands for a dictionary's keys."""
    return tuple(_figures_in(Report, ()))


def _figures_in(kind: Any, path: tuple[str, ...]) -> Iterator[str]:
    if kind is Figure:
        yield ".".join(path)
    elif is_dataclass(kind):
        hints = get_type_hints(kind)
        for field in fields(kind):
            yield from _figures_in(hints[field.name], (*path, field.name))
    elif get_origin(kind) is dict:
        yield from _figures_in(get_args(kind)[1], (*path, ANY_KEY))
    elif get_origin(kind) in (Union, UnionType):
        for option in get_args(kind):
            if option is not NoneType:
                yield from _figures_in(option, path)


def _fits(parts: list[str], pattern: list[str]) -> bool:
    if pattern[-1] == ANY_KEY:  # the last key may itself have dots: a category, or the path of a corrected rate
        parts = [*parts[: len(pattern) - 1], ".".join(parts[len(pattern) - 1 :])]
    return len(parts) == len(pattern) and all(
        part and wanted in (part, ANY_KEY) for part, wanted in zip(parts, pattern, strict=True)
    )
