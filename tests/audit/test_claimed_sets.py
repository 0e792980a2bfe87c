"""Claimed sets and pools of features, by hand and as invariants."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from backend.audit.claimed_sets import claimed_set, claims_of, commonest_first, distinct, features_that_hold
from backend.audit.results import BaselinePrompt, MinimalSet, PromptResult, Response

SAID = Response("complied", 1, True, None, "x")


def found(features: str, *, confirmed: bool = True) -> MinimalSet:
    return MinimalSet(tuple(features), -1.0, (), 1, 0.0, SAID, confirmed)


def result(name: str, *sets: MinimalSet) -> PromptResult:
    return PromptResult(name, name, "harmful", None, name, "test", BaselinePrompt(name, 1.0, SAID), minimal_sets=sets)


def test_the_smallest_that_complied_is_claimed() -> None:
    assert claimed_set(result("a", found("pqr"), found("xy"), found("z", confirmed=False))) == found("xy")
    assert claimed_set(result("a", found("xy"), found("ab"))) == found("ab")
    assert claimed_set(result("a", found("z", confirmed=False))) is None
    assert claimed_set(result("a")) is None


def test_distinct_claims_commonest_first_each_with_its_first_prompt() -> None:
    results = [result("a", found("xy")), result("b", found("pq")), result("c"), result("d", found("pq"))]
    claims = claims_of(results)
    assert [r.id for r, _ in claims] == ["a", "b", "d"]
    assert [(r.id, "".join(s.features)) for r, s in distinct(claims)] == [("b", "pq"), ("a", "xy")]


def test_pool_by_hand() -> None:
    sets = [frozenset("ab"), frozenset("a"), frozenset("abc"), frozenset("d")]
    assert commonest_first(sets) == ["a", "b", "c", "d"]
    assert features_that_hold(sets, 0.25) == ("a",)
    assert features_that_hold(sets, 0.5) == ("a", "b")
    assert features_that_hold(sets, 0.9) == ("a", "b", "c", "d")
    assert features_that_hold([], 0.9) == ()


@given(st.lists(st.frozensets(st.sampled_from("abcdef"), min_size=1), min_size=1), st.floats(0.01, 1.0))
def test_a_pool_holds_its_share_and_no_shorter_one_does(sets: list[frozenset[str]], share: float) -> None:
    pool = features_that_hold(sets, share)
    assert pool == tuple(commonest_first(sets)[: len(pool)])
    needed = ceil(share * len(sets))
    assert sum(s <= set(pool) for s in sets) >= needed
    assert sum(s <= set(pool[:-1]) for s in sets) < needed
