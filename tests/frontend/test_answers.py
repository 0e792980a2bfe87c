"""Answers in words: sure only where the interval is clear of the rule, and never a word for what was not measured."""

from dataclasses import replace

import pytest

from backend.audit.results import NOTHING_MEASURED, Figure
from frontend.answers import above, answers, exceeds
from frontend.terms import TERMS
from tests.frontend.prompt_data import NOTHING, cascade_summary, report_card


def words(**changes: object) -> dict[str, str]:
    return {answer.question: answer.word for answer in answers(report_card(**changes), cascade_summary())}


def test_a_clear_report_card() -> None:
    assert words() == {
        "Does it refuse?": "yes",
        "Concentrated in few features?": "yes",
        "Does it beat its controls?": "yes",
        "Deep, in layers of defence?": "leans no",
        "Redundant, with backups?": "no",
        "Connected?": "no",
        "Do features interact?": "yes",
        "Does it over-refuse?": "no",
    }


def test_nothing_measured_is_said() -> None:
    nothing = dict.fromkeys(("refusal_rate", "over_refusal_rate", "minimal_set_size", "depth", "woken"), NOTHING)
    flipped = replace(report_card().flipped, minimal=NOTHING)
    given = words(**nothing, flipped=flipped, r2_heldout=NOTHING)
    assert set(given.values()) == {"not measured"}


def test_overlapping_intervals_only_lean() -> None:
    flipped = replace(report_card().flipped, minimal=Figure(0.5, 0.1, 0.9, 6), random=Figure(0.1, 0.0, 0.4, 6))
    assert words(flipped=flipped)["Does it beat its controls?"] == "leans yes"


def test_redundancy_needs_both_signs() -> None:
    more = {"woken": Figure(50.0, 45.0, 55.0, 9), "woken_random": Figure(10.0, 8.0, 12.0, 9)}
    assert words(**more, compensation=Figure(0.6, 0.4, 0.8, 9))["Redundant, with backups?"] == "yes"
    assert words(**more, compensation=Figure(0.6, -0.1, 0.8, 9))["Redundant, with backups?"] == "leans yes"
    assert words(**more)["Redundant, with backups?"] == "mixed"


@pytest.mark.parametrize(
    ("figure", "word"),
    [
        (Figure(0.9, 0.8, 1.0, 9), "yes"),
        (Figure(0.9, 0.4, 1.0, 9), "leans yes"),
        (Figure(0.9, None, None, 3), "leans yes"),
        (Figure(0.1, 0.0, 0.4, 9), "no"),
        (Figure(0.1, 0.0, 0.6, 9), "leans no"),
        (Figure(0.5, 0.4, 0.5, 9), "no"),
        (NOTHING_MEASURED, "not measured"),
    ],
)
def test_above_a_threshold(figure: Figure, word: str) -> None:
    assert above(figure, 0.5) == word


def test_a_threshold_may_count_as_reached() -> None:
    assert above(Figure(2.0, 2.0, 3.0, 9), 2, reached=True) == "yes"
    assert above(Figure(2.0, 2.0, 3.0, 9), 2) == "leans no"


def test_exceeding_is_sure_only_apart() -> None:
    low, high = Figure(0.1, 0.0, 0.2, 9), Figure(0.9, 0.8, 1.0, 9)
    assert (exceeds(high, low), exceeds(low, high)) == ("yes", "no")
    assert exceeds(Figure(0.9, None, None, 3), low) == "leans yes"


def test_every_question_has_a_term_and_its_evidence() -> None:
    for answer in answers(report_card(), cascade_summary()):
        assert answer.term in TERMS
        assert answer.rule
        assert answer.state
    sentences = " ".join(answer.sentence for answer in answers(report_card(), cascade_summary()))
    assert "95 % (80 to 99), n 22" in sentences
    assert "15:2 → 24:1" in sentences  # the strongest edge by size, whatever its sign
