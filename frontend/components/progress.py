"""Where a job is: a bar, in words, with the time left."""

from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import Progress
from frontend.format import percent, time_left


def progress_bar(progress: Progress | None, *, state: str = "running") -> Any:
    """The whole job: share done, stage in hand, time left."""
    if progress is None:
        words = "waiting for a worker" if state == "queued" else "starting"
        return dmc.Stack([dmc.Progress(value=0, **{"aria-label": words}), dmc.Text(words, size="sm")], gap=4)
    share = progress_share(progress)
    left = time_left(progress.overall_seconds_left)
    words = ", ".join(part for part in (percent(share), left) if part)
    bar = dmc.Progress(value=share * 100, animated=state == "running", **{"aria-label": f"{words} done"})
    return dmc.Stack([bar, dmc.Text(words, size="sm")], gap=4)


def progress_share(progress: Progress) -> float:
    """Share of the whole that is done, or of the stage where the whole is not known; 0 to 1."""
    if progress.overall is not None:
        return min(1.0, max(0.0, progress.overall))
    return min(1.0, progress.done / progress.total) if progress.total else 0.0


def progress_words(progress: Progress | None) -> str:
    """For a grid's cell: `search 12 of 48, about 3 min left`."""
    if progress is None:
        return ""
    left = time_left(progress.overall_seconds_left)
    return f"{progress.stage} {progress.done} of {progress.total}" + (f", {left}" if left else "")
