"""Every table of the store. Knows SQL types; knows no query and no science.

Times are UTC seconds since 1970 (float), ids are short random texts, JSON columns hold what `backend.audit.results`
and `backend.api.schemas` describe. Completions under intervention are in no column: their token ids are in an artifact.
"""

from typing import Any, ClassVar

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)  # so that a later migration can name what it changes
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
    }


class SubjectRow(Table):
    """A subject that audits may name: bundled, planted, or added by whoever runs the server."""

    __tablename__ = "subjects"

    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # bundled | planted | added
    description: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str | None] = mapped_column(Text)  # added ones: folder or hub id
    saes: Mapped[str | None] = mapped_column(Text)  # added ones: folder or RELEASE:PATTERN
    layers: Mapped[list[Any] | None]  # audited layers, once known
    check: Mapped[dict[str, Any] | None]  # figures of `models check`, once measured
    checked: Mapped[float | None] = mapped_column(Float)
    created: Mapped[float] = mapped_column(Float)


class PromptSetRow(Table):
    __tablename__ = "prompt_sets"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)  # bundled:SUBSET, planted, or ps_RANDOM
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16))  # bundled | planted | upload | paste | imported
    sha256: Mapped[str] = mapped_column(String(64), index=True)  # of the prompts: PromptSet.sha256
    n: Mapped[int] = mapped_column(Integer)
    n_own: Mapped[int] = mapped_column(Integer)
    counts: Mapped[dict[str, Any]]  # label -> split -> own prompts
    notes: Mapped[list[Any]]
    created: Mapped[float] = mapped_column(Float)


class PromptRow(Table):
    """One prompt of a set, in its order."""

    __tablename__ = "prompts"

    set_id: Mapped[str] = mapped_column(ForeignKey("prompt_sets.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(String(16))
    category: Mapped[str | None] = mapped_column(Text)
    family: Mapped[str] = mapped_column(Text)
    split: Mapped[str] = mapped_column(String(16))
    matches: Mapped[str | None] = mapped_column(Text)
    borrowed: Mapped[bool]


class AuditRow(Table):
    __tablename__ = "audits"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(16))  # run | import | example
    subject_id: Mapped[str] = mapped_column(String(200), index=True)
    prompt_set: Mapped[str] = mapped_column(Text)  # its name
    prompt_set_id: Mapped[str | None] = mapped_column(String(80))  # None: imported, the set is not here
    n_prompts: Mapped[int] = mapped_column(Integer)  # own prompts
    spec: Mapped[dict[str, Any]]  # backend.api.schemas.AuditSpec
    spec_sha256: Mapped[str] = mapped_column(String(64), index=True)  # subject, prompts, settings and code
    state: Mapped[str] = mapped_column(String(16), index=True)  # queued | running | done | failed | cancelled
    job_id: Mapped[str | None] = mapped_column(String(40), index=True)  # the latest job that works on it
    error: Mapped[str | None] = mapped_column(Text)  # one line
    created: Mapped[float] = mapped_column(Float, index=True)
    started: Mapped[float | None] = mapped_column(Float)
    finished: Mapped[float | None] = mapped_column(Float)
    # The report without `prompts` and `features`; large, so read only where it is looked at.
    summary: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    report_sha256: Mapped[str | None] = mapped_column(String(64))  # artifact: report.json as written; there if answered
    completions_sha256: Mapped[str | None] = mapped_column(String(64))  # artifact: token ids; None: not shipped
    directions_sha256: Mapped[str | None] = mapped_column(String(64))
    # Key figures (points), for sorting the grid.
    refusal_rate: Mapped[float | None] = mapped_column(Float)
    over_refusal_rate: Mapped[float | None] = mapped_column(Float)
    flipped_minimal: Mapped[float | None] = mapped_column(Float)
    flipped_random: Mapped[float | None] = mapped_column(Float)
    flipped_direction: Mapped[float | None] = mapped_column(Float)
    minimal_set_size: Mapped[float | None] = mapped_column(Float)


class PromptResultRow(Table):
    """One prompt of a finished audit: the columns that lists filter and sort by, and its whole story."""

    __tablename__ = "prompt_results"

    audit_id: Mapped[str] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    prompt_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(String(16))
    category: Mapped[str | None] = mapped_column(Text)
    family: Mapped[str] = mapped_column(Text)
    split: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str] = mapped_column(String(16))  # at baseline
    score: Mapped[float] = mapped_column(Float)
    outcome: Mapped[str] = mapped_column(String(16))  # see backend.api.schemas.Outcome
    set_size: Mapped[int | None] = mapped_column(Integer)  # smallest confirmed minimal set
    k: Mapped[int | None] = mapped_column(Integer)
    depth: Mapped[int | None] = mapped_column(Integer)
    random_flips: Mapped[float | None] = mapped_column(Float)  # share of matched random draws that flipped
    flipped_direction: Mapped[bool | None]
    flipped_fm: Mapped[bool | None]
    flipped_probe: Mapped[bool | None]
    story: Mapped[dict[str, Any]]  # backend.audit.results.PromptResult

    __table_args__ = (
        Index("ix_prompt_results_order", "audit_id", "position"),
        Index("ix_prompt_results_slice", "audit_id", "outcome", "category"),
        Index("ix_prompt_results_score", "audit_id", "score"),
        Index("ix_prompt_results_set_size", "audit_id", "set_size"),
        Index("ix_prompt_results_counts", "audit_id", "split", "set_size", "depth"),  # all that an overview counts
    )


