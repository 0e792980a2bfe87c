"""What an audit will take, from what audits like it took on this server. Knows timings; measures nothing."""

from dataclasses import dataclass

from backend.api.schemas import AuditSpec, Estimate
from backend.store import audits, jobs, prompt_results
from backend.store.database import Session
from backend.store.tables import AuditRow, PromptSetRow

COMPARED = 20  # latest finished audits of the subject that are looked at
LEAST, MOST = 0.6, 1.6  # the range around what one audit's pace says: prompts differ in length and in what they need
BY_PROMPT, BY_HARMFUL = ("baseline", "candidates", "evidence"), ("prompts",)
"""Stages, as `manifest.timings.seconds` names them, whose time grows with all prompts, and with harmful ones; the
others' amounts are the effort's own."""


@dataclass(frozen=True)
class Pace:
    """What one finished audit took."""

    audit: AuditRow
    seconds: dict[str, float]  # by stage
    n_prompts: int
    n_harmful: int
    memory_gib: float | None

    def scaled(self, n_prompts: int, n_harmful: int) -> float:
        """Seconds for another set of prompts."""
        shares = dict.fromkeys(BY_PROMPT, n_prompts / self.n_prompts)
        shares |= dict.fromkeys(BY_HARMFUL, n_harmful / self.n_harmful)
        return sum(seconds * shares.get(stage, 1.0) for stage, seconds in self.seconds.items())


def estimate(session: Session, spec: AuditSpec, prompts: PromptSetRow, answered_by: str | None) -> Estimate:
    """Rests on the audit of the same subject and effort whose pace is the slowest: others may have found work done."""
    n_harmful = sum(prompts.counts.get("harmful", {}).values())
    known = {"n_prompts": prompts.n_own, "n_harmful": n_harmful, "answered_by": answered_by}
    paces = _paces(session, spec)
    if not paces:
        basis = f"no {spec.effort} audit of {spec.subject} has been finished here, so there is nothing to compare with"
        return Estimate(seconds_low=None, seconds_high=None, memory_gib=None, basis=basis, **known)
    slowest = max(paces, key=lambda pace: pace.scaled(prompts.n, n_harmful))
    seconds = slowest.scaled(prompts.n, n_harmful)
    where = "the example, which ran elsewhere" if slowest.audit.origin == "example" else f"'{slowest.audit.name[:60]}'"
    took = sum(slowest.seconds.values())
    basis = f"{where}: {slowest.n_harmful} harmful of {slowest.n_prompts} prompts at this effort took {took:.0f} s"
    return Estimate(
        seconds_low=round(LEAST * seconds, 1),
        seconds_high=round(MOST * seconds, 1),
        memory_gib=max((p.memory_gib for p in paces if p.memory_gib is not None), default=None),
        basis=basis,
        **known,
    )


def _paces(session: Session, spec: AuditSpec) -> list[Pace]:
    done = audits.list_audits(session, subject=spec.subject, state="done", limit=COMPARED).items
    comparable = [row for row in done if row.spec.get("effort") == spec.effort]
    here = [row for row in comparable if row.origin == "run"]
    chosen = here or [row for row in comparable if row.origin == "example"]
    return [pace for row in chosen if (pace := _pace(session, row)) is not None]


def _pace(session: Session, row: AuditRow) -> Pace | None:
    manifest = (row.summary or {}).get("manifest", {})
    seconds = manifest.get("timings", {}).get("seconds")
    n_prompts = manifest.get("prompts", {}).get("n")
    n_harmful = prompt_results.count_by_label(session, row.id).get("harmful", 0)
    if not isinstance(seconds, dict) or not isinstance(n_prompts, int) or not n_prompts or not n_harmful:
        return None
    job = jobs.read(session, row.job_id) if row.job_id is not None else None
    memory = (job.result or {}).get("memory_gib") if job is not None else None
    stages = {str(stage): float(value) for stage, value in seconds.items() if isinstance(value, int | float)}
    return Pace(row, stages, n_prompts, n_harmful, memory)
