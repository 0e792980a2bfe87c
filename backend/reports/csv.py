"""Prompts and features of an audit as CSV, for spreadsheets. Knows results; carries no completion's words.

Cells are untrusted text: one that a spreadsheet would run as a formula is prefixed by an apostrophe, which the
spreadsheet hides. Plain numbers are left alone, or negative ones would be text.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from backend.audit.claimed_sets import claimed_set
from backend.audit.results import Arm, Feature, Figure, PromptResult
from backend.reports.outcomes import outcome, random_flips

PROMPT_COLUMNS = (
    "id", "text", "label", "category", "family", "split", "verdict", "score", "outcome", "k", "minimal_set_size",
    "minimal_set", "minimal_set_score", "minimal_set_margin", "random_draws", "random_flipped_share", "random_p",
    "direction_score", "direction_flipped", "fm_extended_flipped", "linear_probe_flipped", "cascade_depth",
    "cascade_outcome", "compensation",
)  # fmt: skip
FIGURES = ("activation_harmful", "activation_benign", "coverage_harmful", "coverage_benign", "effect")
FEATURE_COLUMNS = (
    "id", "layer", "index", "rank", "cosine", "density",
    *(f"{name}{part}" for name in FIGURES for part in ("", "_low", "_high", "_n")),
    "in_minimal_sets", "woken", "neuronpedia_id", "promoted", "suppressed",
)  # fmt: skip

_FORMULA = re.compile(r"^\s*[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")

Cell = str | float | bool | None


def prompts_csv(prompts: Sequence[PromptResult]) -> str:
    """One line a prompt, PROMPT_COLUMNS; scores in nats, shares from 0 to 1, empty where nothing was measured."""
    return _written(PROMPT_COLUMNS, map(_prompt, prompts))


def features_csv(features: Sequence[Feature]) -> str:
    """One line a reported feature, FEATURE_COLUMNS; a figure takes four: value, 95 % interval, observations."""
    return _written(FEATURE_COLUMNS, map(_feature, features))


def safe_cell(text: str) -> str:
    """The text, so that no spreadsheet runs it."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.match(text) else text


def _written(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return safe_cell(value) if isinstance(value, str) else f"{value:.10g}"


def _prompt(result: PromptResult) -> list[Cell]:
    minimal, controls, cascade = claimed_set(result), result.controls, result.cascade
    random = controls.random if controls else None
    repair = result.self_repair
    return [
        result.id,
        result.text,
        result.label,
        result.category,
        result.family,
        result.split,
        result.baseline.response.verdict,
        result.baseline.score,
        outcome(result),
        result.k,
        len(minimal.features) if minimal else None,
        " ".join(minimal.features) if minimal else None,
        minimal.score if minimal else None,
        minimal.margin if minimal else None,
        random.n_draws if random else None,
        random_flips(result),
        random.p if random else None,
        controls.direction.score if controls else None,
        controls.direction.flipped if controls else None,
        _flipped(controls.fm_extended if controls else None),
        _flipped(controls.linear_probe if controls else None),
        cascade.depth if cascade else None,
        cascade.outcome if cascade else None,
        repair.compensation if repair else None,
    ]


def _feature(feature: Feature) -> list[Cell]:
    layer, _, index = feature.id.partition(":")
    row: list[Cell] = [feature.id, int(layer), int(index), feature.rank, feature.cosine, feature.density]
    for name in FIGURES:
        row += _figure(getattr(feature, name))
    tokens = [" ".join(repr(token.text) for token in group) for group in (feature.promoted, feature.suppressed)]
    return [*row, feature.in_minimal_sets, feature.woken, feature.neuronpedia_id, *tokens]


def _figure(figure: Figure) -> Iterator[Cell]:
    yield from (figure.value, figure.low, figure.high, figure.n)


def _flipped(arm: Arm | None) -> bool | None:
    return arm.flipped if arm is not None else None
