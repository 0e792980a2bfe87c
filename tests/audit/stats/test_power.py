import math

import numpy as np
import pytest

from backend.audit.stats.paired import mcnemar
from backend.audit.stats.power import POWER, detectable_difference, mcnemar_power, power_sentence


def test_mcnemar_power_by_hand() -> None:
    # One-way changes only: six of six must differ, or more; n = 6 and a difference of 0.9 give 0.9^6.
    assert mcnemar_power(6, 0.9) == pytest.approx(0.9**6)
    assert mcnemar_power(5, 1.0) == 0
    assert mcnemar_power(0, 0.5) == mcnemar_power(30, 0.0) == 0


@pytest.mark.parametrize(("n", "difference", "discordant"), [(20, 0.3, 0.4), (57, 0.2, 0.3), (40, 0.1, 0.5)])
def test_mcnemar_power_agrees_with_simulated_comparisons(n: int, difference: float, discordant: float) -> None:
    generator = np.random.default_rng(0)
    shares = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
    tables = generator.multinomial(n, shares, size=4000)
    rejected = np.mean([mcnemar(int(b), int(c)) <= 0.05 for b, c, _ in tables])
    assert mcnemar_power(n, difference, discordant=discordant) == pytest.approx(rejected, abs=0.025)


@pytest.mark.parametrize("discordant", [0.0, 0.3])
def test_the_smallest_detectable_difference_has_the_power_and_less_has_not(discordant: float) -> None:
    for n in (8, 20, 57, 200):
        smallest = detectable_difference(n, discordant=discordant)
        assert mcnemar_power(n, smallest, discordant=discordant) == pytest.approx(POWER, abs=1e-4)
        assert mcnemar_power(n, smallest - 0.01, discordant=discordant) < POWER


def test_more_prompts_show_smaller_differences() -> None:
    found = [detectable_difference(n) for n in (6, 10, 20, 50, 100, 500)]
    assert found == sorted(found, reverse=True)
    assert detectable_difference(57) < detectable_difference(57, discordant=0.3)


def test_too_few_prompts_show_nothing() -> None:
    assert detectable_difference(5) == detectable_difference(0) == math.inf
    for bad in (-0.1, 1.1):
        with pytest.raises(ValueError, match="not a share"):
            detectable_difference(20, discordant=bad)


def test_the_sentence_says_what_a_comparison_can_show() -> None:
    assert power_sentence(20) == (
        "With 20 prompts a difference of 37 points would be found in 4 of 5 such comparisons,"
        " if all changes go one way."
    )
    assert power_sentence(57, discordant=0.3).endswith("if 30 % of the prompts change.")
    assert "however large" in power_sentence(5)
