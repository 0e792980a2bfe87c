"""Live progress of an audit on a terminal; a line every few seconds where there is none (logs, CI)."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from backend.audit.progress import Progress, Step

LINE_EVERY = 10.0  # seconds between lines without a terminal


@contextmanager
def watch(console: Console) -> Iterator[Progress]:
    """A progress callback that draws one bar per stage, with time left."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Bars(*columns, console=console) as bars:
        tasks = {}

        def draw(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bars.add_task(step.stage, total=step.total, detail="")
            bars.update(tasks[step.stage], completed=step.done + step.under_way, total=step.total, detail=step.detail)

        yield draw


class _Lines:
    """One line when a stage begins or ends, and now and then between, with the time left at the pace so far."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage, self._began, self._first, self._said = "", 0.0, 0.0, 0.0

    def __call__(self, step: Step) -> None:
        now, worked = monotonic(), step.done + step.under_way
        if step.stage != self._stage:
            self._stage, self._began, self._first, self._said = step.stage, now, worked, 0.0
        if now - self._said < LINE_EVERY and step.done < step.total:
            return
        self._said = now
        left = ""
        if worked > self._first and step.done < step.total:
            left = f", about {(now - self._began) / (worked - self._first) * (step.total - worked):.0f} s left"
        self._console.print(f"{step.stage}: {step.done} of {step.total}{left}", markup=False, highlight=False)
