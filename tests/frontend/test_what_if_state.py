"""A what-if from its fields, into a link and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.api.schemas import InterventionSpec
from frontend.url_state import read_query, write_query
from frontend.what_if_state import DEFAULT_SCOPE, MODES, SCOPES, NotAWhatIf, from_form, from_query, in_words, to_query

MINIMAL = ["9:1", "21:1130"]
FEATURES = st.lists(st.from_regex(r"[0-9]{1,3}:[0-9]{1,6}", fullmatch=True), min_size=1, max_size=8, unique=True)
SCALES = st.integers(-20, 20).map(lambda half: half / 2)
SCOPE = st.lists(st.sampled_from(list(SCOPES)), min_size=1, unique=True)


@given(FEATURES, st.sampled_from(list(MODES)), SCALES, SCOPE)
def test_a_link_restores_what_was_set_up(features: list[str], mode: str, scale: float, scope: list[str]) -> None:
    intervention = from_form(features, None, mode, scale, scope)
    query = read_query(write_query(**to_query(intervention, MINIMAL)))
    assert from_query(query, MINIMAL) == intervention


def test_the_default_needs_no_words_in_the_link() -> None:
    assert to_query(from_form(MINIMAL, [], "zero", 3, DEFAULT_SCOPE), MINIMAL) == {}
    assert from_query({}, MINIMAL) == InterventionSpec(features=MINIMAL)


def test_ticked_and_typed_are_one_set() -> None:
    assert from_form(["1:2"], [" 3:4 ", "1:2", ""], "zero", None, DEFAULT_SCOPE).features == ["1:2", "3:4"]


@pytest.mark.parametrize(
    ("ticked", "typed", "mode", "scale", "scope", "says"),
    [
        ([], [], "zero", 0, DEFAULT_SCOPE, "Features: tick or type"),
        (["1:2"], ["<b>"], "zero", 0, DEFAULT_SCOPE, "'<b>' is no feature; write LAYER:INDEX"),
        ([f"1:{i}" for i in range(501)], [], "zero", 0, DEFAULT_SCOPE, "501 are too many"),
        (["1:2"], [], "zero", 0, [], "Scope: choose"),
        (["1:2"], [], "scale", 11, DEFAULT_SCOPE, "Factor: give a number"),
        (["1:2"], [], "scale", "", DEFAULT_SCOPE, "Factor: give a number"),
        (["1:2"], [], "scale", float("nan"), DEFAULT_SCOPE, "Factor: give a number"),
    ],
)
def test_what_cannot_be_run_is_named(ticked, typed, mode, scale, scope, says) -> None:
    with pytest.raises(NotAWhatIf, match=says.replace("(", r"\(")):
        from_form(ticked, typed, mode, scale, scope)


@pytest.mark.parametrize(
    "query", [{"set": "x,<b>", "mode": "rm", "scale": "inf", "scope": "moon"}, {"set": "1" * 900, "scale": "nan"}]
)
def test_whatever_a_link_says_there_is_a_what_if(query: dict[str, str]) -> None:
    assert from_query(query, MINIMAL) == InterventionSpec(features=MINIMAL)


def test_it_can_be_said_in_a_line() -> None:
    assert in_words(from_form(["1:2"], [], "scale", -2, ["response"])) == "1 feature, scale by -2, at response"
