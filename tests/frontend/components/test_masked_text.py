"""A masked completion shows everything but its words."""

from frontend.components.masked_text import masked_text
from tests.frontend.trees import parts, words


def test_a_masked_completion_says_verdict_and_length():
    text = words(masked_text("complied", 37, False, None))
    assert text == "complied37 tokens, cut at the limit"


def test_masks_are_as_long_as_the_text():
    def bars(n_tokens):
        return sum(
            getattr(part, "className", "") == "mask-bar"
            for part in parts(masked_text("complied", n_tokens, True, None))
        )

    assert bars(5) == 1
    assert bars(100) == 6
    assert bars(100_000) == bars(180)


def test_a_reveal_button_stands_only_where_words_are_hidden():
    assert "Reveal" in words(masked_text("complied", 5, True, None, reveal_id="r"))
    assert "Reveal" not in words(masked_text("complied", 5, True, None))
    assert "Reveal" not in words(masked_text("refused", 5, True, "I cannot help.", reveal_id="r"))


def test_markup_in_words_stays_words():
    assert "<img onerror=alert(1)>" in words(masked_text("refused", 5, True, "<img onerror=alert(1)>"))
