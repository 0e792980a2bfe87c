"""docs/rigour.md names where each thing an expert checks is found: report paths, files, tests and pages all exist."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from backend.audit.comparison_results import Comparisons
from backend.audit.results import Report
from frontend.ui import PAGES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rigour.md").read_text("utf-8")
COLUMNS = ["an expert checks", "report", "code", "test", "page"]
API = json.loads((ROOT / "tests" / "golden" / "openapi.json").read_text("utf-8"))["paths"]
REPORT = json.loads(next((ROOT / "backend" / "examples").rglob("report.json")).read_text("utf-8"))
ASKED = (
    "necessity", "sufficiency", "disjoint discovery", "matched random", "equal-norm", "minimality", "ablation modes",
    "coverage", "self-repair", "measured, not only fitted", "kl over several tokens", "compliance that is real",
    "sensitivity and specificity", "intervals", "paired tests", "multiple testing", "sae quality on chat text",
    "saes of a base model", "direction or a probe alone", "provenance", "runs it again", "negative results",
    "never a simulated number", "independence", "illusion check", "enough tokens", "power note", "over-refusal",
    "edits leave traces",
)  # fmt: skip


def rows() -> list[list[str]]:
    """The table's cells, row by row, its head and rule first."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")]


ROWS = rows()[2:]


def named(column: str) -> list[str]:
    """Everything in backticks in that column, once."""
    at = COLUMNS.index(column)
    return sorted({name for row in ROWS for name in re.findall(r"`([^`]+)`", row[at])})


# -- what there is -----------------------------------------------------------------------------------------------------


def leads(kind: Any, parts: list[str], measured: Any) -> bool:
    """Whether the path leads somewhere in results of this type, lists left out.

    measured: the example's value at this place. It decides below what types leave open, and which keys a dictionary
    has; None where there is none, and then any key may be.
    """
    if isinstance(measured, list):
        measured = measured[0] if measured else None
    if not parts:
        return True
    name, *rest = parts
    if get_origin(kind) in (Union, UnionType):
        return any(leads(option, parts, measured) for option in get_args(kind) if option is not NoneType)
    if get_origin(kind) is tuple:
        return leads(get_args(kind)[0], parts, measured)
    if is_dataclass(kind):
        known = {field.name for field in fields(kind)}
        inside = measured.get(name) if isinstance(measured, dict) else None
        return name in known and leads(get_type_hints(kind)[name], rest, inside)
    if kind is Any or get_origin(kind) is dict:
        if isinstance(measured, dict) and name not in measured:
            return False
        inside = measured[name] if isinstance(measured, dict) else None
        of = get_args(kind)[1] if get_origin(kind) is dict else Any
        return (inside is not None or of is not Any) and leads(of, rest, inside)
    return False


def is_in_report(path: str) -> bool:
    if path.startswith("GET "):
        return "get" in API.get(path.removeprefix("GET "), {})
    if path.startswith("comparisons."):
        return leads(Comparisons, path.split("."), None)
    return leads(Report, path.split("."), REPORT)


@cache
def names_of_tests(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


def is_a_test(name: str) -> bool:
    file, _, test = name.partition("::")
    return file.startswith("tests/") and (ROOT / file).is_file() and test in names_of_tests(file)


def routes() -> Iterator[tuple[str, str]]:
    """Path and source of every page that the dashboard registers."""
    for module in PAGES:
        source = inspect.getsource(module)
        for path in re.findall(r'ui\.page\("([^"]+)"', source):
            yield path, source


def is_a_page(address: str) -> bool:
    path, _, section = address.partition("#")
    source = dict(routes()).get(path)
    # A section's id is the first argument of `section(...)`.
    return source is not None and (not section or re.search(rf'\bsection\(\s*"{section}"', source) is not None)


# -- the page ----------------------------------------------------------------------------------------------------------


def test_it_is_one_table_without_an_empty_cell() -> None:
    assert rows()[0] == COLUMNS
    for row in ROWS:
        assert len(row) == len(COLUMNS), row[0]
        assert all("`" in cell for cell in row[1:]), row[0]


@pytest.mark.parametrize("asked", ASKED)
def test_everything_an_expert_asks_has_its_row(asked: str) -> None:
    assert any(asked in row[0].lower() for row in ROWS)


@pytest.mark.parametrize("path", named("report"))
def test_every_path_leads_into_the_report(path: str) -> None:
    assert is_in_report(path)


@pytest.mark.parametrize("file", named("code"))
def test_every_file_is_there(file: str) -> None:
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("name", named("test"))
def test_every_test_is_there(name: str) -> None:
    assert is_a_test(name)


@pytest.mark.parametrize("address", named("page"))
def test_every_page_is_one_of_the_dashboard_s(address: str) -> None:
    assert is_a_page(address)


def test_names_that_are_none_are_told() -> None:
    for path in (
        "report_card.flipped.minimum", "report_card.refusal_rate.mean", "verification.arms.nose.flipped",
        "manifest.subject.sha1", "prompts.minimal_sets.size", "comparisons.tables.q", "manifest.seed.x",
        "GET /api/audits/{audit_id}/edits",
    ):  # fmt: skip
        assert not is_in_report(path), path
    assert not is_a_test("tests/audit/test_splits.py::test_of_nothing")
    assert not is_a_test("tests/audit/test_split.py::test_no_headline_comes_from_other_prompts")
    assert not is_a_page("/audits/{audit_id}/rigour")
    assert not is_a_page("/audits/{audit_id}/verification#noise")


def test_readers_are_led_here() -> None:
    assert "](docs/rigour.md)" in (ROOT / "README.md").read_text("utf-8")
    assert "](rigour.md)" in (ROOT / "docs" / "method.md").read_text("utf-8")


def test_lines_are_short_outside_the_table() -> None:
    assert [line for line in PAGE.splitlines() if len(line) > 120 and not line.startswith("|")] == []