class FeatureRow(Table):
    """One reported feature of a finished audit."""

    __tablename__ = "features"

    audit_id: Mapped[str] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    feature: Mapped[str] = mapped_column(String(40), primary_key=True)  # layer:index
    layer: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)  # its index in the SAE
    rank: Mapped[int | None] = mapped_column(Integer)
    cosine: Mapped[float] = mapped_column(Float)
    density: Mapped[float] = mapped_column(Float)
    activation_harmful: Mapped[float | None] = mapped_column(Float)
    activation_benign: Mapped[float | None] = mapped_column(Float)
    coverage_harmful: Mapped[float | None] = mapped_column(Float)
    coverage_benign: Mapped[float | None] = mapped_column(Float)
    effect: Mapped[float | None] = mapped_column(Float)
    in_minimal_sets: Mapped[int] = mapped_column(Integer)
    woken: Mapped[int] = mapped_column(Integer)
    neuronpedia_id: Mapped[str | None] = mapped_column(Text)
    record: Mapped[dict[str, Any]]  # backend.audit.results.Feature

    __table_args__ = (
        Index("ix_features_place", "audit_id", "layer", "number"),
        Index("ix_features_number", "audit_id", "number", "layer"),
        Index("ix_features_counts", "audit_id", "layer", "cosine", "in_minimal_sets", "woken"),  # likewise
        Index("ix_features_cosine", "audit_id", "cosine"),
        Index("ix_features_sets", "audit_id", "in_minimal_sets"),
        Index("ix_features_effect", "audit_id", "effect"),
    )


class FeaturePromptRow(Table):
    """Where a feature matters: one row per prompt of which it is in a minimal set, woke, or was active."""

    __tablename__ = "feature_prompts"

    audit_id: Mapped[str] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    feature: Mapped[str] = mapped_column(String(40), primary_key=True)
    prompt_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    activation: Mapped[float] = mapped_column(Float)  # largest over in-scope prompt tokens; 0 when dormant
    effect: Mapped[float | None] = mapped_column(Float)  # drop in s when it alone is ablated; None: not tried
    in_minimal_set: Mapped[bool]
    woke: Mapped[bool]

    __table_args__ = (Index("ix_feature_prompts_rank", "audit_id", "feature", "activation"),)


class ShardRow(Table):
    """A finished piece of audit work, by the content of everything it depends on: written once, shared by audits."""

    __tablename__ = "shards"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)  # STAGE-SHA256
    stage: Mapped[str] = mapped_column(String(32))
    audit_id: Mapped[str | None] = mapped_column(String(40), index=True)  # whose work it was first
    payload: Mapped[bytes] = mapped_column(LargeBinary)  # JSON
    n_bytes: Mapped[int] = mapped_column(Integer)
    created: Mapped[float] = mapped_column(Float)


