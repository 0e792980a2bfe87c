"""Prompts of a finished audit: their lines, which lists filter and sort by, and their stories, one at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from backend.audit.claimed_sets import claimed_set
from backend.audit.results import Arm, PromptResult
from backend.reports.outcomes import outcome, random_flips
from backend.reports.report_json import plain
from backend.store.paging import Order, RowPage, read_page
from backend.store.tables import PromptResultRow

LINE = defer(PromptResultRow.story, raiseload=True)  # stories are large: no list reads them
SORTABLE = (
    "position", "id", "label", "category", "family", "split", "verdict", "score", "outcome", "set_size", "k", "depth",
    "random_flips", "flipped_direction", "flipped_fm", "flipped_probe",
)  # fmt: skip
ORDER = Order(
    {name: getattr(PromptResultRow, "prompt_id" if name == "id" else name) for name in SORTABLE},
    default="position",
    ties=(PromptResultRow.position,),
)


def result_row(audit_id: str, position: int, result: PromptResult) -> Mapping[str, Any]:
    """The row of one prompt."""
    smallest, controls = claimed_set(result), result.controls
    return {
        "audit_id": audit_id,
        "prompt_id": result.id,
        "position": position,
        "text": result.text,
        "label": result.label,
        "category": result.category,
        "family": result.family,
        "split": result.split,
        "verdict": result.baseline.response.verdict,
        "score": plain(result.baseline.score),
        "outcome": outcome(result),
        "set_size": len(smallest.features) if smallest else None,
        "k": result.k,
        "depth": result.cascade.depth if result.cascade else None,
        "random_flips": random_flips(result),
        "flipped_direction": _flipped(controls.direction if controls else None),
        "flipped_fm": _flipped(controls.fm_extended if controls else None),
        "flipped_probe": _flipped(controls.linear_probe if controls else None),
        "story": plain(result),
    }


def list_prompts(
    session: Session,
    audit_id: str,
    *,
    label: str | None = None,
    category: str | None = None,
    split: str | None = None,
    verdict: str | None = None,
    outcome: str | None = None,
    set_size: int | None = None,
    text: str | None = None,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[PromptResultRow]:
    """Lines in the audit's order, without their stories; category "": those without one; text: part of the prompt."""
    rows = select(PromptResultRow).options(LINE).where(PromptResultRow.audit_id == audit_id)
    equal = {"label": label, "split": split, "verdict": verdict, "outcome": outcome, "set_size": set_size}
    for name, value in equal.items():
        if value is not None:
            rows = rows.where(getattr(PromptResultRow, name) == value)
    if category is not None:
        rows = rows.where(PromptResultRow.category == category if category else PromptResultRow.category.is_(None))
    if text:
        rows = rows.where(PromptResultRow.text.icontains(text, autoescape=True))
    return read_page(session, rows, ORDER, sort=sort, descending=descending, cursor=cursor, limit=limit)


def get(session: Session, audit_id: str, prompt_id: str) -> PromptResultRow | None:
    """One prompt with its story."""
    return session.get(PromptResultRow, (audit_id, prompt_id))


def lines(session: Session, audit_id: str, prompt_ids: Sequence[str]) -> dict[str, PromptResultRow]:
    """Those of these prompts that there are, by id, without their stories."""
    rows = select(PromptResultRow).options(LINE).where(PromptResultRow.audit_id == audit_id)
    return {row.prompt_id: row for row in session.scalars(rows.where(PromptResultRow.prompt_id.in_(prompt_ids)))}


def neighbours(session: Session, row: PromptResultRow) -> tuple[str | None, str | None]:
    """Ids of the prompts before and after it in the audit's order."""
    mine = select(PromptResultRow.prompt_id).where(PromptResultRow.audit_id == row.audit_id)
    place = PromptResultRow.position
    before = mine.where(place < row.position).order_by(place.desc()).limit(1)
    after = mine.where(place > row.position).order_by(place).limit(1)
    return session.scalar(before), session.scalar(after)


def count_by_label(session: Session, audit_id: str) -> dict[str, int]:
    """The audit's own prompts by label."""
    mine = select(PromptResultRow.label, func.count()).where(PromptResultRow.audit_id == audit_id)
    return dict(session.execute(mine.group_by(PromptResultRow.label)).tuples().all())


def _flipped(arm: Arm | None) -> bool | None:
    return arm.flipped if arm is not None else None
