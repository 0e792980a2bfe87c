"""Greedy thinning on set functions with known answers; the planted subject is audited whole in test_planted_audit."""

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.audit.candidates import Candidate, Candidates
from backend.audit.feature_sets import certificate
from backend.audit.interventions import DEFAULT_SCOPE
from backend.audit.stages.controls import MARGINS
from backend.audit.stages.greedy import _thin_all, _Thinning, stronger_sets
from backend.engine.protocol import Score
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId

FEATURES = [FeatureId(layer, index) for layer in range(2) for index in range(12)]


def scorer(flips):
    """Scores from a predicate over sets, counting nothing twice."""

    def score(sets):
        return [-1.0 if flips(s) else 1.0 for s in sets]

    return score


def thin(scores, start, orders):
    return _thin_all(scores, [_Thinning(start, order) for order in orders])


def test_serial_set_is_thinned_to_its_two_necessary_features():
    needed = {FEATURES[2], FEATURES[7]}
    paths = thin(scorer(lambda s: needed <= s), frozenset(FEATURES[:9]), [FEATURES[:9], FEATURES[8::-1]])
    assert [path[-1] for path in paths] == [needed, needed]
    assert all(larger > smaller for path in paths for larger, smaller in pairwise(path))


def test_redundant_ways_are_found_by_different_orders():
    a, b, c = FEATURES[:3]
    flips = scorer(lambda s: {a, b} <= s or {c} <= s)
    start = frozenset({a, b, c})
    last = [path[-1] for path in thin(flips, start, [[a, b, c], [c, a, b]])]
    assert last == [{c}, {a, b}]


def test_a_removal_refused_early_is_tried_again_after_others_are_gone():
    a, b, c = FEATURES[:3]
    # {a, b, c} flips, {b, c} does not, {a, c} and {c} do: a can go only once b is gone.
    flipping = [frozenset({a, b, c}), frozenset({a, c}), frozenset({c})]
    (path,) = thin(scorer(lambda s: s in flipping), frozenset({a, b, c}), [[a, b, c]])
    assert path[-1] == {c}


@st.composite
def set_functions(draw):
    """A random, mostly not monotone, predicate over subsets of a few features that holds for the whole."""
    n = draw(st.integers(2, 20))
    seed = draw(st.integers(0, 2**32 - 1))
    rate = draw(st.floats(0.2, 0.9))
    whole = frozenset(FEATURES[:n])

    def flips(s):
        if s == whole:
            return True
        return np.random.default_rng([seed, *sorted(12 * f.layer + f.index for f in s)]).random() < rate

    return whole, flips


@settings(deadline=None, max_examples=60)
@given(set_functions(), st.randoms(use_true_random=False))
def test_every_result_flips_and_is_one_minimal(function, random):
    whole, flips = function
    orders = [sorted(whole), random.sample(sorted(whole), len(whole))]
    for path in thin(scorer(flips), whole, orders):
        assert flips(path[-1])
        assert path[0] == whole
        if len(path[-1]) > 1:
            assert not any(flips(path[-1] - {f}) for f in path[-1])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.lists(st.floats(0.0, 4.0), min_size=1, max_size=4))
def test_side_by_side_each_goes_as_it_does_alone(seed, margins):
    whole = frozenset(FEATURES[:16])

    def score(sets):
        numbers = [[seed, *sorted(12 * f.layer + f.index for f in s)] for s in sets]
        return [8 * np.random.default_rng(n).random() - 8 for n in numbers]

    def thinning(margin):
        return _Thinning(whole, sorted(whole), -margin)

    alone = [_thin_all(score, [thinning(margin)])[0] for margin in margins]
    assert _thin_all(score, [thinning(margin) for margin in margins]) == alone


@settings(deadline=None, max_examples=30)
@given(st.sets(st.sampled_from(FEATURES), min_size=1, max_size=5))
def test_monotone_serial_function_gives_exactly_its_set(needed):
    (path,) = thin(scorer(lambda s: needed <= s), frozenset(FEATURES), [FEATURES])
    assert path[-1] == needed


def test_certificate_gives_the_score_with_each_feature_restored():
    a, b = FEATURES[:2]
    values = {frozenset({a}): 0.5, frozenset({b}): 2.0}
    lines = certificate(lambda sets: [values[s] for s in sets], frozenset({a, b}))
    assert [(line.feature, line.score) for line in lines] == [(str(a), 2.0), (str(b), 0.5)]


class Additive:
    """An engine on which every ablated feature takes its own weight off the score; the silent ones take nothing."""

    def __init__(self, baseline, weights):
        self.baseline, self.weights, self.asked = baseline, weights, []

    def score(self, pairs, onset_ids):
        sets = [frozenset(pair.intervention.features) for pair in pairs]
        self.asked += sets
        active = [frozenset(f for f in s if self.weights[f]) for s in sets]
        return [Score(self.baseline - sum(self.weights[f] for f in s), s) for s in active]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([0.0, 0.125, 0.5, 1.0, 2.0]), min_size=24, max_size=24), st.integers(0, 12))
def test_stronger_sets_are_minimal_at_their_margins(weights, baseline):
    engine = Additive(float(baseline), dict(zip(FEATURES, weights, strict=True)))
    ranked = {
        layer: tuple(Candidate(f, rank, 1 / rank) for rank, f in enumerate(FEATURES[12 * layer : 12 * layer + 12], 1))
        for layer in range(2)
    }
    ks, prompt = (1, 2, 5, 12), ChatTokens((0, 1), ("sink", "instruction"), 0)
    found = stronger_sets(engine, prompt, Candidates(ranked), (), DEFAULT_SCOPE, ks, MARGINS)
    lowest = baseline - sum(weights)
    assert [one.margin for one in found] == [margin for margin in MARGINS if lowest < -margin]
    for one in found:
        kept = {f: engine.weights[f] for f in one.features}
        assert all(kept.values())  # the silent ones are not in it
        assert one.score == baseline - sum(kept.values()) < -one.margin
        if len(kept) > 1:
            assert all(one.score + weight >= -one.margin for weight in kept.values())
        assert [(line.feature, line.score) for line in one.certificate] == [
            (str(f), one.score + kept[f]) for f in sorted(kept)
        ]
    assert len(engine.asked) == len(set(engine.asked))  # nothing is asked twice


def test_minimal_sets_of_a_monotone_function_match_brute_force():
    a, b, c, d = FEATURES[:4]
    ways = [{a, b}, {b, c, d}]

    def flips(s):
        return any(way <= s for way in ways)

    start = frozenset({a, b, c, d})
    minimal = {
        frozenset(s)
        for size in range(1, 5)
        for s in combinations(sorted(start), size)
        if flips(frozenset(s)) and not any(flips(frozenset(s) - {f}) for f in s)
    }
    orders = [[a, b, c, d], [d, c, b, a], [c, d, a, b]]
    assert {path[-1] for path in thin(scorer(flips), start, orders)} == minimal
