"""How long the web process takes from its start to its first answer."""

from pathlib import Path
from statistics import median

from benchmarks.service.server import serving, with_subjects


def measure_starts(folder: Path, repetitions: int) -> dict[str, float]:
    """On an empty folder, then on what that left. Workers are started beside it, as they are for a user."""
    first, again = [], []
    for number in range(repetitions):
        data = with_subjects(folder / f"start-{number}")
        for seconds in (first, again):
            with serving(data) as server:
                seconds.append(server.start_seconds)
    return {
        "first_start_seconds": median(first),
        "first_start_seconds_highest": max(first),
        "start_seconds": median(again),
        "start_seconds_highest": max(again),
    }