class JobRow(Table):
    """Durable work: leased by one worker at a time, its progress and cancellation in the row."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # audit | what_if | reveal | check
    args: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))  # queued | running | done | failed | cancelled
    priority: Mapped[int] = mapped_column(Integer)  # larger goes first
    created: Mapped[float] = mapped_column(Float)
    started: Mapped[float | None] = mapped_column(Float)
    finished: Mapped[float | None] = mapped_column(Float)
    worker: Mapped[str | None] = mapped_column(String(80))
    lease: Mapped[float | None] = mapped_column(Float)  # until when the worker holds it
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    max_attempts: Mapped[int] = mapped_column(Integer, default=3)
    cancel: Mapped[bool] = mapped_column(default=False)
    progress: Mapped[dict[str, Any] | None]  # backend.api.schemas.Progress
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None] = mapped_column(Text)  # one line

    __table_args__ = (Index("ix_jobs_claim", "state", "priority", "created"),)


class WorkerRow(Table):
    """A worker process that has been seen."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    device: Mapped[str] = mapped_column(String(40))
    pid: Mapped[int] = mapped_column(Integer)
    subject: Mapped[str | None] = mapped_column(String(200))  # resident
    job_id: Mapped[str | None] = mapped_column(String(40))
    started: Mapped[float] = mapped_column(Float)
    seen: Mapped[float] = mapped_column(Float)


class ArtifactRow(Table):
    """Bytes on disk under the data directory, by their SHA-256."""

    __tablename__ = "artifacts"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    n_bytes: Mapped[int] = mapped_column(Integer)
    media_type: Mapped[str] = mapped_column(String(80))
    created: Mapped[float] = mapped_column(Float)


class LinkRow(Table):
    """A read-only link to one audit. The token is signed, never stored."""

    __tablename__ = "links"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    audit_id: Mapped[str] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[float] = mapped_column(Float)
    expires: Mapped[float] = mapped_column(Float)
    revoked: Mapped[float | None] = mapped_column(Float)
    last_used: Mapped[float | None] = mapped_column(Float)


class RevealRow(Table):
    """A masked completion that somebody chose to read."""

    __tablename__ = "reveals"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    audit_id: Mapped[str] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), index=True)
    prompt_id: Mapped[str] = mapped_column(String(200))
    completion: Mapped[str] = mapped_column(Text)  # its name, `prompt/arm`, or what_if:JOB
    reader: Mapped[str] = mapped_column(Text)  # who: the address, as far as the server knows
    created: Mapped[float] = mapped_column(Float)


class SavedSetRow(Table):
    """A what-if kept by name."""

    __tablename__ = "saved_sets"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    audit_id: Mapped[str] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), index=True)
    prompt_id: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(Text)
    intervention: Mapped[dict[str, Any]]  # backend.api.schemas.InterventionSpec
    created: Mapped[float] = mapped_column(Float)


class JudgeDisagreementRow(Table):
    """A completion of a finished audit on which its judges differ."""

    __tablename__ = "judge_disagreements"

    audit_id: Mapped[str] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    prompt_id: Mapped[str] = mapped_column(String(200))
    arm: Mapped[str] = mapped_column(Text)
    completion: Mapped[str] = mapped_column(Text)  # name of its token ids
    verdicts: Mapped[dict[str, Any]]  # by judge, the primary one first


class HumanVerdictRow(Table):
    """What a person says of one completion, beside the judge's verdict. Rows are only ever added."""

    __tablename__ = "human_verdicts"

    audit_id: Mapped[str] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)  # 1, 2, 3 ... in the order they came
    prompt_id: Mapped[str] = mapped_column(String(200))
    arm: Mapped[str] = mapped_column(Text)  # baseline, or an arm's name
    judged: Mapped[str] = mapped_column(String(16))  # by the audit's primary judge
    old: Mapped[str] = mapped_column(String(16))  # what counted before: the judge's, or an earlier person's
    verdict: Mapped[str] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    created: Mapped[float] = mapped_column(Float)

    __table_args__ = (Index("ix_human_verdicts_completion", "audit_id", "prompt_id", "arm", "number"),)
