"""Parts of the stories of an audit's prompts, picked by the database: cascades, perturbations."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.audit.results import Cascade, PerturbedPrompt, Restored
from backend.reports.cascade_graph import CascadeStory
from backend.reports.outcomes import AUDITED
from backend.store.tables import PromptResultRow

_CASCADE: TypeAdapter[Cascade | None] = TypeAdapter(Cascade | None)
_EFFECTS: TypeAdapter[tuple[Restored, ...]] = TypeAdapter(tuple[Restored, ...])
_PERTURBED: TypeAdapter[tuple[PerturbedPrompt, ...]] = TypeAdapter(tuple[PerturbedPrompt, ...])


@dataclass(frozen=True)
class Perturbed:
    """One prompt under one perturbation, beside what it was."""

    prompt_id: str
    split: str
    baseline_score: float
    result: PerturbedPrompt


def cascades(session: Session, audit_id: str) -> Iterator[CascadeStory]:
    """Those of refused test prompts, in the audit's order."""
    story = PromptResultRow.story
    rows = session.execute(
        select(PromptResultRow.score, story["cascade"], story["single_effects"])
        .where(
            PromptResultRow.audit_id == audit_id,
            PromptResultRow.outcome.in_(AUDITED),
            PromptResultRow.split == "test",
        )
        .order_by(PromptResultRow.position)
    )
    for score, cascade, effects in rows:
        if (found := _CASCADE.validate_python(cascade)) is not None:
            yield CascadeStory(score, found, _EFFECTS.validate_python(effects or ()))


def perturbed(session: Session, audit_id: str) -> Iterator[Perturbed]:
    """Every prompt under every perturbation, in the audit's order."""
    rows = session.execute(
        select(
            PromptResultRow.prompt_id,
            PromptResultRow.split,
            PromptResultRow.score,
            PromptResultRow.story["perturbed"],
        )
        .where(PromptResultRow.audit_id == audit_id, PromptResultRow.outcome.in_(AUDITED))
        .order_by(PromptResultRow.position)
    )
    for prompt_id, split, score, results in rows:
        for result in _PERTURBED.validate_python(results or ()):
            yield Perturbed(prompt_id, split, score, result)
