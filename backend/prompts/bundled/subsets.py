"""The prompts shipped with Refusalscope and the subsets one can ask for. What they are: README.md beside this file."""

from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from backend.errors import PromptFileError
from backend.prompts.assemble import assemble
from backend.prompts.checks import check_rows
from backend.prompts.jsonl_rows import jsonl_rows
from backend.prompts.prompt import Prompt, PromptSet
from backend.prompts.text_file import decode

Subset = Literal["demo", "standard", "test", "all"]
"""demo: 24 prompts, one harmful per category: a first look in minutes. standard: 100 prompts, spread evenly over
categories and splits. test: the whole test split, for headline numbers, with as many discovery and validation prompts
as fitting needs. all: everything."""

SUBSETS: tuple[Subset, ...] = get_args(Subset)

FILE = "prompts.jsonl"


def bundled_prompts(subset: str = "all") -> PromptSet:
    """The bundled prompts of one subset, in file order. Raises PromptFileError when there is no such subset."""
    name = f"bundled:{subset}"
    if subset not in SUBSETS:
        raise PromptFileError(name, f"no bundled subset is called {subset!r}; use one of {', '.join(SUBSETS)}")
    prompts, notes, subsets_of = _everything()
    chosen = tuple(prompt for prompt in prompts if subset == "all" or subset in subsets_of[prompt.id])
    return PromptSet(name, chosen, notes)


@cache
def _everything() -> tuple[tuple[Prompt, ...], tuple[str, ...], dict[Any, list[str]]]:
    """Every prompt, the notes on them, and each one's subsets by its id; the file does not change while we run."""
    text = decode(files(__package__).joinpath(FILE).read_bytes(), FILE)
    rows, checked = check_rows(jsonl_rows(text, FILE), FILE)
    prompts, notes = assemble(checked, FILE, seed=0)
    return prompts, tuple(notes), {row.cells["id"].value: row.unused["subsets"] for row in rows}
