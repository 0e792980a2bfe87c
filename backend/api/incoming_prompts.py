"""Prompts that a client sent -> a PromptSet. Their loader reads files: it gets a private one under a name of ours.

The client's file name is a label and an extension here, never a path.
"""

import json
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from backend.api.schemas import PastedPrompts
from backend.errors import PromptFileError
from backend.prompts.load import load_prompts
from backend.prompts.prompt import PromptSet

MAX_NAME = 120
FORMATS = (".jsonl", ".csv")
_UNPRINTABLE = re.compile(r"[^\x20-\U0010ffff]|[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def uploaded_prompts(file_name: str | None, content: BinaryIO, seed: int) -> PromptSet:
    """seed: see `load_prompts`. Raises PromptFileError that names the file as the client does, without its folder."""
    name = base_name(file_name)
    suffix = Path(name).suffix.lower()
    if suffix not in FORMATS:
        raise PromptFileError(name, f"prompts come as {' or '.join(FORMATS)} files; convert or rename the file")
    with tempfile.TemporaryDirectory(prefix="refusalscope-upload-") as folder:  # ours alone
        place = Path(folder, f"prompts{suffix}")
        with place.open("wb") as copy:
            shutil.copyfileobj(content, copy)
        return _load(place, name, seed)


def pasted_prompts(pasted: PastedPrompts) -> PromptSet:
    """Lines become JSON lines of the same number, so that errors name the line that was pasted."""
    name, text, suffix = base_name(pasted.name), pasted.text, f".{pasted.format}"
    if pasted.format == "lines":
        lines = (line.strip() for line in text.replace("\r\n", "\n").split("\n"))
        text = "\n".join(json.dumps({"prompt": line, "label": pasted.label}) if line else "" for line in lines)
        suffix = ".jsonl"
    with tempfile.TemporaryDirectory(prefix="refusalscope-paste-") as folder:
        place = Path(folder, f"prompts{suffix}")
        place.write_text(text, encoding="utf-8", newline="")
        return _load(place, name, pasted.seed)


def base_name(file_name: str | None) -> str:
    """The last part of a name on any system, printable and not too long."""
    last = re.split(r"[/\\\\]", file_name or "")[-1]
    cleaned = _UNPRINTABLE.sub("", last).strip()
    return cleaned[-MAX_NAME:] or "prompts"


def _load(place: Path, name: str, seed: int) -> PromptSet:
    try:
        return replace(load_prompts(str(place), seed=seed), name=name)
    except PromptFileError as error:
        raise error.renamed(name) from None
