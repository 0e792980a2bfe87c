"""Which prompts of an audit are used for what. Knows prompts by label and split; runs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from backend.audit.content import asked
from backend.audit.spec import AuditedPrompt
from backend.errors import BadInput

T = TypeVar("T")

FEWEST_BENIGN = 4  # own benign prompts below which borrowed ones are answered too, LENT_ANSWERS of them
LENT_ANSWERS = 16


@dataclass(frozen=True)
class Groups:
    """Prompts by what they are used for."""

    fit_harmful: tuple[AuditedPrompt, ...]
    fit_benign: tuple[AuditedPrompt, ...]
    validate_harmful: tuple[AuditedPrompt, ...]
    validate_benign: tuple[AuditedPrompt, ...]
    test_benign: tuple[AuditedPrompt, ...]
    borrowed_benign: bool

    @classmethod
    def of(cls, prompts: Sequence[AuditedPrompt]) -> "Groups":
        def select(label: str, split: str) -> tuple[AuditedPrompt, ...]:
            return tuple(p for p in prompts if p.prompt.label == label and p.prompt.split == split)

        for label in ("harmful", "benign"):
            for split, use in (("discovery", "fitted"), ("validation", "chosen")):
                if not select(label, split):
                    raise BadInput(
                        f"--prompts: no {label} prompt in the {split} split, so the refusal direction cannot be {use}; "
                        f"give more {label} prompts, or mark some with split {split}"
                    )
        return cls(
            select("harmful", "discovery"),
            select("benign", "discovery"),
            select("harmful", "validation"),
            select("benign", "validation"),
            select("benign", "test"),
            any(p.prompt.borrowed for p in prompts),
        )

    def asked(self) -> list[Any]:
        """What the direction depends on of its prompts."""
        groups = (self.fit_harmful, self.fit_benign, self.validate_harmful, self.validate_benign, self.test_benign)
        return [*map(asked, groups), self.borrowed_benign]


def answered_prompts(prompts: Sequence[AuditedPrompt]) -> list[AuditedPrompt]:
    """Whose completions are generated: the set's own prompts, and where it hardly has benign ones some borrowed ones,
    so that onset calibration sees compliance. Other borrowed prompts only lend their activations."""
    fitting = [p for p in prompts if p.prompt.label == "benign" and p.prompt.split != "test"]
    own = sum(not p.prompt.borrowed for p in fitting)
    lent = [p for p in fitting if p.prompt.borrowed][:LENT_ANSWERS] if own < FEWEST_BENIGN else []
    chosen = {p.prompt.id for p in lent}
    return [p for p in prompts if not p.prompt.borrowed or p.prompt.id in chosen]


def searched_prompts(refused: Sequence[AuditedPrompt], beyond_test: int) -> list[AuditedPrompt]:
    """Whose sets are searched for, in the order given: all of the test split, from which every headline comes, and at
    most `beyond_test` others."""
    others = choose_panel([p for p in refused if p.split != "test"], beyond_test)
    chosen = {p.prompt.id for p in others}
    return [p for p in refused if p.split == "test" or p.prompt.id in chosen]


def choose_panel(prompts: Sequence[AuditedPrompt], most: int) -> list[AuditedPrompt]:
    """At most `most` prompts, one of each category in turn, in their order."""
    by_category: dict[str | None, list[AuditedPrompt]] = {}
    for audited in prompts:
        by_category.setdefault(audited.prompt.category, []).append(audited)
    deepest = max((len(group) for group in by_category.values()), default=0)
    in_turn = [group[i] for i in range(deepest) for group in by_category.values() if i < len(group)]
    chosen = {audited.prompt.id for audited in in_turn[:most]}
    return [audited for audited in prompts if audited.prompt.id in chosen]


def evenly_spaced(items: Sequence[T], most: int) -> list[T]:
    """At most `most` of them, evenly spaced."""
    if len(items) <= most:
        return list(items)
    return [items[i * len(items) // most] for i in range(most)]
