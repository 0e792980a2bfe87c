"""What an audit's overview counts over its prompts and features, counted by the database."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.store.tables import FeatureRow, PromptResultRow

LISTED_UNFLIPPED = 200

Counts = dict[str, dict[int, int]]
"""split -> value -> prompts"""


@dataclass(frozen=True)
class Slice:
    """Prompts of one category by what became of them."""

    category: str  # "": prompts without one
    counts: dict[str, int]


@dataclass(frozen=True)
class LayerUse:
    """How a layer takes part."""

    layer: int
    n_candidates: int  # reported features of it
    best_cosine: float | None
    in_minimal_sets: int  # prompt x feature pairs: features of this layer in confirmed minimal sets
    woken: int


@dataclass(frozen=True)
class Distributions:
    """Over the audit's own prompts, which are all that its results list."""

    set_sizes: Counts  # size of the smallest confirmed minimal set
    depths: Counts  # cascade rounds until flip
    slices: tuple[Slice, ...]  # by category
    layers: tuple[LayerUse, ...]  # lowest first
    never_flipped: tuple[str, ...]  # ids, at most 200, of refused harmful prompts that no candidate set flipped


def distributions(session: Session, audit_id: str) -> Distributions:
    return Distributions(
        set_sizes=_count(session, audit_id, PromptResultRow.set_size),
        depths=_count(session, audit_id, PromptResultRow.depth),
        slices=_slices(session, audit_id),
        layers=_layers(session, audit_id),
        never_flipped=_never_flipped(session, audit_id),
    )


def _count(session: Session, audit_id: str, column: Any) -> Counts:
    rows = session.execute(
        select(PromptResultRow.split, column, func.count())
        .where(PromptResultRow.audit_id == audit_id, column.is_not(None))
        .group_by(PromptResultRow.split, column)
        .order_by(PromptResultRow.split, column)
    )
    counts: Counts = defaultdict(dict)
    for split, value, n in rows:
        counts[split][value] = n
    return dict(counts)


def _slices(session: Session, audit_id: str) -> tuple[Slice, ...]:
    rows = session.execute(
        select(PromptResultRow.category, PromptResultRow.outcome, func.count())
        .where(PromptResultRow.audit_id == audit_id)
        .group_by(PromptResultRow.category, PromptResultRow.outcome)
    )
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for category, outcome, n in rows:
        counts[category or ""][outcome] = n
    return tuple(Slice(category, counts[category]) for category in sorted(counts))


def _layers(session: Session, audit_id: str) -> tuple[LayerUse, ...]:
    rows = session.execute(
        select(
            FeatureRow.layer,
            func.count(),
            func.max(FeatureRow.cosine),
            func.sum(FeatureRow.in_minimal_sets),
            func.sum(FeatureRow.woken),
        )
        .where(FeatureRow.audit_id == audit_id)
        .group_by(FeatureRow.layer)
        .order_by(FeatureRow.layer)
    )
    return tuple(LayerUse(*row) for row in rows)


def _never_flipped(session: Session, audit_id: str) -> tuple[str, ...]:
    rows = session.scalars(
        select(PromptResultRow.prompt_id)
        .where(PromptResultRow.audit_id == audit_id, PromptResultRow.outcome == "not_flipped")
        .order_by(PromptResultRow.position)
        .limit(LISTED_UNFLIPPED)
    )
    return tuple(rows)
