"""`refusalscope audit`: from options to a written report. Wires prompts, subject and folder together."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from app.models import parse_layers
from app.progress_view import watch
from app.report_card import show
from backend.audit.spec import AuditSettings, EffortName, OnsetMethod
from backend.errors import Interrupted
from backend.jobs.audit_run import AuditRun, rerun_command
from backend.prompts.load import load_prompts
from backend.reports.audit_folder import AuditFolder
from backend.reports.manifest import identity
from backend.subjects.planted.prompts import PLANTED_PROMPTS, planted_prompts
from backend.subjects.subject import Device, Dtype, load_subject


def run(
    *,
    subject: str,
    prompts: str,
    out: Path,
    effort: EffortName,
    layers: str | None,
    saes: str | None,
    seed: int,
    device: Device,
    dtype: Dtype,
    onset: OnsetMethod,
    include_sink: bool,
    resume: bool,
) -> None:
    """Audit and show the report card. Everything cheap is checked before the model is loaded."""
    console = Console(stderr=True)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    settings = AuditSettings(effort, seed, onset, include_sink)
    audited_layers = parse_layers(layers)
    prompt_set = planted_prompts() if prompts == PLANTED_PROMPTS else load_prompts(prompts, seed=seed)
    folder = AuditFolder(out)
    folder.prepare(resume=resume)
    for note in prompt_set.notes:
        console.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)
    with _stoppable(out):
        with console.status(f"loading {subject}"):
            loaded = load_subject(subject, saes, audited_layers, device, dtype)
        command = rerun_command(
            subject=subject, prompts=prompts, settings=settings, layers=audited_layers, saes=saes, device=device,
            dtype=dtype,
        )  # fmt: skip
        audit = AuditRun.prepare(loaded, prompt_set, settings, started, command)
        folder.claim(identity(audit.manifest))
        with watch(console) as progress:
            audited = audit.go(folder, progress)
        folder.finish(audited)
    show(Console(), audited.report, folder.path)


@contextmanager
def _stoppable(out: Path) -> Iterator[None]:
    """Ctrl-C and a polite kill stop the audit with a word on how to go on."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; finished prompts are kept in {out}: run the same command with --resume") from None
    finally:
        signal.signal(signal.SIGTERM, before)
