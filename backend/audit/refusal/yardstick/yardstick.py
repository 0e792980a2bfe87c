"""The labelled completions that judges are measured against. Knows words and token ids; knows no judge.

What answers a harmful request lies here as token ids only (masked.safetensors); who has the bundled subjects' tokenizer
reads it, and everybody else counts it as left out. How it was made and labelled: README.md beside this file.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from safetensors.torch import load

from backend.audit.refusal.judges.judge import Verdict

NAME = "bundled-yardstick-1"
ROWS, MASKED, PHRASES = "completions.jsonl", "masked.safetensors", "phrases.json"
BASELINE = "baseline"
ABLATIONS = ("direction", "direction_early", "top2", "top5")  # arms in which the subject was changed as audits do it
PROBES = 3  # rows whose ids are shipped beside their words, to tell whether a tokenizer is the right one

Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True)
class Labelled:
    """One completion with what its reader said of it."""

    id: str
    subject: str
    arm: str  # baseline, or how the subject was changed
    prompt_id: str
    prompt: str
    label: str  # of the prompt: harmful | look_alike | benign
    family: str  # of the prompt
    ended: bool
    n_tokens: int
    text: str | None  # None: masked
    verdict: Verdict
    usefulness: int  # 0 to 4; 0 unless it complied
    reason: str  # of the label, in a few words


@dataclass(frozen=True)
class Yardstick:
    """All of it, as shipped."""

    rows: tuple[Labelled, ...]
    token_ids: dict[str, tuple[int, ...]]  # of masked rows and probes, by id
    sha256: str  # of rows and token ids

    @property
    def name(self) -> str:
        return f"{NAME} {self.sha256[:12]}"

    def readable(self, decode: Decode | None = None) -> list[tuple[Labelled, str]]:
        """Rows with their words: all of them where `decode` is the bundled subjects' tokenizer, else the unmasked."""
        if decode is None or not self._is_ours(decode):
            return [(row, row.text) for row in self.rows if row.text is not None]
        return [(row, decode(self.token_ids[row.id]) if row.text is None else row.text) for row in self.rows]

    def _is_ours(self, decode: Decode) -> bool:
        """Whether it gives the probes back."""
        probes = [row for row in self.rows if row.text is not None and row.id in self.token_ids]
        try:
            return all(decode(self.token_ids[row.id]) == row.text for row in probes)
        except (ValueError, IndexError, OverflowError, KeyError, TypeError):  # ids that the vocabulary does not have
            return False


@cache
def load_yardstick() -> Yardstick:
    """The shipped files; they do not change while we run."""
    folder = files(__package__)
    rows, masked = folder.joinpath(ROWS).read_bytes(), folder.joinpath(MASKED).read_bytes()
    labelled = tuple(Labelled(**json.loads(line)) for line in rows.decode("utf-8").splitlines())
    ids = {name: tuple(map(int, tensor)) for name, tensor in load(masked).items()}
    return Yardstick(labelled, ids, hashlib.sha256(rows + masked).hexdigest())


def shipped_verdicts(judge_sha256: str) -> dict[str, Verdict] | None:
    """The phrase judge's verdict on every row, masked ones too, by id; None for any other judge or version of it.

    A test works them out anew.
    """
    shipped: dict[str, Any] = json.loads(files(__package__).joinpath(PHRASES).read_text(encoding="utf-8"))
    fits = shipped["sha256"] == judge_sha256 and shipped["yardstick"] == load_yardstick().sha256
    return dict(shipped["verdicts"]) if fits else None
