"""A row of a prompt file, whatever its syntax: cells under our field names, each knowing its column's own name.

What a cell may hold is checked in checks.py.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from backend.errors import PromptFileError

OPTIONAL_FIELDS = ("id", "label", "category", "family", "split", "matches")

T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """One value and the name of the column (or JSON key) it stands in."""

    column: str
    value: Any


@dataclass(frozen=True)
class Row:
    """One row of a prompt file. `text` is always there; empty and null optional cells are left out."""

    line: int  # where the row starts in the file, 1-based
    cells: dict[str, Cell]  # by field name
    unused: dict[str, Any]  # columns no field is read from, by their own name


def make_row(
    line: int, item: dict[str, Any], names: dict[str, str], file: Path | str, known: Collection[str] = ()
) -> Row:
    """Sort a raw row's values into fields.

    names: field -> column. known: further columns the format is known to have, of no use here.
    Raises PromptFileError when the prompt is missing or empty, or a column looks like a misspelt field: a misspelt
    label that is quietly ignored would turn harmless prompts into harmful ones.
    """
    cells = {field: Cell(name, item[name]) for field, name in names.items() if item.get(name) not in (None, "")}
    if "text" not in cells:
        given = names["text"] in item
        problem = "the prompt is empty; write it or remove the row" if given else "the row has no prompt"
        raise PromptFileError(file, problem, line=line, column=names["text"])
    unused = {name: value for name, value in item.items() if name not in {*names.values(), *known}}
    for name in unused:
        for field in get_close_matches(name.lower(), OPTIONAL_FIELDS[1:], n=1, cutoff=0.8):
            if abs(len(name) - len(field)) <= 1:
                raise PromptFileError(file, f"unknown column; did you mean '{field}'?", line=line, column=name)
    return Row(line, cells, unused)


def or_error(work: Callable[[], T]) -> T | PromptFileError:
    """What a row became, or its error as a value, so that the rows after it are read all the same."""
    try:
        return work()
    except PromptFileError as error:
        return error
