"""`refusalscope compare`: folders, files and ids; tables, strict JSON and Markdown; one line when it cannot."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.compare import run
from backend.api.imports import add_report
from backend.audit.results import Report
from backend.errors import BadInput, DifferentPrompts, SubjectError
from backend.reports.report_json import report_to_json
from backend.store.database import Database
from backend.subjects.sae_loading import find_saes, load_saes
from tests.compared_reports import feature, prompt, report
from tests.subjects.sae_samples import D_IN, save_sae


def audit(place: Path, subject: str, **options: Any) -> Path:
    """A folder with a report of eight prompts, half of them flipped, as `audit` leaves it."""
    place.mkdir()
    prompts = [prompt(f"p{i}", features=("1:5",) if i % 2 else ()) for i in range(8)]
    write(place, report(prompts, subject=subject, features=[feature("1:5")], **options))
    return place


def write(place: Path, content: Report) -> None:
    (place / "report.json").write_text(report_to_json(content), "utf-8")


def ask(
    *audits: Path | str, output: Path | None = None, match_features: bool = False, data: Path | None = None
) -> None:
    names = [str(one) for one in audits]
    run(audits=names, output=output, match_features=match_features, data=data, database=None)


def test_folders_files_and_ids_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = audit(tmp_path / "one", "one"), audit(tmp_path / "two", "two")
    data = tmp_path / "data"
    database = Database.open(None, data)
    with database.transaction() as session:
        content = (two / "report.json").read_bytes()
        stored = add_report(session, database.artifacts, content, origin="import").id
    database.close()
    for other in (two, two / "report.json", stored):
        ask(one, other, data=data)
        said = capsys.readouterr().out
        assert "two beside one: 8 prompts in common, 8 test prompts" in said
        assert "Jaccard 1.00" in said


def test_json_is_strict_and_holds_every_number(tmp_path: Path) -> None:
    out = tmp_path / "comparison.json"
    three = [audit(tmp_path / name, name) for name in ("one", "two", "three")]
    ask(*three, output=out)
    found = json.loads(out.read_text("utf-8"), parse_constant=lambda name: pytest.fail(name))
    assert found["audits"] == ["one", "two", "three"]
    assert [one["b"]["subject"] for one in found["comparisons"]] == ["two", "three"]
    table = found["comparisons"][0]["tables"][2]
    assert (table["outcome"], table["both"]) == ("flipped_minimal", ["p1", "p3", "p5", "p7"])
    assert len(found["rows"][0]["figures"]) == 3
    ask(*three, output=tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == out.read_bytes()


def test_markdown_is_written(tmp_path: Path) -> None:
    out = tmp_path / "findings.md"
    ask(audit(tmp_path / "one", "one"), audit(tmp_path / "two", "two"), output=out)
    assert out.read_text("utf-8").startswith("# one compared with two\n")


def test_what_cannot_be_compared_is_told_in_a_line(tmp_path: Path) -> None:
    one = audit(tmp_path / "one", "one")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere, report([prompt("another")]))
    (tmp_path / "other.json").write_text("{}", "utf-8")
    for audits, output, kind, said in (
        ([one], None, BadInput, "two or more"),
        ([one, elsewhere], None, DifferentPrompts, "no prompt in common"),
        ([one, tmp_path / "other.json"], None, BadInput, "not a report"),
        ([one, one], tmp_path / "out.html", BadInput, r"\.json or \.md"),
    ):
        with pytest.raises(kind, match=said) as told:
            ask(*audits, output=output)
        assert "\n" not in str(told.value)


@pytest.fixture
def dictionaries(tmp_path: Path) -> tuple[Path, Path]:
    """Two SAEs of layer 1."""
    return save_sae(tmp_path / "sae-one", seed=0), save_sae(tmp_path / "sae-two", seed=1)


def with_sae(content: Report, folder: Path) -> Report:
    sae = load_saes(find_saes(str(folder), [1], D_IN, 4), D_IN)[1]
    saes = {"sha256": {"1": sae.sha256}, "source": {"1": str(folder)}}
    return replace(content, manifest=replace(content.manifest, saes=saes))


def test_features_of_other_dictionaries_are_matched_on_request(tmp_path: Path, dictionaries: tuple[Path, Path]) -> None:
    folders = []
    for name, sae in zip(("one", "two"), dictionaries, strict=True):
        place = tmp_path / name
        place.mkdir()
        write(place, with_sae(report([prompt("p", features=("1:5",))], subject=name), sae))
        folders.append(place)
    out = tmp_path / "comparison.json"
    ask(*folders, output=out)
    assert json.loads(out.read_text())["comparisons"][0]["features"]["dictionary"] == "different"
    ask(*folders, output=out, match_features=True)
    features = json.loads(out.read_text())["comparisons"][0]["features"]
    assert (features["dictionary"], features["matched_layers"]) == ("matched", [1])
    assert 0 < features["unmatched_a"] <= 1


def test_an_sae_that_has_changed_is_not_matched(tmp_path: Path, dictionaries: tuple[Path, Path]) -> None:
    folders = []
    for name, sae in zip(("one", "two"), dictionaries, strict=True):
        place = tmp_path / name
        place.mkdir()
        content = with_sae(report([prompt("p")], subject=name), sae)
        saes = {**content.manifest.saes, "sha256": {"1": f"stale-{name}"}}
        write(place, replace(content, manifest=replace(content.manifest, saes=saes)))
        folders.append(place)
    with pytest.raises(SubjectError, match="not the one that the report used"):
        ask(*folders, match_features=True)


def test_models_of_other_widths_have_no_directions_in_common(tmp_path: Path) -> None:
    one = audit(tmp_path / "one", "one")
    two = tmp_path / "two"
    two.mkdir()
    content = report([prompt("p0")], subject="two", hashes={1: "other"})
    subject = {**content.manifest.subject, "d_model": 99}
    write(two, replace(content, manifest=replace(content.manifest, subject=subject)))
    with pytest.raises(BadInput, match="residual streams"):
        ask(one, two, match_features=True)
