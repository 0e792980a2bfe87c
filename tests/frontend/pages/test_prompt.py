"""The prompt page: all of a prompt's story, as text, and nothing that a reader may not do."""

from dataclasses import replace

from backend.audit.results import PromptResult
from frontend.components.minimal_sets import CURVE_NOT_IN_REPORT
from frontend.components.revealable import NOT_KEPT, READ_ONLY
from frontend.components.token_heat_view import FEATURE, NOT_IN_REPORT, TOKEN
from frontend.components.what_if import STATE
from frontend.components.what_if_form import RUN
from frontend.pages.prompt import prompt
from tests.frontend.features_data import audit_detail
from tests.frontend.prompt_data import HOSTILE, STORY, UNAUDITED, prompt_detail
from tests.frontend.trees import by_id, links, parts, words
from tests.measured_reports import STABILITY, measured_prompt


def page(story: PromptResult = STORY, query: dict[str, str] | None = None, **audit: bool):
    detail = audit_detail(read_only=audit.get("read_only", False))
    return prompt(
        detail.model_copy(update={"has_completions": audit.get("kept", True)}), prompt_detail(story), [], query or {}
    )


def ids(tree):
    return {part.id for part in parts(tree) if isinstance(getattr(part, "id", None), str)}


def test_the_whole_story_is_there() -> None:
    view = page()
    said = words(view)
    assert HOSTILE in said
    assert {"tokens", "completions", "minimal-set", "controls", "what-if", "cascade"} <= ids(view)
    assert "0 of 4 random draws flipped" in said
    assert "2 dormant features woke, beside 0.5 under matched random ablation" in said
    assert "21:1130 → 24:7 +4.0" in said
    assert "I will not help with that." in said
    assert "/audits/audit_1/features/21-1130" in links(view)
    assert "/audits/audit_1/prompts/h%2F0%20%3F" in links(view)


def test_a_prompt_that_was_not_audited_has_its_baseline_and_the_what_if() -> None:
    view = page(UNAUDITED)
    assert {"completions", "what-if"} <= ids(view)
    assert not {"minimal-set", "controls", "cascade"} & ids(view)


def test_an_old_report_says_what_it_lacks() -> None:
    said = words(page(replace(STORY, tokens=None, activations={}, ablation_curve=())))
    assert NOT_IN_REPORT in said
    assert CURVE_NOT_IN_REPORT in said


def test_a_cold_link_restores_feature_token_and_what_if() -> None:
    view = page(query={"feature": "12:5", "token": "4", "set": "12:5", "mode": "mean"})
    assert (by_id(view, FEATURE).data, by_id(view, TOKEN).data) == ("12:5", 4)
    assert by_id(view, STATE).data == {"set": ["12:5"], "mode": "mean"}


def test_a_prompt_that_never_flipped_is_told_as_a_result() -> None:
    said = words(page(replace(STORY, minimal_sets=(), k=None, self_repair=None, ablation_curve=())))
    assert "No candidate set took the score below 0" in said
    assert "the lowest score reached is −3.00" in said


def test_a_reader_of_a_link_can_neither_try_nor_reveal() -> None:
    view = page(read_only=True)
    assert RUN not in ids(view)
    assert READ_ONLY in words(view)
    assert "Reveal" not in words(view)


def test_completions_that_are_not_kept_cannot_be_revealed() -> None:
    assert NOT_KEPT in words(page(kept=False))


def test_verification_and_perturbations_of_the_prompt_are_there() -> None:
    story = measured_prompt(STORY)
    detail = audit_detail().model_copy(update={"stability": STABILITY, "has_completions": True})
    view = prompt(detail, prompt_detail(story), [], {})
    said = words(view)
    assert {"verification", "perturbed"} <= ids(view)
    assert "0 of 4 draws of noise flipped" in said
    assert "set clamped" in said
    assert "The request is put into the mouth of a character." in said
    assert "Whole layers in the order 21, 15: flipped after 2 layers." in said
    assert not {"verification", "perturbed"} & ids(page())
