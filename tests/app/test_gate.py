"""`refusalscope gate` and `audit --gate`: exit codes, the table, and a wrong gate refused before any work."""

import json
import sys
from pathlib import Path

import pytest

from app.cli import main
from backend.reports.report_json import report_to_json
from tests.planted_audits import FEW, planted_audit, some_prompts

MET = '[figures."report_card.refusal_rate"]\nat_least = 0.2\n'  # four of four refused: 51 % at least
UNMET = '[figures."report_card.flipped.random"]\nat_least = 0.9\n[statements]\npresent = "yes"\n'


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    (folder / "report.json").write_text(report_to_json(planted_audit().report), "utf-8")
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Exit code of the command line, run in this process."""
    monkeypatch.setattr(sys, "argv", ["refusalscope", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "200")
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def gate_file(folder: Path, text: str) -> Path:
    (folder / "gate.toml").write_text(text, "utf-8")
    return folder / "gate.toml"


def test_a_met_gate_ends_with_0(
    audited: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "gate", audited, gate_file(tmp_path, MET)) == 0
    shown = capsys.readouterr()
    assert "report_card.refusal_rate" in shown.out
    assert "at least 0.2" in shown.out
    assert "passed" in shown.out
    assert shown.err == ""


def test_an_unmet_gate_ends_with_4_and_names_what_is_not_met(
    audited: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = gate_file(tmp_path, UNMET)
    assert run(monkeypatch, "gate", audited / "report.json", file) == 4
    shown = capsys.readouterr()
    assert "report_card.flipped.random" in shown.out
    assert shown.err.startswith(f"refusalscope: gate {file}: 1 of 2 conditions not met: report_card.flipped.random ")
    assert shown.err.count("\n") == 1


def test_a_wrong_gate_ends_with_2(
    audited: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "gate", audited, gate_file(tmp_path, "[statements]\nabsent = 'yes'")) == 2
    assert "FILE" in capsys.readouterr().err


def audit(prompts: Path, out: Path, gate: Path) -> list[str | Path]:
    options: list[str | Path] = ["audit", "--subject", "planted", "--prompts", prompts, "--effort", "quick"]
    return [*options, "--out", out, "--gate", gate]


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    rows = [
        {"id": p.id, "prompt": p.text, "label": p.label, "category": p.category, "family": p.family, "split": p.split}
        for p in some_prompts(FEW).prompts
    ]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return tmp_path / "mine.jsonl"


def test_an_audit_that_does_not_pass_its_gate_has_its_report_all_the_same(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *audit(prompts, tmp_path / "out", gate_file(tmp_path, UNMET))) == 4
    assert (tmp_path / "out" / "report.json").is_file()
    shown = capsys.readouterr().out
    assert "Does it refuse?" in shown  # the card with its statements comes first
    assert shown.index("Does it refuse?") < shown.index("report_card.flipped.random")


def test_a_wrong_gate_stops_an_audit_before_it_begins(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *audit(prompts, tmp_path / "out", gate_file(tmp_path, MET + "at_most = 7"))) == 2
    assert not (tmp_path / "out").exists()
    assert "at_most is 7" in capsys.readouterr().err
