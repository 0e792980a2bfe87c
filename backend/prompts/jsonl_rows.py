"""JSON Lines -> rows. Knows the syntax, not what a field may hold."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from backend.errors import PromptFileError
from backend.prompts.rows import OPTIONAL_FIELDS, Row, make_row, or_error


def jsonl_rows(text: str, file: Path | str) -> Iterator[Row | PromptFileError]:
    """One JSON object a line with `prompt` (or `text`) and any of id, label, category, family, split, matches."""
    for line, source in enumerate(text.split("\n"), start=1):  # not splitlines: U+2028 may stand in a JSON string
        if source.strip():
            yield or_error(partial(_row, source, line, file))


def _row(source: str, line: int, file: Path | str) -> Row:
    item = _parse(source, line, file)
    if "prompt" in item and "text" in item:
        raise PromptFileError(file, "give 'prompt' or 'text', not both", line=line, column="text")
    names = {field: field for field in OPTIONAL_FIELDS} | {"text": "text" if "text" in item else "prompt"}
    return make_row(line, item, names, file)


def _parse(source: str, line: int, file: Path | str) -> dict[str, Any]:
    try:
        item = json.loads(source, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        problem = f"not valid JSON ({error.msg} at character {error.colno}); write one object a line"
        raise PromptFileError(file, problem, line=line) from error
    except (ValueError, RecursionError) as error:
        problem = f"not usable JSON ({str(error).splitlines()[0]}); write one flat object a line"
        raise PromptFileError(file, problem, line=line) from error
    if not isinstance(item, dict):
        problem = f'found {type(item).__name__}, not an object such as {{"prompt": "..."}}; write one object a line'
        raise PromptFileError(file, problem, line=line)
    return item


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for key, value in pairs:
        if key in item:
            raise ValueError(f"key {key[:40]!r} appears twice")
        if not key.isprintable():
            raise ValueError(f"key {key[:40]!r} is not plain text")
        item[key] = value
    return item
