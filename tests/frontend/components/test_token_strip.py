"""The token strip: every token in its class, warm where the feature fires, and a feature's chip says what it is."""

import json

from backend.audit.results import PromptTokens
from frontend.components.token_heat_view import chosen, clicked_feature
from frontend.components.token_strip import feature_chips, heat_of, token_details, token_strip
from frontend.token_text import visible_token
from tests.frontend.prompt_data import HOSTILE, MINIMAL, STORY
from tests.frontend.trees import parts, words

TOKENS = STORY.tokens or PromptTokens((), ())


def of_class(tree, name):
    return [part for part in parts(tree) if name in str(getattr(part, "className", "")).split()]


def test_tokens_are_warm_by_their_share_of_the_largest() -> None:
    tokens = of_class(token_strip(TOKENS, STORY.activations, "21:1130", 4), "token")
    assert [token.children for token in tokens] == ["<s>", "How", " do", HOSTILE, "↵"]
    assert [token.style["--heat"] for token in tokens] == ["0.000", "0.000", "0.000", "0.500", "1.000"]
    assert [token.tabIndex for token in tokens] == [0, -1, -1, -1, 0]
    assert "clicked" in tokens[4].className


def test_runs_of_one_class_stand_together() -> None:
    strip = token_strip(TOKENS, STORY.activations, None, None)
    assert [run.children for run in of_class(strip, "token-class")] == ["sink", "instruction", "post-instruction"]
    assert json.loads(getattr(strip, "data-activations"))["21:1130"] == [[3, 4.0], [4, 8.0]]


def test_a_clicked_token_tells_what_fires_there() -> None:
    chips = of_class(token_details(TOKENS, STORY.activations, 4), "feature-chip")
    assert [getattr(chip, "data-feature") for chip in chips] == ["12:5", "21:1130"]
    assert "No listed feature" in words(token_details(TOKENS, STORY.activations, 0))
    assert token_details(TOKENS, STORY.activations, 99) is None


def test_chips_go_by_layer_and_mark_choice_and_minimal_set() -> None:
    chips = of_class(feature_chips(STORY.activations, MINIMAL.features, "12:5"), "feature-chip")
    assert [getattr(chip, "data-feature") for chip in chips] == ["9:1", "12:5", "21:1130"]
    assert [getattr(chip, "aria-pressed") for chip in chips] == ["false", "true", "false"]
    assert ["●" in words(chip) for chip in chips] == [True, False, True]


def test_the_chosen_feature_is_one_that_is_active_here() -> None:
    assert chosen(STORY.activations, MINIMAL.features, "12:5") == "12:5"
    assert chosen(STORY.activations, ("1:1", "21:1130"), "<script>") == "21:1130"
    assert chosen(STORY.activations, (), None) == "12:5"
    assert chosen({}, MINIMAL.features, "12:5") is None


def test_a_click_on_a_figure_names_its_feature() -> None:
    assert clicked_feature({"points": [{"y": "21:1130", "x": 3}]}, "y") == "21:1130"
    assert clicked_feature(None, "y") is not None  # no_update


def test_a_silent_feature_warms_nothing() -> None:
    assert heat_of(()) == {}
    assert heat_of(((1, 0.0),)) == {}


def test_white_space_is_seen() -> None:
    assert [visible_token(text) for text in ("\n", "\t", "  ", "", " a")] == ["↵", "⇥", "␣␣", "∅", " a"]
