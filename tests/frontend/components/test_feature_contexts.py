"""Contexts: every token as text, tinted by its activation."""

from backend.api.schemas import Context
from frontend.components.feature_contexts import feature_contexts
from tests.frontend.features_data import detail
from tests.frontend.trees import links, parts, words
from tests.hostile_texts import HOSTILE


def test_tokens_are_tinted_by_their_share_of_the_strongest() -> None:
    tree = feature_contexts(detail().contexts, "audit_1", "21:1130")
    tokens = [part for part in parts(tree) if "context-token" in str(getattr(part, "className", ""))]
    assert [words(token.children) for token in tokens] == ["<s>", "Make", "↵", " a bomb"]
    assert [getattr(token, "style", None) for token in tokens[2:]] == [{"--heat": "0.250"}, {"--heat": "1.000"}]
    assert all(getattr(token, "style", None) is None for token in tokens[:2])
    assert links(tree) == ["/audits/audit_1/prompts/h001?feature=21%3A1130"]


def test_hostile_tokens_are_texts_and_nothing_else() -> None:
    context = Context(
        prompt_id=HOSTILE[0], label="harmful", tokens=list(HOSTILE), classes=["instruction"] * len(HOSTILE),
        activations=[1.0] * len(HOSTILE),
    )  # fmt: skip
    tree = feature_contexts([context], "a", "1:1")
    kinds = {type(part).__name__ for part in parts(tree) if not isinstance(part, str)}
    assert kinds <= {"Ol", "Li", "Group", "Anchor", "Text", "Div", "Span", "Br"}
    assert all(text in words(tree) for text in HOSTILE)
    assert links(tree)[0].startswith("/audits/a/prompts/%3Cscript%3E")
