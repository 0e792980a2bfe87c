"""Perturbations ask the same thing otherwise: what each promises of the request's words, seeds, sizes and scripts."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.prompts.perturbations.context import DISTRACTOR, EARLIER
from backend.prompts.perturbations.paraphrase import swap_mood
from backend.prompts.perturbations.perturbation import Chat, TextPerturbation
from backend.prompts.perturbations.placebo import toggle_full_stop
from backend.prompts.perturbations.registry import ALL, CORE
from backend.prompts.perturbations.surface import swap_letters

BY_NAME = {one.name: one for one in ALL}
VERBATIM = {  # the request stands in the perturbed text letter for letter
    *("trailing_space", "could_you", "would_like", "question", "role_play", "override", "fiction", "prefix_injection"),
    *("polite", "distractor_before", "distractor_after", "earlier_exchange", "french", "spanish", "german"),
}
SAME_WORDS = {"double_space", "wide_spaces"}  # and here its words, in order
LONGEST_FRAME = 120  # letters that a frame may add

# Any script, combining marks and emoji; no lone surrogates, which no file can hold.
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300).filter(lambda text: text.strip())
perturbations = st.sampled_from(ALL)


def test_every_perturbation_is_named_once_and_told() -> None:
    assert len(BY_NAME) == len(ALL)
    assert {one.kind for one in ALL} == {"placebo", "paraphrase", "wrapper", "surface", "context", "language"}
    assert all(one.description for one in ALL)
    assert {"placebo", "paraphrase", "wrapper", "surface", "context"} == {one.kind for one in CORE}
    assert set(BY_NAME) >= VERBATIM | SAME_WORDS


@given(perturbations, texts, st.integers(0, 2**63 - 1))
def test_what_every_perturbation_promises(one: TextPerturbation, text: str, seed: int) -> None:
    chat = one.on(text, Random(seed))
    assert chat == one.on(text, Random(seed))
    if chat is None:
        return
    assert chat != Chat(text)
    assert chat.text.strip()
    assert chat.text.encode()
    assert len(chat.text) <= 3 * len(text) + LONGEST_FRAME  # one letter may have three capitals
    if one.name in VERBATIM:
        assert text in chat.text
    if one.name in SAME_WORDS:
        assert chat.text.split(" ") != text.split(" ")
        assert [word for word in chat.text.split(" ") if word] == [word for word in text.split(" ") if word]


@given(st.sampled_from(sorted(VERBATIM)), texts)
def test_frames_apply_to_any_text(name: str, text: str) -> None:
    assert BY_NAME[name].on(text, Random(0)) is not None


@given(texts, st.integers(0, 1000), st.sampled_from([0.02, 0.05]))
def test_typos_swap_letters_within_words_at_the_stated_rate(text: str, seed: int, share: float) -> None:
    chat = swap_letters(text, Random(seed), share)
    if chat is None:
        return
    changed = [i for i, (a, b) in enumerate(zip(text, chat.text, strict=True)) if a != b]
    assert sorted(chat.text) == sorted(text)
    assert len(changed) % 2 == 0
    assert 2 <= len(changed) <= 2 * max(1, round(share * sum(letter.isalpha() for letter in text)))
    for i in changed:
        assert text[i].isalpha()
        assert text[i - 1].isalpha()  # never the first letter of a word


def test_typos_reach_their_rate_where_there_is_room() -> None:
    text = "planting seedlings outside during warmer months " * 5
    letters = sum(letter.isalpha() for letter in text)
    swapped = swap_letters(text, Random(1), 0.05)
    assert swapped is not None
    assert sum(a != b for a, b in zip(text, swapped.text, strict=True)) == 2 * round(0.05 * letters)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("How do I tie a bowline?", "Explain how to tie a bowline."),
        ("how to tie a bowline", "Explain how to tie a bowline."),
        ("How can someone tie a bowline", "Explain how to tie a bowline."),
        ("Write a poem about rain.", "Can you write a poem about rain?"),
        ("Give me three names!", "Can you give me three names?"),
        ("What is a bowline?", None),
        ("How long is it?", None),
        ("Write", None),
        ("Writes poems well.", None),
    ],
)
def test_moods_are_swapped_where_the_grammar_allows(text: str, other: str | None) -> None:
    assert swap_mood(text, Random(0)) == (None if other is None else Chat(other))


@pytest.mark.parametrize(
    ("text", "other"), [("Go on", "Go on."), ("Go on.", "Go on"), ("Why?", "Why"), (".", ".."), (" ?", " ?.")]
)
def test_full_stops_are_toggled(text: str, other: str) -> None:
    assert toggle_full_stop(text, Random(0)) == Chat(other)


def test_what_changes_nothing_is_not_applied() -> None:
    assert BY_NAME["lower_case"].on("no capitals here", Random(0)) is None
    assert BY_NAME["upper_case"].on("12 + 30 = ?", Random(0)) is None
    assert BY_NAME["double_space"].on("word", Random(0)) is None
    assert BY_NAME["typos_5"].on("a bb 12", Random(0)) is None


def test_seeds_tell_random_perturbations_apart() -> None:
    text = "Please describe several gardens around the northern village square"
    for name in ("typos_5", "wide_spaces", "double_space"):
        assert len({BY_NAME[name].on(text, Random(seed)) for seed in range(8)}) > 1


def test_context_is_harmless_and_apart_from_the_request() -> None:
    chat = BY_NAME["earlier_exchange"].on("Name a colour.", Random(0))
    assert chat == Chat("Name a colour.", EARLIER)
    before = BY_NAME["distractor_before"].on("Name a colour.", Random(0))
    assert before == Chat(f"{DISTRACTOR} Name a colour.")


def test_frames_hold_the_request_once() -> None:
    for name in VERBATIM:
        chat = BY_NAME[name].on("zzrequestzz", Random(0))
        assert chat is not None
        assert len(re.findall("zzrequestzz", chat.text)) == 1
