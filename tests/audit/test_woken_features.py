"""The exact test behind woken features: by hand, by enumeration, its invariants, and its claims where nothing is."""

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.woken_features import LEVEL, SMALLEST_P, Trial, excess_p, one_a_family, screen_woken, smallest_p


def trial(woke: bool, draws_woke: int, draws: int = 4, prompt: str = "p", family: str = "") -> Trial:
    return Trial(prompt, family or prompt, woke, draws_woke, draws)


trials = st.lists(
    st.builds(
        lambda woke, draws, share: trial(woke, round(share * draws), draws),
        st.booleans(),
        st.integers(1, 6),
        st.floats(0, 1),
    ),
    max_size=6,
)


def test_by_hand() -> None:
    assert excess_p([trial(True, 0)]) == pytest.approx(1 / 5)
    assert excess_p([trial(True, 0)] * 3) == pytest.approx(1 / 125)
    assert excess_p([trial(True, 1), trial(True, 0)]) == pytest.approx(2 / 5 * 1 / 5)
    # Woke in one of two: 1 - 4/5 x 4/5.
    assert excess_p([trial(True, 0), trial(False, 1)]) == pytest.approx(9 / 25)
    assert excess_p([trial(False, 3)]) == 1.0
    assert excess_p([]) == 1.0


def by_enumeration(given_trials: list[Trial]) -> float:
    """Every way in which the round and its draws can change places, prompt by prompt."""
    outcomes = [[1] * (t.woke + t.draws_woke) + [0] * (1 + t.draws - t.woke - t.draws_woke) for t in given_trials]
    observed = sum(t.woke for t in given_trials)
    hits = sum(sum(choice) >= observed for choice in product(*outcomes))
    return hits / prod(len(o) for o in outcomes)


@given(trials)
def test_it_is_the_permutation_test_within_prompts(given_trials: list[Trial]) -> None:
    assert excess_p(given_trials) == pytest.approx(max(SMALLEST_P, by_enumeration(given_trials)))


@given(trials, st.integers(1, 8))
def test_invariants(given_trials: list[Trial], draws: int) -> None:
    p = excess_p(given_trials)
    assert smallest_p(given_trials) * (1 - 1e-9) <= p <= 1
    assert excess_p(given_trials[::-1]) == pytest.approx(p)
    assert excess_p([*given_trials, trial(False, 0, draws)]) == pytest.approx(p)  # where nothing woke, nothing is shown
    assert excess_p([*given_trials, trial(True, 0, draws)]) <= p * (1 + 1e-9)


def test_no_p_is_zero_however_much_there_is_to_see() -> None:
    assert excess_p([trial(True, 0, 20)] * 400) == SMALLEST_P


def test_near_duplicates_count_once() -> None:
    several = [trial(True, 0, 4, "b", "f"), trial(False, 2, 4, "a", "f"), trial(True, 0, 4, "c", "g")]
    assert [t.prompt for t in one_a_family(several)] == ["a", "c"]
    same = [trial(True, 0, 4, f"{i}", "one family") for i in range(5)]
    assert screen_woken({"1:1": same}) == ()  # one family: p could not fall below 1/5
    apart = [trial(True, 0, 4, f"{i}") for i in range(5)]
    (found,) = screen_woken({"1:1": apart})
    assert found.p == pytest.approx(5**-5)
    assert found.n_prompts == 5


def test_screened_is_what_could_be_found_however_it_came_out() -> None:
    woke = [trial(True, 0, 4, "a"), trial(True, 0, 4, "b")]
    silent = [trial(False, 1, 4, "a"), trial(False, 1, 4, "b")]  # the same totals, the other way round
    once = [trial(True, 0, 4, "a"), trial(False, 0, 4, "b")]
    found = screen_woken({"1:1": silent, "1:2": woke, "1:3": once})
    assert [f.feature for f in found] == ["1:2", "1:1"]
    assert [f.p for f in found] == [pytest.approx(1 / 25), 1.0]
    assert [f.q for f in found] == [pytest.approx(2 / 25), 1.0]
    assert found[0].woken.value == 1.0
    assert found[1].woken_random.value == pytest.approx(0.25)


def null_trials(seed: int, n_features: int = 150, n_prompts: int = 20, draws: int = 8) -> dict[str, list[Trial]]:
    """Features that wake at rates of their own on each prompt, in the round no more than in any draw."""
    random = np.random.default_rng(seed)
    rates = random.beta(0.2, 1.5, (n_features, 1)) * random.uniform(0, 1, (n_features, n_prompts))
    woke = random.random((1 + draws, n_features, n_prompts)) < rates
    return {
        f"1:{i}": [
            trial(bool(woke[0, i, j]), int(woke[1:, i, j].sum()), draws, f"{j}")
            for j in range(n_prompts)
            if woke[:, i].any()
        ]
        for i in range(n_features)
    }


def test_false_claims_stay_within_the_nominal_share() -> None:
    """With nothing to find, any claim is false: of 100 audits at most 5 % should make one."""
    screens = [screen_woken(null_trials(seed)) for seed in range(100)]
    assert min(len(found) for found in screens) > 20, "too few features screened to show anything"
    assert sum(any(f.q <= LEVEL for f in found) for found in screens) <= 5
    p = [f.p for found in screens for f in found]
    assert np.mean([value <= 0.05 for value in p]) <= 0.05
    assert np.mean([value <= 0.2 for value in p]) <= 0.2


def test_features_that_do_wake_are_found_among_them() -> None:
    for seed in range(5):
        screen = null_trials(seed)
        planted = {f"2:{i}": [trial(j < 12, 0, 8, f"{j}") for j in range(20)] for i in range(3)}
        claimed = {f.feature for f in screen_woken({**screen, **planted}) if f.q <= LEVEL}
        assert claimed >= set(planted)
