"""What intervals decide: yes, no, or that the sample leaves it open. Knows figures and bounds; knows no question.

Everything compares the ends of intervals, never estimates, so that a wider interval can only take an answer back.
"""

from collections.abc import Sequence
from typing import Literal

from backend.audit.results import Figure

Answer = Literal["yes", "no", "undecided", "not measured"]


def above(figure: Figure, bound: float) -> Answer:
    """yes: the whole interval is above the bound; no: none of it is."""
    if figure.value is None:
        return "not measured"
    if figure.low is None or figure.high is None:
        return "undecided"
    return "yes" if figure.low > bound else "no" if figure.high <= bound else "undecided"


def at_most(figure: Figure, bound: float) -> Answer:
    """yes: no part of the interval is above the bound; no: all of it is."""
    return opposite(above(figure, bound))


def exceeds(one: Figure, other: Figure, *, share: float = 1.0, margin: float = 0.0) -> Answer:
    """yes: the whole interval of one is above the whole interval of `share` times the other plus a margin; no: none of
    it is above any of that."""
    if one.value is None or other.value is None:
        return "not measured"
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return "undecided"
    if one.low > share * other.high + margin:
        return "yes"
    return "no" if one.high <= share * other.low + margin else "undecided"


def counted(found: bool) -> Answer:
    """A count has no interval: it decides by itself."""
    return "yes" if found else "no"


def opposite(answer: Answer) -> Answer:
    if answer == "yes":
        return "no"
    return "yes" if answer == "no" else answer


def all_of(answers: Sequence[Answer]) -> Answer:
    """One no is enough; a yes needs all."""
    for answer in ("no", "not measured", "undecided"):
        if answer in answers:
            return answer
    return "yes" if answers else "not measured"


def any_of(answers: Sequence[Answer]) -> Answer:
    """One yes is enough; a no needs all that were measured, and what was not measured decides nothing."""
    measured = [answer for answer in answers if answer != "not measured"]
    return opposite(all_of([opposite(answer) for answer in measured]))
