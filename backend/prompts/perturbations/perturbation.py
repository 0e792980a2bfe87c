"""What a perturbation of a prompt is: a way to ask the same thing otherwise. Knows texts; knows no model.

Stability asks whether what was found on a prompt survives changes that should not matter to it. Perturbations are
therefore generic and public; they are measured, never searched for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

Kind = Literal["placebo", "paraphrase", "wrapper", "surface", "context", "language"]

Exchange = tuple[str, str]
"""An earlier user message and its answer."""


@dataclass(frozen=True)
class Chat:
    """A user message, and what was said before it."""

    text: str
    earlier: tuple[Exchange, ...] = ()


@dataclass(frozen=True)
class TextPerturbation:
    """One way to ask the same thing otherwise."""

    name: str
    kind: Kind
    description: str  # one sentence, for the report's reader
    change: Callable[[str, Random], Chat | None]  # None: it cannot be applied to this text

    def on(self, text: str, random: Random) -> Chat | None:
        """The perturbed chat, the same for the same text and state of `random`; None where it would change nothing."""
        chat = self.change(text, random)
        return None if chat == Chat(text) else chat


def template(name: str, kind: Kind, description: str, form: str) -> TextPerturbation:
    """A perturbation that puts the request, letter for letter, where `form` says `{}`."""
    before, after = form.split("{}")
    return TextPerturbation(name, kind, description, lambda text, random: Chat(f"{before}{text}{after}"))
