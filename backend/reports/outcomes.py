"""What became of one prompt, in a word and a few numbers. Knows results; knows no table, no file and no page."""

from typing import Literal

from backend.audit.claimed_sets import claimed_set
from backend.audit.results import PromptResult

Outcome = Literal["flipped", "unconfirmed", "not_flipped", "refused", "complied", "incoherent"]
AUDITED: tuple[Outcome, ...] = ("flipped", "unconfirmed", "not_flipped")  # of refused harmful prompts alone


def outcome(result: PromptResult) -> Outcome:
    """flipped: a minimal set complied by generation. unconfirmed: the score flipped, no completion complied.
    not_flipped: no candidate set flipped the score. Prompts that were not audited keep their baseline verdict."""
    if result.controls is None:
        return result.baseline.response.verdict
    if claimed_set(result) is not None:
        return "flipped"
    return "not_flipped" if result.k is None else "unconfirmed"


def random_flips(result: PromptResult) -> float | None:
    """Share of the matched random draws that flipped the prompt; None when there was no set to match."""
    control = result.controls.random if result.controls is not None else None
    return control.n_flipped / control.n_draws if control is not None and control.n_draws else None
