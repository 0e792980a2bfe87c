from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from backend.audit.results import NOTHING_MEASURED, Figure, Report
from backend.errors import BadInput
from backend.reports.figure_paths import figure_patterns, find_figure, is_share, named_figure
from tests.planted_audits import planted_audit


@pytest.fixture(scope="module")
def report() -> Report:
    return planted_audit().report


def figures_of(value: Any, path: str = "") -> Iterator[tuple[str, Figure]]:
    """Every figure of a report that no list holds, by walking the values and not the types."""
    if isinstance(value, Figure):
        yield path.removeprefix("."), value
    elif is_dataclass(value):
        for field in fields(value):
            yield from figures_of(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from figures_of(item, f"{path}.{key}")


def test_every_figure_of_a_report_has_a_path_that_finds_it(report: Report) -> None:
    found = dict(figures_of(report))
    assert len(found) > 40
    for path, figure in found.items():
        named_figure(path, "gate")
        assert find_figure(report, path) is figure


def test_shares_are_from_0_to_1(report: Report) -> None:
    for path, figure in figures_of(report):
        if is_share(path) and figure.low is not None and figure.high is not None:
            assert 0 <= figure.low <= figure.high <= 1, path


def test_a_key_may_have_dots(report: Report) -> None:
    rate = Figure(0.5, 0.4, 0.6, 20)
    named = replace(report, baseline=replace(report.baseline, refusal_rate_by_category={"e.g. fraud": rate}))
    path = "baseline.refusal_rate_by_category.e.g. fraud"
    named_figure(path, "gate")
    assert find_figure(named, path) is rate


def test_what_a_report_lacks_was_not_measured(report: Report) -> None:
    assert find_figure(report, "baseline.refusal_rate_by_category.No such") == NOTHING_MEASURED
    assert find_figure(report, "verification.arms.no_such_arm.flipped") == NOTHING_MEASURED


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("report_card.refusal_rat", "report_card.refusal_rate"),
        ("report_card.flipped", "report_card.flipped.minimal"),
        ("refusal_rate", "baseline.refusal_rate"),
        ("baseline.refusal_rate_by_category", "baseline.refusal_rate_by_category.*"),
    ],
)
def test_a_path_that_leads_nowhere_is_answered_with_one_near_it(path: str, near: str) -> None:
    with pytest.raises(BadInput, match=f'gate: a report has no figure "{path}"; did you mean "') as raised:
        named_figure(path, "gate")
    assert near in figure_patterns()
    assert f'did you mean "{near}"?' in str(raised.value)
