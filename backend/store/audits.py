"""Audits: made, listed, queued, answered, deleted. Their rows of prompts and features are written by their own modules.

An audit that runs has a job and its state; `jobs` keeps the two equal, so whatever queues or ends an audit goes there.
"""

from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from backend.audit.results import Report
from backend.errors import BadInput
from backend.reports.report_json import plain
from backend.store import jobs
from backend.store.artifacts import forget
from backend.store.features import feature_prompt_rows, feature_row
from backend.store.human_verdicts import disagreement_row
from backend.store.identifiers import new_id
from backend.store.insert import insert_many
from backend.store.paging import Order, RowPage, read_page
from backend.store.prompt_results import result_row
from backend.store.tables import (
    AuditRow,
    FeaturePromptRow,
    FeatureRow,
    JobRow,
    JudgeDisagreementRow,
    PromptResultRow,
    ShardRow,
)

KEY_FIGURES = ("refusal_rate", "over_refusal_rate", "minimal_set_size")
FLIPS = {"flipped_minimal": "minimal", "flipped_random": "random", "flipped_direction": "direction"}
SORTABLE = (
    "created", "started", "finished", "name", "origin", "prompt_set", "n_prompts", "state", *KEY_FIGURES, *FLIPS,
)  # fmt: skip
ORDER = Order(
    {**{name: getattr(AuditRow, name) for name in SORTABLE}, "subject": AuditRow.subject_id},
    default="created",
    ties=(AuditRow.id,),
    default_descending=True,
)


def create(
    session: Session,
    *,
    name: str,
    origin: str,
    subject_id: str,
    prompt_set: str,
    prompt_set_id: str | None,
    n_prompts: int,
    spec: dict[str, Any],
    spec_sha256: str,
    created: float,
    audit_id: str | None = None,
) -> AuditRow:
    """A new audit, queued; `enqueue` gives it to the workers, `store_report` answers it at once.

    n_prompts: the set's own ones. created: of the audit's first appearance anywhere, which for an imported one is not
    today.
    """
    row = AuditRow(
        id=audit_id or new_id("audit"),
        name=name,
        origin=origin,
        subject_id=subject_id,
        prompt_set=prompt_set,
        prompt_set_id=prompt_set_id,
        n_prompts=n_prompts,
        spec=spec,
        spec_sha256=spec_sha256,
        state="queued",
        created=created,
    )
    session.add(row)
    session.flush()
    return row


def enqueue(session: Session, audit_id: str, args: dict[str, Any], *, priority: int = 0) -> JobRow:
    """Give an audit to the workers, for the first time or again: it goes on from the shards that it has.

    args: what the worker needs besides `audit_id`. Raises BadInput while an earlier job works on it: two would write
    the same rows.
    """
    row = session.get_one(AuditRow, audit_id, with_for_update=True, populate_existing=True)
    if row.job_id is not None and row.state in ("queued", "running"):
        raise BadInput(f"audit {audit_id}: it is {row.state} already; cancel it first")
    job = jobs.submit(session, "audit", {**args, "audit_id": audit_id}, priority=priority)
    row.job_id, row.state, row.error, row.finished = job.id, "queued", None, None
    session.flush()
    return job


def get(session: Session, audit_id: str) -> AuditRow | None:
    return session.get(AuditRow, audit_id, populate_existing=True)


def by_spec(session: Session, spec_sha256: str) -> AuditRow | None:
    """The latest finished audit that answers this spec."""
    same = select(AuditRow).where(AuditRow.spec_sha256 == spec_sha256, AuditRow.state == "done")
    return session.scalars(same.order_by(AuditRow.finished.desc(), AuditRow.id).limit(1)).first()


