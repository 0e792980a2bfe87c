"""The job `audit`: from a stored spec to a stored report. Knows store and audit; knows no worker and no route."""

from datetime import UTC, datetime
from functools import partial
from time import monotonic, time

from backend.api.schemas import AuditSpec, Progress
from backend.audit.audit import Audited
from backend.audit.progress import Step
from backend.audit.spec import AuditSettings
from backend.errors import BadInput
from backend.jobs.audit_run import AuditRun, rerun_command
from backend.jobs.desk import Conclusion, Desk, device_for, subject_key
from backend.jobs.memory import peak_gib
from backend.jobs.progress import ProgressTracker
from backend.jobs.requests import AuditArgs, read_args
from backend.jobs.resident import SubjectKey
from backend.jobs.store_checkpoint import StoreCheckpoint
from backend.judges.allowed import check_allowed
from backend.prompts.prompt import PromptSet
from backend.reports.report_json import report_to_json
from backend.reports.tensor_files import completions_file, directions_file
from backend.store import audits, prompt_sets
from backend.store.artifacts import ArtifactStore
from backend.store.database import Session
from backend.store.tables import AuditRow, JobRow

REPORT_TYPE, TENSORS_TYPE = "application/json", "application/octet-stream"


def audit_job(desk: Desk, job: JobRow) -> Conclusion:
    """Run or resume the audit; finished pieces are in the store whatever becomes of this attempt."""
    args = read_args(AuditArgs, job.args)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with desk.database.reading() as session:
        audit = _audit(session, args.audit_id)
        spec = AuditSpec.model_validate(audit.spec)
        prompts = _prompts(session, spec)
        key = subject_key(session, spec.subject, spec.layers, device_for(spec.device, desk.device), spec.dtype)
    check_allowed(spec.judge)
    settings = AuditSettings(spec.effort, spec.seed, spec.onset, spec.include_sink)
    tracker = ProgressTracker()

    def progress(step: Step) -> None:
        where = tracker.at(step, monotonic())
        desk.lease.progress = Progress(**vars(where)).model_dump()
        desk.between_batches()

    progress(Step("loading", 0, 1))
    with desk.residents.pinned(key) as resident:
        command = _command(key, prompts, settings, spec)
        run = AuditRun.prepare(resident.subject, prompts, settings, started, command, spec.judge)
        audited = run.go(
            StoreCheckpoint(desk.database, audit.id, desk.lease, fresh=args.fresh), progress, desk.between_batches
        )
    return Conclusion(
        {"audit_id": audit.id, "memory_gib": peak_gib()}, partial(_store, desk.database.artifacts, audit.id, audited)
    )


def _audit(session: Session, audit_id: str) -> AuditRow:
    audit = audits.get(session, audit_id)
    if audit is None:
        raise BadInput(f"audit: there is no {audit_id}")
    return audit


def _prompts(session: Session, spec: AuditSpec) -> PromptSet:
    prompts = prompt_sets.load(session, spec.prompt_set)
    if prompts is None:
        raise BadInput(f"prompt_set: there is no {spec.prompt_set}")
    return prompts


def _command(key: SubjectKey, prompts: PromptSet, settings: AuditSettings, spec: AuditSpec) -> str:
    return rerun_command(
        subject=key.subject,
        prompts=prompts.name,
        settings=settings,
        layers=key.layers,
        saes=key.saes,
        device=spec.device,
        dtype=spec.dtype,
        judges=spec.judge,
    )


def _store(artifacts: ArtifactStore, audit_id: str, audited: Audited, session: Session) -> None:
    files = {
        "report_sha256": artifacts.put(session, report_to_json(audited.report).encode(), REPORT_TYPE),
        "completions_sha256": artifacts.put(session, completions_file(audited), TENSORS_TYPE),
        "directions_sha256": artifacts.put(session, directions_file(audited), TENSORS_TYPE),
    }
    audits.store_report(session, audit_id, audited.report, now=time(), **files)
