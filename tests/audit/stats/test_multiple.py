import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from backend.audit.stats.multiple import benjamini_hochberg, empirical_p


def test_empirical_p_by_hand():
    assert empirical_p(3, [1, 2, 3, 4]) == pytest.approx(3 / 5)
    assert empirical_p(9, [1, 2, 3, 4]) == pytest.approx(1 / 5)
    assert empirical_p(0, []) == 1


def test_empirical_p_is_uniform_or_larger_under_the_null():
    generator = np.random.default_rng(7)
    p = [empirical_p(x[0], x[1:].tolist()) for x in generator.normal(size=(2000, 20))]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.02)


@given(st.lists(st.floats(0, 1), max_size=30))
def test_benjamini_hochberg_agrees_with_scipy(p):
    ours = benjamini_hochberg(p)
    assert ours == pytest.approx(list(reference.false_discovery_control(p)) if p else [])
    assert all(q >= x - 1e-12 for q, x in zip(ours, p, strict=True))


def test_benjamini_hochberg_by_hand_and_its_limits():
    assert benjamini_hochberg([0.04, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.04])
    with pytest.raises(ValueError, match="p_values"):
        benjamini_hochberg([1.5])
