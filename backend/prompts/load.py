"""What the user names as prompts -> a PromptSet. Knows no model, so bad input is told before one is loaded."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from backend.errors import PromptFileError
from backend.prompts.assemble import MAX_LISTED, MAX_ROWS, assemble
from backend.prompts.borrow import borrow_benign, borrow_support
from backend.prompts.bundled.subsets import bundled_prompts
from backend.prompts.checks import check_rows
from backend.prompts.csv_rows import csv_rows
from backend.prompts.jsonl_rows import jsonl_rows
from backend.prompts.prompt import SPLITS, Prompt, PromptSet
from backend.prompts.rows import Row
from backend.prompts.text_file import read_text


def load_prompts(source: str, *, seed: int = 0) -> PromptSet:
    """Read, check, deduplicate and split a set of prompts.

    source: `bundled`, `bundled:SUBSET`, or a file. `.jsonl`: one object a line with `prompt` (or `text`) and any of
        id, label, category, family, split, matches. `.csv`: the columns of AdvBench, HarmBench, JailbreakBench,
        StrongREJECT or XSTest, or a plain prompt,label file; the optional columns just named work in each.
    seed: draws the splits of prompts that carry none of their own.

    Prompts lose surrounding white space. Raises PromptFileError naming file, line, column and the fix; of rows that are
    wrong by themselves it names the first few.
    """
    if source == "bundled" or source.startswith("bundled:"):
        return _supported(bundled_prompts(source.partition(":")[2] or "all"))
    path = Path(source)
    found, notes = _read(path)
    rows, checked = check_rows(islice(found, MAX_ROWS + 1), path)
    own, assembly_notes = assemble(checked, path, seed)
    borrowed = borrow_benign(own, bundled_prompts().prompts)
    notes += [*_unused_note(rows), *assembly_notes, *_borrowed_note(own, borrowed), *_gap_notes(own)]
    return PromptSet(path.name, own + borrowed, tuple(notes))


def _supported(subset: PromptSet) -> PromptSet:
    """A bundled subset with bundled prompts outside it lent for its refusal direction."""
    lent = borrow_support(subset.prompts, bundled_prompts().prompts)
    if not lent:
        return subset
    note = (
        f"{len(lent)} bundled prompts outside the subset are borrowed to fit and choose the refusal direction, and "
        "left out of the set's own rates."
    )
    return PromptSet(subset.name, subset.prompts + lent, (*subset.notes, note))


def _read(path: Path) -> tuple[Iterable[Row | PromptFileError], list[str]]:
    suffix = path.suffix.lower()
    if suffix not in (".jsonl", ".csv"):
        raise PromptFileError(path, "prompts come as .jsonl or .csv files, or as 'bundled'; convert or rename the file")
    text = read_text(path)
    if suffix == ".jsonl":
        return jsonl_rows(text, path), []
    known, rows = csv_rows(text, path)
    return rows, [f"Read as {known.name} columns."]


def _unused_note(rows: Iterable[Row]) -> list[str]:
    names = sorted({name for row in rows for name in row.unused})
    more = f" and {len(names) - MAX_LISTED} more" * (len(names) > MAX_LISTED)
    return [f"Columns not used: {', '.join(names[:MAX_LISTED])}{more}."] if names else []


def _borrowed_note(own: tuple[Prompt, ...], borrowed: tuple[Prompt, ...]) -> list[str]:
    if not borrowed:
        return []
    lacking = [split for split in SPLITS if any(prompt.split == split for prompt in borrowed)]
    where = "" if len(lacking) == len(SPLITS) else f" in {' and '.join(lacking)}"
    return [
        f"The set has no benign prompts{where}: {len(borrowed)} bundled ones are borrowed for the refusal direction "
        "and left out of the set's own rates."
    ]


def _gap_notes(own: tuple[Prompt, ...]) -> list[str]:
    found = {prompt.split for prompt in own if prompt.label == "harmful"}
    gaps = [split for split in SPLITS if split not in found]
    return [f"No harmful prompt is in {' or '.join(gaps)}: the set has too few families to fill it."] if gaps else []
