"""What a reader knows of subject, prompts and cost before an audit starts."""

import pytest

from backend.api import schemas as wire
from frontend.components.audit_actions import impossible
from frontend.components.estimate_card import estimate_card, estimated_time
from frontend.components.prompt_set_card import preview_row, prompt_set_card
from frontend.components.subject_card import subject_card
from tests.frontend.trees import links, words
from tests.frontend.wire_values import prompt_set, subject


def figures(**values):
    layer = wire.LayerCheck(
        layer=9, n_tokens=500, fvu=0.1234, l0=31.26, dead_share=0.015, mean_norm=160.0, expected_norm=150.0
    )
    plain = {"n_texts": 96, "layers": [layer], "findings": [], "ok": True, "checked": 0.0}
    return wire.CheckFigures.model_validate({**plain, **values})


def test_a_subject_shows_what_its_check_measured():
    text = words(subject_card(subject("s", check=figures())))
    for said in ("0.123", "31.3", "1.5 %", "160.0 (expected 150.0)", "The SAEs fit the model. Checked on 96 texts"):
        assert said in text


def test_a_check_tells_problems_before_warnings():
    findings = [{"level": "warning", "text": "second"}, {"level": "problem", "text": "first"}]
    text = words(subject_card(subject("s", check=figures(findings=findings, ok=False))))
    assert text.index("problem: first") < text.index("warning: second")
    assert "do not fit" in text


def test_a_subject_that_is_not_here_says_what_to_run():
    text = words(subject_card(subject("s", ready=False, problem="run refusalscope models fetch")))
    assert "run refusalscope models fetch" in text
    assert "Not checked yet" in text


def test_a_prompt_set_counts_by_label_and_split():
    text = words(prompt_set_card(prompt_set("mine", notes=["2 duplicates dropped"])))
    assert "3 prompts, and 2 borrowed" in text
    assert "harmful1012" in text, "discovery, validation, test, all"
    assert "2 duplicates dropped" in text


def test_a_preview_row_keeps_markup_as_words():
    prompt = wire.PromptText(
        position=4,
        id="p4",
        text="<b>\nhow</b>",
        label="look_alike",
        category=None,
        family="f",
        split="test",
        borrowed=True,
    )
    row = preview_row(prompt)
    assert (row["text"], row["label"], row["split"], row["category"]) == (
        "<b> how</b>",
        "look-alike",
        "test, borrowed",
        "",
    )


ESTIMATE = wire.Estimate(
    seconds_low=240, seconds_high=420, memory_gib=1.25, basis="3 audits", n_prompts=24, n_harmful=12, answered_by=None
)


def test_an_estimate_names_time_memory_and_its_basis():
    worker = wire.WorkerState(id="w", device="cpu", subject=None, job_id=None, seen_seconds_ago=0)
    text = words(
        estimate_card(ESTIMATE, wire.Readiness(ready=True, database=True, workers=[worker], starting=False, detail=""))
    )
    for said in ("4 min to 7 min", "about 1.2 GiB", "24 prompts, 12 harmful", "3 audits"):
        assert said in text
    assert "No worker" not in text


def test_a_known_answer_and_a_missing_worker_are_told():
    nobody = wire.Readiness(ready=False, database=True, workers=[], starting=False, detail="")
    card = estimate_card(ESTIMATE.model_copy(update={"answered_by": "a7"}), nobody)
    assert links(card) == ["/audits/a7"]
    assert "No worker is running" in words(card)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (None, None, "not known: nothing comparable has been run yet"),
        (8.0, 8.4, "about 8 s"),
        (30, 90, "30 s to 1 min 30 s"),
    ],
)
def test_times(low, high, expected):
    assert estimated_time(ESTIMATE.model_copy(update={"seconds_low": low, "seconds_high": high})) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, (True, True, True, True)),
        ("queued", (False, False, True, False)),
        ("running", (False, False, True, False)),
        ("done", (False, True, True, False)),
        ("failed", (False, True, False, False)),
        ("cancelled", (False, True, False, False)),
    ],
)
def test_only_what_is_possible_can_be_done_to_an_audit(state, expected):
    assert impossible(state) == expected
