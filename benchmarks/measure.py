"""Runs every arm on the same evaluations and turns seconds into ratios. Prints nothing.

One repetition goes through the arms in an order that rotates. A ratio is formed within each repetition; the median of
them is reported, with the lowest and highest.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from backend.engine.engine import ResidualEngine
from backend.engine.reference import ReferenceEngine
from backend.subjects.subject import Subject
from benchmarks.bare import record, time_bare, time_full_forward
from benchmarks.peer import LensPeer
from benchmarks.workload import Workload

AGREEMENT = 1e-2  # scores of every arm against the engine's: like is compared with like


@dataclass(frozen=True)
class Ratio:
    """How many times longer one arm takes than another, over the repetitions."""

    median: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Measured:
    """All that one run measures."""

    milliseconds: dict[str, float]  # per evaluation, median over repetitions, by arm
    ratios: dict[str, Ratio]
    disagreement: dict[str, float]  # largest difference from the engine's scores, by arm


RATIOS = {
    "engine_over_bare_forward": ("engine", "bare"),
    "engine_over_full_forward": ("engine", "full_forward"),
    "reference_over_engine": ("reference", "engine"),
    "lens_loop_over_engine": ("lens_loop", "engine"),
    "lens_batched_over_engine": ("lens_batched", "engine_at_once"),
}


def measure(subject: Subject, workload: Workload, repetitions: int, progress: Callable[[str], None]) -> Measured:
    """Time all arms on all of the workload."""
    progress("making the TransformerLens peer")
    peer, reference = LensPeer(subject), ReferenceEngine(subject.model, dict(subject.saes))
    bare = record(subject, workload)
    pairs, onset_ids = workload.pairs, workload.onset_ids

    def engine() -> ResidualEngine:
        return ResidualEngine(subject.model, dict(subject.saes))

    def by_rounds() -> list[float]:
        fresh = engine()
        return [score.value for asked in workload.rounds for score in fresh.score(asked, onset_ids)]

    # Each gives seconds, and the scores where it computes any.
    arms: dict[str, Callable[[], tuple[float, list[float] | None]]] = {
        "engine": lambda: _timed(by_rounds),
        "bare": lambda: (time_bare(subject.model, bare), None),
        "full_forward": lambda: (time_full_forward(subject.model, pairs), None),
        "reference": lambda: _timed(lambda: reference.score(pairs, onset_ids)),
        "lens_loop": lambda: _timed(lambda: peer.one_by_one(pairs, onset_ids)),
        "lens_batched": lambda: _timed(lambda: peer.batched(pairs, onset_ids)),
        "engine_at_once": lambda: _timed(lambda: [score.value for score in engine().score(pairs, onset_ids)]),
    }
    names = list(arms)
    seconds: dict[str, list[float]] = defaultdict(list)  # arm -> repetition
    expected: list[float] | None = None
    disagreement: dict[str, float] = {}
    for repetition in range(repetitions):
        turn = repetition % len(names)
        for name in names[turn:] + names[:turn]:
            progress(f"repetition {repetition + 1} of {repetitions}: {name}")
            took, scores = arms[name]()
            seconds[name].append(took)
            if scores is not None:
                expected = expected or scores
                worst = max(abs(a - b) for a, b in zip(expected, scores, strict=True))
                disagreement[name] = max(disagreement.get(name, 0.0), worst)
    if max(disagreement.values()) > AGREEMENT:
        raise ValueError(f"the arms do not compute the same scores: {disagreement}")
    return Measured(
        milliseconds={name: median(times) / len(pairs) * 1000 for name, times in seconds.items()},
        ratios={name: _ratio(seconds[above], seconds[below]) for name, (above, below) in RATIOS.items()},
        disagreement=disagreement,
    )


def _timed(run: Callable[[], list[float]]) -> tuple[float, list[float]]:
    begun = perf_counter()
    scores = run()
    return perf_counter() - begun, scores


def _ratio(above: list[float], below: list[float]) -> Ratio:
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios))
