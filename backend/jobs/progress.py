"""Where a whole audit is, from its stages' reports: overall share and time left. Knows stage names; knows no clock."""

from collections import deque
from dataclasses import dataclass

from backend.audit.progress import Step

WEIGHTS = {
    "baseline": 10.5,
    "direction": 8.5,
    "activations": 3.0,
    "interactions": 6.0,
    "interaction pairs": 1.5,
    "prompts": 13.5,
    "completions": 9.5,
    "stronger sets": 11.0,
    "stronger completions": 5.0,
    "random sets": 3.0,
    "random completions": 2.5,
    "verification": 4.5,
    "verification completions": 15.0,
    "stability": 5.0,
    "stability completions": 1.0,
    "token activations": 0.5,
}
"""Stages in their order, each with its usual share of the time (percent), between those measured on a quick audit of
bundled:demo and a standard one of bundled:standard on two cores."""

RECENT = 6  # reports of a stage, at least, that its pace is taken from
ENOUGH = 0.1  # share of a stage to be worked off before it tells a pace: of completions the first tokens are slowest
REAL_WORK = 1.0  # seconds: a stage over sooner was kept from before, or is too short to tell
WINDOW = 20.0  # seconds of reports, at least: where they come in bursts, one burst is not the pace


@dataclass(frozen=True)
class Whereabouts:
    stage: str
    done: int
    total: int
    detail: str
    seconds_left: float | None  # of this stage
    overall: float  # share of the whole audit that is done, 0 to 1; never falls
    overall_seconds_left: float | None  # None until a stage has shown its pace


class ProgressTracker:
    """Feed it each report with the time it came at (seconds, any origin)."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque()  # (time, worked off) of the stage at hand
        self._stage, self._entered, self._found_done = "", 0.0, 0.0  # when it began, and what was worked off then
        self._pace: float | None = None  # seconds per percent of weight, lately in this stage
        self._pace_before: float | None = None  # and at the end of the last one that did any work
        self._overall = 0.0
        self._began: float | None = None

    def at(self, step: Step, now: float) -> Whereabouts:
        if self._began is None:
            self._began = now
        worked = min(step.done + step.under_way, float(step.total))
        if step.stage != self._stage:
            self._enter(step.stage, worked, now)
        if not self._recent or worked > self._recent[-1][1]:
            self._recent.append((now, worked))
        while len(self._recent) > RECENT and now - self._recent[1][0] >= WINDOW:
            self._recent.popleft()
        weight = WEIGHTS.get(step.stage, 0.0)
        share = worked / step.total if step.total else 1.0
        rest = 1.0 - share
        (first, before), (last, latest) = self._recent[0], self._recent[-1]
        seconds_left, pace = None, self._pace_before
        if latest > before and worked - self._found_done >= ENOUGH * step.total:
            per_item = (last - first) / (latest - before)
            seconds_left = per_item * (step.total - worked)
            if weight:
                self._pace = per_item * step.total / weight
                # A stage's first steps may be its slowest or its quickest: they count as far as it has come.
                pace = self._pace if pace is None else share * self._pace + rest * pace
                seconds_left = pace * weight * rest
        names = list(WEIGHTS)
        place = names.index(step.stage) if step.stage in WEIGHTS else 0
        before_it = sum(WEIGHTS[name] for name in names[:place])
        after_it = sum(WEIGHTS[name] for name in names[place + 1 :])
        whole = sum(WEIGHTS.values())
        self._overall = max(self._overall, (before_it + weight * share) / whole)
        overall_left = None
        if pace is not None:
            so_far = (now - self._began) / (self._overall * whole) if self._overall else 0.0
            overall_left = pace * weight * rest + after_it * max(pace, so_far)
        return Whereabouts(step.stage, step.done, step.total, step.detail, seconds_left, self._overall, overall_left)

    def _enter(self, stage: str, worked: float, now: float) -> None:
        if self._pace is not None and now - self._entered >= REAL_WORK:
            self._pace_before = self._pace
        self._stage, self._entered, self._found_done = stage, now, worked
        self._pace = None
        self._recent.clear()
