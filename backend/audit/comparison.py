"""Two audits of the same prompts, compared: what B's report says beside A's, the reference. Pure.

Knows results; knows no tensor, no file and no web.
"""

from collections.abc import Sequence
from typing import Any

from backend.audit.comparison_features import compare_connections, compare_features
from backend.audit.comparison_measures import MEASURES
from backend.audit.comparison_results import (
    AuditFacts,
    Comparison,
    Comparisons,
    DecoderMatch,
    FigureRow,
    StatementPair,
)
from backend.audit.comparison_tables import count_pairs, figure_differences, flip_tables, match_prompts
from backend.audit.results import Report
from backend.errors import BadInput, DifferentPrompts

CONDITIONS = {
    "effort": ("settings", "effort"),
    "amounts measured": ("settings", "amounts"),
    "onset tokens": ("settings", "onset"),
    "judge": ("judge", "sha256"),
    "precision": ("device", "dtype"),
    "version of the code": ("code", "source_sha256"),
}
"""What may differ between two audits without being what is compared: its name, and where the manifest has it."""


def compare_all(reports: Sequence[Report], matches: Sequence[Sequence[DecoderMatch]] = ()) -> Comparisons:
    """Each report after the first compared with the first; matches: for each of them, in order.

    Raises BadInput for fewer than two, and DifferentPrompts.
    """
    if len(reports) < 2:
        raise BadInput("audits: name two or more to compare")
    reference, *others = reports
    given = [*matches, *[()] * (len(others) - len(matches))]
    rows = [
        FigureRow(one.path, one.name, one.unit, tuple(one.figure(report) for report in reports)) for one in MEASURES
    ]
    return Comparisons(
        comparisons=tuple(compare(reference, other, found) for other, found in zip(others, given, strict=True)),
        rows=tuple(row for row in rows if any(figure.value is not None for figure in row.figures)),
    )


def compare(a: Report, b: Report, matches: Sequence[DecoderMatch] = ()) -> Comparison:
    """B compared with A, the reference. The same reports always give the same comparison.

    matches: of layers whose SAEs differ, from `match_decoders`. Raises DifferentPrompts when no prompt has the same id
    and text in both.
    """
    pairs, matching = match_prompts(a, b)
    if not pairs:
        raise DifferentPrompts(
            f"audits: {_named(a)} and {_named(b)} have no prompt in common (the same id and text); compare audits of "
            "the same prompt set"
        )
    seed = a.manifest.seed
    figures = figure_differences(a, b, pairs, seed)
    return Comparison(
        a=_facts(a),
        b=_facts(b),
        matching=matching,
        cautions=_cautions(a, b),
        tables=flip_tables(pairs),
        figures=figures,
        n_compared=sum(one.p is not None for one in figures),
        counts=count_pairs(a, b),
        statements=_statements(a, b),
        features=compare_features(a, b, pairs, matches, seed),
        connections=compare_connections(a, b, matches),
    )


def _facts(report: Report) -> AuditFacts:
    return AuditFacts(
        subject=_told(report, "subject", "id"),
        prompts=_told(report, "prompts", "name"),
        effort=_told(report, "settings", "effort"),
        seed=report.manifest.seed,
        n_prompts=len(report.prompts),
    )


def _cautions(a: Report, b: Report) -> tuple[str, ...]:
    """In words, each a reason for a difference other than the subjects."""
    other = [name for name, place in CONDITIONS.items() if _value(a, *place) != _value(b, *place)]
    found = [f"The two audits differ in {', '.join(other)}."] if other else []
    if _value(a, "prompts", "sha256") != _value(b, "prompts", "sha256"):
        found.append("The prompt sets differ; only prompts with the same id and text in both are compared.")
    if a.manifest.subject == b.manifest.subject:
        found.append("Both audits are of the same subject: what differs comes from how it was measured.")
    return tuple(found)


def _statements(a: Report, b: Report) -> tuple[StatementPair, ...]:
    of_b = {one.key: one for one in b.report_card.statements}
    return tuple(
        StatementPair(one.key, one.question, one.answer, of_b[one.key].answer)
        for one in a.report_card.statements
        if one.key in of_b
    )


def _value(report: Report, part: str, name: str) -> Any:
    return getattr(report.manifest, part).get(name)


def _told(report: Report, part: str, name: str) -> str:
    return str(_value(report, part, name) or "")


def _named(report: Report) -> str:
    return f"{_told(report, 'subject', 'id')} on {_told(report, 'prompts', 'name')}"[:80]
