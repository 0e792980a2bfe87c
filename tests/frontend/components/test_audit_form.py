"""The form of a new audit, its spec and its address say the same."""

from hypothesis import given
from hypothesis import strategies as st

from frontend.components.audit_form import (
    DEVICES,
    DTYPES,
    EFFORTS,
    FIRST_PROMPTS,
    FIRST_SUBJECT,
    ONSETS,
    Choices,
    choices_of_query,
)
from frontend.url_state import read_query
from tests.frontend.wire_values import prompt_set, subject

SUBJECTS = [subject("planted"), subject(FIRST_SUBJECT), subject("absent", ready=False)]
SETS = [prompt_set("bundled:demo"), prompt_set("planted")]
CHOICES = st.builds(
    Choices,
    subject=st.sampled_from([one.id for one in SUBJECTS]),
    prompts=st.sampled_from([one.id for one in SETS]),
    effort=st.sampled_from(sorted(EFFORTS)),
    layers=st.lists(st.integers(0, 40), unique=True).map(tuple),
    onset=st.sampled_from(sorted(ONSETS)),
    sink=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
    device=st.sampled_from(sorted(DEVICES)),
    dtype=st.sampled_from(sorted(DTYPES)),
)


@given(CHOICES)
def test_a_link_brings_back_every_choice(choices):
    assert choices_of_query(read_query(choices.query()), SUBJECTS, SETS) == choices


@given(CHOICES)
def test_every_choice_makes_a_spec(choices):
    spec = choices.spec()
    assert (spec.subject, spec.prompt_set, spec.seed) == (choices.subject, choices.prompts, choices.seed)
    assert spec.layers == (sorted(choices.layers) or None)


def test_without_prompts_there_is_nothing_to_audit():
    assert Choices(subject="planted", prompts=None).spec() is None


def test_an_empty_link_and_one_to_what_is_gone_open_with_a_first_audit():
    for search in ("", "?subject=deleted&prompts=deleted&effort=huge&layers=x&seed=-"):
        choices = choices_of_query(read_query(search), SUBJECTS, SETS)
        assert choices == Choices(subject=FIRST_SUBJECT, prompts=FIRST_PROMPTS)


def test_a_server_without_the_bundled_subject_opens_with_none():
    assert choices_of_query({}, [subject("mine")], SETS) == Choices(subject=None, prompts=FIRST_PROMPTS)
