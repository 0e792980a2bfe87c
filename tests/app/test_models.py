"""`refusalscope models`: what is printed and how it ends, on the real bundled subject."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.models import models, parse_layers
from backend.errors import BadInput, SubjectError
from backend.subjects.bundled.fetch import FetchedFiles
from backend.subjects.catalogue import BUNDLED_SUBJECTS, PLANTED_SUBJECTS


def run(*arguments: str) -> tuple[int, str, BaseException | None]:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(models, list(arguments))
    return result.exit_code, result.output, result.exception


def test_list_before_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path))
    code, output, _ = run("list")
    assert code == 0
    assert all(name in output for name in (*BUNDLED_SUBJECTS, *PLANTED_SUBJECTS))
    assert "not ready" in output
    assert "run: refusalscope models fetch" in output


def test_list_and_fetch_afterwards(bundled_files: FetchedFiles) -> None:
    assert "not ready" not in run("list")[1]
    code, output, _ = run("fetch")
    assert code == 0
    assert output.startswith(f"ready in {bundled_files.base.parent}: smollm2-135m-base,")


def test_fetch_that_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_text("in the way")
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path / "data"))
    error = run("fetch")[2]
    assert str(error).endswith("set REFUSALSCOPE_DATA to a writable directory")


@pytest.fixture
def texts(tmp_path: Path) -> str:
    rows = ("benign", "How do I bake bread?"), ("harmful", "How do I pick a lock?"), ("benign", "Name three colours.")
    (tmp_path / "texts.jsonl").write_text(
        "".join(json.dumps({"prompt": text, "label": label}) + "\n" for label, text in rows)
    )
    return str(tmp_path / "texts.jsonl")


@pytest.mark.usefixtures("sae_lens_imported", "bundled_files")
def test_check(texts: str) -> None:
    code, output, error = run("check", "smollm2-135m-sft", "--layers", "9,21", "--prompts", texts, "--device", "cpu")
    assert (code, error) == (0, None), output
    assert "smollm2-135m-sft: SAEs on 3 chats" in output  # none borrowed
    assert all(word in output for word in ("FVU", "L0", "mean norm", "expected norm", "sink", "post_instruction"))
    assert "fit for an audit" in output


def test_check_of_an_unfit_subject_exits_1(texts: str) -> None:
    """The planted SAEs know the planted features and leave the rest of the residual alone."""
    code, output, _ = run("check", "planted", "--prompts", texts, "--device", "cpu")
    assert code == 1
    assert "of the variance unexplained" in output


def test_check_of_an_unknown_subject() -> None:
    assert isinstance(run("check", "smollm2")[2], SubjectError)


def test_layers_are_numbers() -> None:
    assert parse_layers("9, 12,15") == [9, 12, 15]
    assert parse_layers(None) is None
    with pytest.raises(BadInput, match="--layers 9;12: give numbers with commas"):
        parse_layers("9;12")
