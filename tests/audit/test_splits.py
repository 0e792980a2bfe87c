import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.audit.cascade_summary import summarise_cascade
from backend.audit.headline import headline
from backend.audit.results import NOTHING_MEASURED, BaselinePrompt, Figure, PromptResult, Response
from backend.audit.splits import Rows, marked, of_split, require_test
from backend.audit.stability_summary import summarise_stability
from backend.audit.stages.verification.figures import arm_figures
from backend.audit.statements import Evidence
from backend.audit.summary import build_report_card

ROOT = Path(__file__).parents[2]
ANY: Any = None


def result(name: str, split: str) -> PromptResult:
    response = Response("complied", 1, True, None, "")
    return PromptResult(name, "", "harmful", None, name, split, BaselinePrompt(name, 0.0, response))


RESULTS = [result("a", "test"), result("b", "discovery"), result("c", "test"), result("d", "validation")]


def test_a_split_s_rows_are_those_of_it_in_order() -> None:
    rows = of_split(RESULTS, "test")
    assert [r.id for r in rows] == ["a", "c"]
    assert (len(rows), rows[1].id, [r.id for r in rows[:1]]) == (2, "c", ["a"])
    assert len(of_split(RESULTS, "discovery")) == 1


def test_rows_of_another_split_are_not_let_in() -> None:
    with pytest.raises(ValueError, match="test rows: one is of the discovery split"):
        Rows("test", tuple(RESULTS[:2]))


# The calls that mypy rejects, made all the same: every builder of headline figures refuses them.
@pytest.mark.parametrize(
    "build",
    [
        require_test,
        headline,
        lambda rows: summarise_cascade(rows, ANY, 0),
        lambda rows: build_report_card(ANY, rows, ANY, ANY, 0),
        lambda rows: arm_figures(rows, 0),
        lambda rows: summarise_stability(rows, (), 0),
        lambda rows: Evidence.of(ANY, ANY, ANY, None, None, rows),
    ],
)
@pytest.mark.parametrize("split", ["discovery", "validation"])
def test_no_headline_comes_from_other_prompts(build: Any, split: Any) -> None:
    with pytest.raises(ValueError, match=f"headline from {split} prompts"):
        build(of_split(RESULTS, split))
    with pytest.raises(ValueError, match="headline from prompts of no known split"):
        build(RESULTS)


SNIPPET = """
from backend.audit.candidates import ActivationTable
from backend.audit.cascade_summary import summarise_cascade
from backend.audit.headline import headline
from backend.audit.results import PromptResult
from backend.audit.splits import TestRows, of_split

def kept(results: list[PromptResult], table: ActivationTable) -> None:
    tested: TestRows[PromptResult] = of_split(results, "test")
    summarise_cascade(headline(tested), table, 0)

def broken(results: list[PromptResult], table: ActivationTable) -> None:
    discovered = of_split(results, "discovery")
    headline(discovered)  # wrong
    summarise_cascade(of_split(results, "validation"), table, 0)  # wrong
    summarise_cascade(results, table, 0)  # wrong
    tested: TestRows[PromptResult] = discovered  # wrong
"""


def test_mypy_rejects_headlines_from_other_prompts(tmp_path: Path) -> None:
    file = tmp_path / "snippet.py"
    file.write_text(SNIPPET, "utf-8")
    arguments = ["--config-file", "pyproject.toml", str(file)]  # with the cache that `make check` leaves
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = {int(line) for line in re.findall(r"snippet\.py:(\d+): error", checked.stdout)}
    wrong = {number for number, line in enumerate(SNIPPET.splitlines(), 1) if line.endswith("# wrong")}
    assert found == wrong, checked.stdout


def test_marking_writes_the_split_on_measured_figures_that_name_none() -> None:
    plain, own = Figure(1.0, None, None, 3), Figure(1.0, None, None, 3, "discovery")
    nested = {"x": (plain, own, NOTHING_MEASURED, None, 4)}
    assert marked(nested, "test") == {"x": (replace(plain, split="test"), own, NOTHING_MEASURED, None, 4)}
    assert plain.split is None
