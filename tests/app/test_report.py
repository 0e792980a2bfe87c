"""`refusalscope report`: a folder, a file or an id to a file; one line when it cannot; whole or not there."""

import csv
import os
from pathlib import Path

import pytest

from app.report import run
from backend.api.imports import add_report
from backend.audit.results import Report
from backend.errors import BadInput, OutputError
from backend.reports.report_json import report_to_json
from backend.store.database import Database
from tests.planted_audits import planted_audit


@pytest.fixture(scope="module")
def report() -> Report:
    return planted_audit().report


@pytest.fixture
def folder(report: Report, tmp_path: Path) -> Path:
    """An audit's folder, as far as the command reads it."""
    place = tmp_path / "audit"
    place.mkdir()
    (place / "report.json").write_text(report_to_json(report), "utf-8")
    return place


def ask(audit: str | Path, output: Path, format: str = "html", data: Path | None = None) -> None:
    run(audit=str(audit), output=output, format=format, data=data, database=None)  # type: ignore[arg-type]


def test_a_folder_becomes_one_html_file(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.html"
    ask(folder, out)
    text = out.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert capsys.readouterr().out == f"{out}\n"


def test_a_report_file_becomes_json_and_csv(folder: Path, report: Report, tmp_path: Path) -> None:
    source = folder / "report.json"
    ask(source, tmp_path / "copy.json", "json")
    assert (tmp_path / "copy.json").read_bytes() == source.read_bytes()
    ask(source, tmp_path / "prompts.csv", "prompts.csv")
    with (tmp_path / "prompts.csv").open(newline="", encoding="utf-8") as file:
        assert [line["id"] for line in csv.DictReader(file)] == [p.id for p in report.prompts]
    ask(source, tmp_path / "features.csv", "features.csv")
    assert len((tmp_path / "features.csv").read_text("utf-8").splitlines()) == len(report.features) + 1


def test_an_audit_of_the_database_goes_by_its_id(folder: Path, tmp_path: Path) -> None:
    data, content = tmp_path / "data", (folder / "report.json").read_bytes()
    database = Database.open(None, data)
    with database.transaction() as session:
        audit_id = add_report(session, database.artifacts, content, origin="import").id
    database.close()
    ask(audit_id, tmp_path / "stored.json", "json", data)
    assert (tmp_path / "stored.json").read_bytes() == content


def test_what_is_no_audit_is_told_in_a_line(folder: Path, tmp_path: Path) -> None:
    out, data = tmp_path / "x.html", tmp_path / "data"
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.json").write_text("{}", "utf-8")
    for audit, said in (
        ("audit_unknown", "neither a folder"),
        (tmp_path / "empty", "has no report.json"),
        (tmp_path / "other.json", "not a report"),
    ):
        with pytest.raises(BadInput, match=said) as told:
            ask(audit, out, data=data)
        assert "\n" not in str(told.value)
    assert not out.exists()


def test_a_file_that_cannot_be_written_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--output: cannot write"):
        ask(folder, tmp_path / "missing" / "x.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="--output: cannot write"):
        ask(folder, tmp_path / "taken", "json")
    assert sorted(os.listdir(tmp_path)) == ["audit", "taken"]
