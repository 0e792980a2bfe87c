"""The job `check`: the figures of `models check`, kept with the subject. Knows store and subjects."""

from functools import partial
from time import time

from backend.api.schemas import CheckFigures, LayerCheck, Progress
from backend.audit.prompt_groups import evenly_spaced
from backend.jobs.desk import Conclusion, Desk, subject_key
from backend.jobs.requests import CheckArgs, read_args
from backend.prompts.load import load_prompts
from backend.store import subjects
from backend.store.tables import JobRow
from backend.subjects.catalogue import PLANTED_SUBJECTS
from backend.subjects.check import SubjectCheck, check_subject
from backend.subjects.planted.prompts import planted_prompts

STAGE, SUBSET = "reading chats", "bundled:demo"
N_PLANTED = 24  # as many as in SUBSET


def check_job(desk: Desk, job: JobRow) -> Conclusion:
    """Measure the subject's SAEs on chats it can read."""
    args = read_args(CheckArgs, job.args)
    with desk.database.reading() as session:
        key = subject_key(session, args.subject, None, desk.device, "auto")

    def on_text(done: int, total: int) -> None:
        desk.lease.progress = Progress(stage=STAGE, done=done, total=total, overall=done / total).model_dump()
        desk.between_batches()

    with desk.residents.pinned(key) as resident:
        check = check_subject(resident.subject, _texts(args.subject), on_text=on_text)
    now = time()
    figures = check_figures(check, now).model_dump()
    layers = [layer.layer for layer in check.layers]
    keep = partial(subjects.set_check, subject_id=args.subject, figures=figures, now=now, layers=layers)
    return Conclusion({"subject": args.subject, "check": figures}, keep)


def _texts(subject: str) -> list[str]:
    if subject in PLANTED_SUBJECTS:
        return [prompt.text for prompt in evenly_spaced(planted_prompts().own, N_PLANTED)]
    return [prompt.text for prompt in load_prompts(SUBSET).own]


def check_figures(check: SubjectCheck, now: float) -> CheckFigures:
    """The wire form of what was measured."""
    layers = [
        LayerCheck(
            layer=one.layer,
            n_tokens=one.overall.n_tokens,
            fvu=one.overall.fvu,
            l0=one.overall.l0,
            dead_share=one.dead_share,
            mean_norm=one.overall.mean_norm,
            expected_norm=one.expected_norm,
        )
        for one in check.layers
    ]
    findings = [{"level": finding.level, "text": finding.text} for finding in check.findings]
    return CheckFigures(n_texts=check.n_texts, layers=layers, findings=findings, ok=check.ok, checked=now)
