"""Overall share and time left of an audit, from its stages' reports."""

import pytest

from backend.audit.progress import Step
from backend.jobs.progress import WEIGHTS, ProgressTracker, Whereabouts
from tests.planted_audits import FEW, audit_planted


def test_a_steady_stage_gives_its_pace() -> None:
    tracker = ProgressTracker()
    for done in range(6):
        where = tracker.at(Step("baseline", done, 10), now=100.0 + 2.0 * done)
    assert where.seconds_left == pytest.approx(10.0)
    assert where.overall == pytest.approx(0.5 * WEIGHTS["baseline"] / sum(WEIGHTS.values()))
    rest = sum(WEIGHTS.values()) - WEIGHTS["baseline"]
    assert where.overall_seconds_left == pytest.approx(10.0 + 20.0 * rest / WEIGHTS["baseline"])


def test_finished_work_skipped_on_resuming_does_not_set_the_pace_for_long() -> None:
    tracker = ProgressTracker()
    for done in range(50):
        tracker.at(Step("prompts", done, 100), now=0.001 * done)
    for i in range(10):
        where = tracker.at(Step("prompts", 50 + i, 100), now=0.05 + 3.0 * i)
    assert where.seconds_left == pytest.approx(3.0 * 41)


def test_nothing_is_promised_before_anything_is_seen() -> None:
    where = ProgressTracker().at(Step("baseline", 0, 10), now=5.0)
    assert (where.seconds_left, where.overall, where.overall_seconds_left) == (None, 0.0, None)


def test_slow_first_tokens_promise_nothing_and_a_long_stage_keeps_its_pace() -> None:
    tracker = ProgressTracker()
    tracker.at(Step("baseline", 0, 1000), now=0.0)
    where = tracker.at(Step("baseline", 0, 1000, under_way=10.0), now=30.0)  # the first token: prompts are read too
    assert (where.seconds_left, where.overall_seconds_left) == (None, None)
    for done in range(11, 600):
        where = tracker.at(Step("baseline", done, 1000), now=30.0 + 3.0 * (done - 10))
    assert where.seconds_left == pytest.approx(3.0 * 401)


def test_over_a_real_audit_the_share_only_grows_and_every_stage_is_known() -> None:
    tracker, seen = ProgressTracker(), list[Whereabouts]()
    audit_planted("planted", FEW, progress=lambda step: seen.append(tracker.at(step, float(len(seen)))))
    shares = [where.overall for where in seen]
    assert shares == sorted(shares)
    assert {where.stage for where in seen} <= set(WEIGHTS)
    assert shares[-1] == pytest.approx(1.0)
    assert all(where.seconds_left is None or where.seconds_left >= 0 for where in seen)


def test_work_done_together_moves_before_any_of_it_is_done() -> None:
    steps = list[Step]()
    audit_planted("planted", FEW, progress=steps.append)
    for stage in ("prompts", "completions"):
        of_stage = [step for step in steps if step.stage == stage]
        none_done = [step.under_way for step in of_stage if step.done == 0]
        assert none_done == sorted(none_done)
        assert len(set(none_done)) > 4
        assert 0 < none_done[-1] <= of_stage[-1].total
        assert all(0 <= step.under_way <= step.total - step.done for step in of_stage)
        assert of_stage[-1] == Step(stage, of_stage[-1].total, of_stage[-1].total)


def test_the_pace_counts_work_under_way_and_no_single_burst() -> None:
    tracker = ProgressTracker()
    for round_ in range(4):  # eight side by side, a part of each every 10 seconds, nearly at once
        for i in range(8):
            where = tracker.at(Step("prompts", 0, 8, "", (8 * round_ + i) / 6), now=10.0 * round_ + 0.01 * i)
    assert where.overall > 0
    left = 8 - (8 * 3 + 7) / 6
    assert where.seconds_left == pytest.approx(left * 10.0 * 6 / 8, rel=0.35)


def test_slow_first_steps_of_a_stage_count_as_far_as_it_has_come() -> None:
    tracker = ProgressTracker()
    tracker.at(Step("baseline", 0, 10), 0.0)
    tracker.at(Step("baseline", 10, 10), WEIGHTS["baseline"])  # a second a percent
    begun = WEIGHTS["baseline"]
    tracker.at(Step("direction", 0, 10), begun)
    rest = sum(WEIGHTS.values()) - WEIGHTS["baseline"]
    found = tracker.at(Step("direction", 1, 10), begun + WEIGHTS["direction"])  # ten times as slow
    assert found.overall_seconds_left is not None
    assert found.overall_seconds_left == pytest.approx(2.0 * rest, rel=0.1)
    assert found.seconds_left == pytest.approx(0.9 * WEIGHTS["direction"] * (0.1 * 10 + 0.9 * 1))
    for done in range(2, 10):
        found = tracker.at(Step("direction", done, 10), begun + done * WEIGHTS["direction"])
    assert found.seconds_left == pytest.approx(0.1 * WEIGHTS["direction"] * (0.9 * 10 + 0.1 * 1))


def test_stages_kept_from_before_say_nothing_of_the_pace() -> None:
    tracker = ProgressTracker()
    for stage in ("baseline", "direction", "interactions"):
        tracker.at(Step(stage, 0, 10), 0.0)
        tracker.at(Step(stage, 10, 10), 0.01)
    tracker.at(Step("prompts", 0, 10), 0.02)
    where = tracker.at(Step("prompts", 1, 10), 0.02 + WEIGHTS["prompts"])
    assert where.seconds_left == pytest.approx(9 * WEIGHTS["prompts"])


def test_quick_first_steps_of_a_stage_do_not_shrink_what_is_left_of_the_rest() -> None:
    tracker = ProgressTracker()
    tracker.at(Step("baseline", 0, 10, ""), 0.0)
    tracker.at(Step("baseline", 10, 10, ""), 150.0)  # 10 s a percent
    tracker.at(Step("direction", 0, 40, ""), 150.0)
    found = tracker.at(Step("direction", 4, 40, ""), 150.1)
    assert found.overall_seconds_left is not None
    assert found.overall_seconds_left > 65 * 8  # stages that weigh 65 percent are still to come
