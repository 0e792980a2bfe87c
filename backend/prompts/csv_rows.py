"""CSV in the benchmarks' own columns, or a plain prompt,label file -> rows. Knows headers, not cells' meaning."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend.errors import PromptFileError
from backend.prompts.rows import OPTIONAL_FIELDS, Cell, Row, make_row, or_error


@dataclass(frozen=True)
class CsvFormat:
    """How a kind of file is recognised and read. Column names are in lower case; letter case never matters."""

    name: str
    marks: frozenset[str]  # columns that tell the format
    columns: dict[str, str]  # field -> column, where it is not the field's own name
    unused: frozenset[str] = frozenset()  # columns it is known to have, of no use here


# The first whose marks are all in the header wins, so the more particular stand first.
CSV_FORMATS = (
    CsvFormat(
        "JailbreakBench",
        frozenset({"goal", "category"}),
        {"text": "goal", "id": "index"},
        frozenset({"target", "behavior", "source"}),
    ),
    CsvFormat("AdvBench", frozenset({"goal"}), {"text": "goal"}, frozenset({"target"})),
    CsvFormat(
        "HarmBench",
        frozenset({"behavior", "semanticcategory"}),
        {"text": "behavior", "id": "behaviorid", "category": "semanticcategory", "context": "contextstring"},
        frozenset({"functionalcategory", "tags"}),
    ),
    CsvFormat("StrongREJECT", frozenset({"forbidden_prompt"}), {"text": "forbidden_prompt"}, frozenset({"source"})),
    CsvFormat(
        "XSTest", frozenset({"prompt", "type"}), {"text": "prompt", "type": "type"}, frozenset({"focus", "note"})
    ),
    CsvFormat("plain", frozenset({"prompt"}), {"text": "prompt"}),
)
_KNOWN_HEADERS = (
    "goal (AdvBench); Goal,Category (JailbreakBench); Behavior,SemanticCategory (HarmBench); "
    "forbidden_prompt,category (StrongREJECT); prompt,type,label (XSTest); or your own prompt,label"
)


def csv_rows(text: str, file: Path | str) -> tuple[CsvFormat, Iterator[Row | PromptFileError]]:
    """The format, told by the header, and the rows. Raises PromptFileError for the header."""
    lines = _csv_lines(text, file)
    header_line, header = next(lines)
    columns = [name.strip() for name in header]
    lower = [name.lower() for name in columns]
    known = next((known for known in CSV_FORMATS if known.marks <= set(lower)), None)
    if known is None:
        separator = next((mark for mark in ";\t|" if len(header) == 1 and mark in header[0]), None)
        hint = f"; separate cells with commas, not {separator!r}" if separator else ""
        raise PromptFileError(file, f"no prompt column{hint}; known headers: {_KNOWN_HEADERS}", line=header_line)
    for name in filter(None, lower):
        if lower.count(name) > 1:
            raise PromptFileError(file, "this column appears twice; keep one", line=header_line, column=name)
        if not name.isprintable():
            raise PromptFileError(file, f"column name {name[:40]!r} is not plain text; rename it", line=header_line)
    names = {
        field: columns[lower.index(column)]
        for field, column in [*((field, field) for field in OPTIONAL_FIELDS), *known.columns.items()]
        if column in lower
    }
    return known, _rows(lines, columns, names, known, file)


def _rows(
    lines: Iterator[tuple[int, list[str]]],
    columns: list[str],
    names: dict[str, str],
    known: CsvFormat,
    file: Path | str,
) -> Iterator[Row | PromptFileError]:
    unused = [name for name in columns if not name or name.lower() in known.unused]

    def read(line: int, values: list[str]) -> Row:
        if len(values) != len(columns):
            problem = f"{len(values)} cells under a header of {len(columns)}; put quotes around text that has commas"
            raise PromptFileError(file, problem, line=line)
        row = make_row(line, dict(zip(columns, values, strict=True)), names, file, known=unused)
        _join_context(row)
        _read_type(row, has_labels="label" in names)
        return row

    try:
        for line, values in lines:
            yield or_error(partial(read, line, values))
    except PromptFileError as error:  # where one row ends can no longer be told: it is the last thing said
        yield error


def _join_context(row: Row) -> None:
    """A HarmBench contextual behaviour becomes one message, context first, as HarmBench itself sends it."""
    if (context := row.cells.pop("context", None)) is not None:
        text = row.cells["text"]
        row.cells["text"] = Cell(text.column, f"{context.value}\n\n---\n\n{text.value}")


def _read_type(row: Row, has_labels: bool) -> None:
    """XSTest's type is a category; in files without labels it also tells the unsafe contrasts from the safe prompts."""
    if (kind := row.cells.pop("type", None)) is not None:
        row.cells.setdefault("category", kind)
        if not has_labels:
            row.cells["label"] = Cell(kind.column, "unsafe" if kind.value.startswith("contrast_") else "safe")


def _csv_lines(text: str, file: Path | str) -> Iterator[tuple[int, list[str]]]:
    """(the line a row starts on, its cells); blank lines skipped."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"not valid CSV ({error}); look for a quote left open or a cell far too long"
            raise PromptFileError(file, problem, line=line) from error
        if values:
            yield line, values