def list_audits(
    session: Session,
    *,
    subject: str | None = None,
    prompt_set: str | None = None,
    origin: str | None = None,
    state: str | None = None,
    text: str | None = None,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[AuditRow]:
    """Audits, newest first; prompt_set: its name; text: part of the audit's name."""
    rows = select(AuditRow).options(undefer(AuditRow.summary))
    equal = {"subject_id": subject, "prompt_set": prompt_set, "origin": origin, "state": state}
    for column, value in equal.items():
        if value is not None:
            rows = rows.where(getattr(AuditRow, column) == value)
    if text:
        rows = rows.where(AuditRow.name.icontains(text, autoescape=True))
    return read_page(session, rows, ORDER, sort=sort, descending=descending, cursor=cursor, limit=limit)


def rename(session: Session, audit_id: str, name: str) -> AuditRow | None:
    """None when there is no such audit."""
    row = session.get(AuditRow, audit_id)
    if row is not None:
        row.name = name
    return row


def delete(session: Session, audit_id: str) -> bool:
    """Delete an audit with everything that hangs on it: results, links, saved sets, jobs, shards it paid for, and the
    artifacts that no other audit names. A worker on it finds its lease lost. False when there is none."""
    row = session.get(AuditRow, audit_id)
    if row is None:
        return False
    named = (row.report_sha256, row.completions_sha256, row.directions_sha256)
    own = {digest for digest in named if digest is not None}
    session.execute(delete_rows(JobRow).where(JobRow.args["audit_id"].as_string() == audit_id))
    session.execute(delete_rows(ShardRow).where(ShardRow.audit_id == audit_id))
    session.execute(delete_rows(AuditRow).where(AuditRow.id == audit_id))
    for digest in own:
        if not _is_named(session, digest):
            forget(session, digest)
    return True


def store_report(
    session: Session,
    audit_id: str,
    report: Report,
    *,
    now: float,
    report_sha256: str,
    completions_sha256: str | None = None,
    directions_sha256: str | None = None,
) -> AuditRow:
    """Answer an audit: summary, key figures, prompts and features, in place of what was there; it is done.

    The hashes are of artifacts kept in the same transaction. A worker calls `jobs.finish` first and keeps nothing when
    that says its lease is lost.
    """
    row = session.get_one(AuditRow, audit_id)
    row.summary = _summary(report)
    card = row.summary["report_card"]
    for figure in KEY_FIGURES:
        setattr(row, figure, card[figure]["value"])
    for column, arm in FLIPS.items():
        setattr(row, column, card["flipped"][arm]["value"])
    row.report_sha256, row.completions_sha256, row.directions_sha256 = (
        report_sha256,
        completions_sha256,
        directions_sha256,
    )
    row.state, row.error, row.finished = "done", None, now
    session.flush()
    for table in (FeaturePromptRow, FeatureRow, PromptResultRow, JudgeDisagreementRow):
        session.execute(delete_rows(table).where(table.audit_id == audit_id))
    insert_many(session, PromptResultRow, (result_row(audit_id, i, one) for i, one in enumerate(report.prompts)))
    differing = enumerate(report.judges.disagreements if report.judges is not None else ())
    insert_many(session, JudgeDisagreementRow, (disagreement_row(audit_id, i, one) for i, one in differing))
    insert_many(session, FeatureRow, (feature_row(audit_id, feature) for feature in report.features))
    reported = frozenset(feature.id for feature in report.features)
    insert_many(
        session,
        FeaturePromptRow,
        (line for result in report.prompts for line in feature_prompt_rows(audit_id, result, reported)),
    )
    return row


def _summary(report: Report) -> dict[str, Any]:
    """The report without its long lists."""
    names = (
        "schema_version", "manifest", "baseline", "direction", "interactions", "cascade", "report_card",
        "verification", "stability", "judges",
    )  # fmt: skip
    return {name: plain(getattr(report, name)) for name in names}


def _is_named(session: Session, digest: str) -> bool:
    columns = (AuditRow.report_sha256, AuditRow.completions_sha256, AuditRow.directions_sha256)
    return any(session.scalar(select(AuditRow.id).where(column == digest).limit(1)) for column in columns)
