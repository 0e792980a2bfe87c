"""`refusalscope audit`: from options to a written report. Wires prompts, subject and folder together."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from app.audit_options import AuditOptions
from app.gate import enforce
from app.models import parse_layers
from app.progress_view import watch
from app.report_card import show
from backend.audit.progress import Progress, Step
from backend.audit.spec import AuditSettings
from backend.errors import Interrupted
from backend.jobs.audit_run import AuditRun, rerun_command
from backend.judges.named import check_names
from backend.prompts.load import load_prompts
from backend.reports.audit_folder import AuditFolder
from backend.reports.gate import read_gate
from backend.reports.manifest import identity
from backend.subjects.planted.prompts import PLANTED_PROMPTS, planted_prompts
from backend.subjects.subject import load_subject


def run(options: AuditOptions) -> None:
    """Audit and show the report card. Everything cheap is checked before the model is loaded."""
    console = Console(stderr=True)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    settings = AuditSettings(options.effort, options.seed, options.onset, options.include_sink)
    layers, prompts = parse_layers(options.layers), options.prompts
    check_names(options.judge)
    gate = read_gate(options.gate) if options.gate is not None else None
    prompt_set = planted_prompts() if prompts == PLANTED_PROMPTS else load_prompts(prompts, seed=options.seed)
    folder = AuditFolder(options.out)
    folder.prepare(resume=options.resume)
    for note in prompt_set.notes:
        console.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)
    with _stoppable(options.out) as stopping:
        with console.status(f"loading {options.subject}"):
            loaded = load_subject(options.subject, options.saes, layers, options.device, options.dtype)
        command = rerun_command(
            subject=options.subject, prompts=prompts, settings=settings, layers=layers, saes=options.saes,
            device=options.device, dtype=options.dtype, judges=options.judge,
        )  # fmt: skip
        audit = AuditRun.prepare(loaded, prompt_set, settings, started, command, options.judge)
        folder.claim(identity(audit.manifest))
        with watch(console) as progress:
            audited = audit.go(folder, stopping.checked(progress))
        folder.finish(audited)
    show(Console(), audited.report, folder.path)
    if gate is not None:
        enforce(Console(), gate, audited.report)


class _Stopping:
    """Whether somebody asked to stop. An interrupt that comes while a destructor runs is lost; the next report finds
    it here."""

    def __init__(self) -> None:
        self._asked = False

    def ask(self, _signal: int, _frame: FrameType | None) -> None:
        self._asked = True
        raise KeyboardInterrupt

    def checked(self, progress: Progress) -> Progress:
        def report(step: Step) -> None:
            if self._asked:
                raise KeyboardInterrupt
            progress(step)

        return report


@contextmanager
def _stoppable(out: Path) -> Iterator[_Stopping]:
    """Ctrl-C and a polite kill stop the audit with a word on how to go on."""
    stopping = _Stopping()
    before = {which: signal.signal(which, stopping.ask) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; finished prompts are kept in {out}: run the same command with --resume") from None
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
