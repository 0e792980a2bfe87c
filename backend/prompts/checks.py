"""What the cells of a prompt row may hold. Every refusal names file, line and column and says the fix."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, cast

from backend.errors import PromptFileError
from backend.prompts.prompt import LABELS, SPLITS, Label, Split
from backend.prompts.rows import Cell, Row

MAX_CHARACTERS = 8_000
MAX_NAME_CHARACTERS = 200
MAX_ERRORS = 20  # rows at fault that are told together

XSTEST_LABELS: dict[str, Label] = {"safe": "look_alike", "unsafe": "harmful"}

# C0 and C1 controls but newline and tab, and lone surrogates: invisible, or not writable as UTF-8.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class CheckedRow:
    """A row whose every cell is sound by itself."""

    line: int
    columns: dict[str, str]  # field -> the file's own column name, where the row has it
    text: str
    id: str | None
    label: Label | None
    category: str | None
    family: str | None
    split: Split | None
    matches: str | None


def check_rows(found: Iterable[Row | PromptFileError], file: Path | str) -> tuple[list[Row], list[CheckedRow]]:
    """The rows, and each with its cells checked. Raises the first row's PromptFileError, those of others in it."""
    rows: list[Row] = []
    checked: list[CheckedRow] = []
    errors: list[PromptFileError] = []
    for row in found:
        try:
            if isinstance(row, PromptFileError):
                raise row
            checked.append(check_row(row, file))
            rows.append(row)
        except PromptFileError as error:
            errors.append(error)
            if len(errors) == MAX_ERRORS:
                break
    if errors:
        first, *others = errors
        raise PromptFileError(file, first.problem, line=first.line, column=first.column, others=others)
    return rows, checked


def check_row(row: Row, file: Path | str) -> CheckedRow:
    """Raises PromptFileError at the first cell that is not sound."""

    def refuse(cell: Cell, problem: str) -> NoReturn:
        raise PromptFileError(file, problem, line=row.line, column=cell.column)

    def text() -> str:
        cell = row.cells["text"]
        if not isinstance(cell.value, str):
            refuse(cell, f"expected text, found {type(cell.value).__name__}; put the prompt in quotes")
        value = cell.value.replace("\r\n", "\n")
        if (found := _FORBIDDEN.search(value)) is not None:
            refuse(cell, f"control character U+{ord(found[0]):04X} at character {found.start() + 1}; remove it")
        value = value.strip()
        if not value:
            refuse(cell, "the prompt is empty; write it or remove the row")
        if len(value) > MAX_CHARACTERS:
            refuse(cell, f"the prompt has {len(value):,} characters; the limit is {MAX_CHARACTERS:,}: shorten it")
        return value

    def name(field: str) -> str | None:
        cell = row.cells.get(field)
        if cell is None:
            return None
        value = cell.value
        if field == "id" and type(value) is int:
            value = str(value)
        if not isinstance(value, str):
            refuse(cell, f"expected text, found {type(value).__name__}; put it in quotes")
        if (found := re.search(r"[\n\t]", value) or _FORBIDDEN.search(value)) is not None:
            refuse(cell, f"control character U+{ord(found[0]):04X}; remove it")
        value = value.strip()
        if len(value) > MAX_NAME_CHARACTERS:
            refuse(cell, f"{len(value):,} characters; the limit is {MAX_NAME_CHARACTERS}: shorten it")
        return value or None

    def choice(field: str, allowed: tuple[str, ...]) -> str | None:
        value = name(field)
        if value is not None and value not in allowed:
            shown = value if len(value) <= 40 else value[:40] + "…"
            refuse(row.cells[field], f"unknown {field} {shown!r}; use one of {', '.join(allowed)}")
        return value

    label = choice("label", (*LABELS, *XSTEST_LABELS))
    return CheckedRow(
        line=row.line,
        columns={field: cell.column for field, cell in row.cells.items()},
        text=text(),
        id=name("id"),
        label=cast("Label | None", XSTEST_LABELS.get(label or "", label)),
        category=name("category"),
        family=name("family"),
        split=cast("Split | None", choice("split", SPLITS)),
        matches=name("matches"),
    )
