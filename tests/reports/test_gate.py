import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backend.audit.results import NOTHING_MEASURED, Figure, Report
from backend.errors import BadInput
from backend.reports.gate import Checked, check_gate, read_gate
from tests.planted_audits import planted_audit

RATE = '[figures."report_card.refusal_rate"]\n'


@pytest.fixture(scope="module")
def report() -> Report:
    return planted_audit().report


def with_rate(report: Report, figure: Figure) -> Report:
    return replace(report, report_card=replace(report.report_card, refusal_rate=figure))


def check(report: Report, gate: str, folder: Path) -> tuple[Checked, ...]:
    file = folder / "gate.toml"
    file.write_text(gate, "utf-8")
    return check_gate(read_gate(file), report)


@pytest.mark.parametrize(
    ("low", "high", "bounds", "verdict"),
    [
        (0.80, 0.95, "at_least = 0.8", "passed"),  # an end on the bound keeps to it
        (0.79, 0.95, "at_least = 0.8", "undecided"),
        (0.50, 0.80, "at_least = 0.8", "undecided"),
        (0.50, 0.79, "at_least = 0.8", "failed"),
        (0.00, 0.10, "at_most = 0.1", "passed"),
        (0.05, 0.11, "at_most = 0.1", "undecided"),
        (0.11, 0.30, "at_most = 0.1", "failed"),
        (0.30, 0.60, "at_least = 0.2\nat_most = 0.7", "passed"),
        (0.10, 0.60, "at_least = 0.2\nat_most = 0.7", "undecided"),
        (0.71, 0.90, "at_least = 0.2\nat_most = 0.7", "failed"),
        (0.00, 0.10, "at_least = 0.2\nat_most = 0.7", "failed"),
    ],
)
def test_the_interval_decides(
    report: Report, tmp_path: Path, low: float, high: float, bounds: str, verdict: str
) -> None:
    # The estimate is put at the end that a verdict by estimates would get wrong.
    found = [with_rate(report, Figure(value, low, high, 20)) for value in (low, high)]
    assert [check(one, RATE + bounds, tmp_path)[0].verdict for one in found] == [verdict, verdict]


@pytest.mark.parametrize("figure", [Figure(1.0, None, None, 3), NOTHING_MEASURED])
def test_no_interval_is_undecided(report: Report, tmp_path: Path, figure: Figure) -> None:
    assert check(with_rate(report, figure), RATE + "at_least = 0.5", tmp_path)[0].verdict == "undecided"


@pytest.mark.parametrize(
    ("gate", "passes"),
    [
        (RATE + "at_least = 0.5", False),
        ('undecided = "pass"\n' + RATE + "at_least = 0.5", True),
        (RATE + 'at_least = 0.5\nundecided = "pass"', True),
        ('undecided = "pass"\n' + RATE + 'at_least = 0.5\nundecided = "fail"', False),
    ],
)
def test_the_gate_says_what_an_undecided_condition_counts_for(
    report: Report, tmp_path: Path, gate: str, passes: bool
) -> None:
    checked = check(with_rate(report, Figure(0.6, 0.4, 0.8, 20)), gate, tmp_path)[0]
    assert (checked.verdict, checked.passes) == ("undecided", passes)


def test_an_undecided_condition_never_saves_a_failed_one(report: Report, tmp_path: Path) -> None:
    checked = check(
        with_rate(report, Figure(0.1, 0.0, 0.2, 20)), 'undecided = "pass"\n' + RATE + "at_least = 0.5", tmp_path
    )
    assert (checked[0].verdict, checked[0].passes) == ("failed", False)


def test_statements_are_held_against_answers(report: Report, tmp_path: Path) -> None:
    answers = {s.key: s.answer for s in report.report_card.statements}
    assert answers["present"] == "yes"
    no, yes = (check(report, f'[statements]\npresent = "{wanted}"', tmp_path)[0] for wanted in ("no", "yes"))
    assert (no.verdict, no.passes, no.answer) == ("failed", False, "yes")
    assert (yes.verdict, yes.passes) == ("passed", True)
    assert check(report, '[statements]\npresent = ["no", "yes"]', tmp_path)[0].verdict == "passed"


def test_a_report_from_before_there_were_statements_is_asked_its_figures(report: Report, tmp_path: Path) -> None:
    old = replace(report, report_card=replace(report.report_card, statements=()))
    assert check(old, '[statements]\npresent = "yes"', tmp_path)[0].verdict == "passed"
    assert check(replace(old, stability=None), '[statements]\nstable = "yes"', tmp_path)[0].verdict == "undecided"


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("", "holds no condition"),
        ("[figures", "is not TOML"),
        ("[figure]\nx = 1", "'figure' is not known; use figures, statements, undecided"),
        ("figures = 3", "figures is no table"),
        ('[figures."report_card.refusal"]\nat_least = 0.5', 'no figure "report_card.refusal"; did you mean'),
        ('[figures."report_card.minimal_set_size"]', "has no bound"),
        (RATE + "at_last = 0.5", "'at_last' is not known; use at_least, at_most, undecided"),
        (RATE + 'at_least = "0.5"', "at_least is '0.5'; give a number"),
        (RATE + "at_least = true", "at_least is True; give a number"),
        (RATE + "at_least = nan", "at_least is nan; give a number"),
        (RATE + "at_least = 80", "at_least is 80; the figure is a share, give a number from 0 to 1"),
        (RATE + "at_most = -0.1", "at_most is -0.1; the figure is a share"),
        (RATE + "at_least = 0.8\nat_most = 0.2", "at_least 0.8 is above at_most 0.2"),
        (RATE + 'at_least = 0.8\nundecided = "maybe"', "undecided is 'maybe'; give \"fail\" or \"pass\""),
        ("[figures.report_card]\nrefusal_rate = 0.8", 'no figure "report_card"'),
        ("[figures]\nreport_card = 0.8", "is no table; quote the whole path"),
        ('[statements]\nabsent = "yes"', "no such statement; use one of present, over_refusal"),
        ('[statements]\npresent = "maybe"', "is 'maybe'; give one or a list of yes, no, undecided, not measured"),
        ("[statements]\npresent = []", "give one or a list of"),
        ("[statements]\npresent = [[1]]", "give one or a list of"),
    ],
)  # fmt: skip
def test_a_wrong_gate_is_one_line_that_names_the_place(tmp_path: Path, gate: str, message: str) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(gate, "utf-8")
    with pytest.raises(BadInput) as raised:
        read_gate(file)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"--gate {file}: ")
    assert "\n" not in str(raised.value)


def test_a_gate_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_gate(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_gate(tmp_path / "latin.toml")


def test_the_example_of_the_documentation_is_a_gate(report: Report, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "gate.md").read_text("utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert len(check(report, example, tmp_path)) == 6


def test_a_gate_needs_no_torch() -> None:
    program = "import sys, app.gate; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False).returncode == 0
