"""What a reader sees of an audit that is not done."""

import pytest

from backend.api import schemas as wire
from backend.jobs.progress import WEIGHTS
from frontend.components.live_audit import STAGES, live_audit, live_view, register_live_audit, stage_list
from tests.frontend.trees import by_id, parts, words
from tests.frontend.wire_values import audit, ui_over

PROGRESS = wire.Progress(
    stage="prompts", done=12, total=48, detail="h012", seconds_left=90, overall=0.5, overall_seconds_left=260
)
NO_WORKER = wire.Readiness(
    ready=False, database=True, workers=[], starting=False, detail="no worker is running: start one"
)


def test_every_stage_of_an_audit_has_its_words():
    assert list(STAGES) == list(WEIGHTS)


def test_a_running_audit_says_where_it_is():
    text = words(live_view(audit("running", progress=PROGRESS, started=1000.0), None, 1100.0))
    for said in (
        "Running",
        "50 %, about 4 min 20 s left",
        "12 of 48 prompts, about 1 min 30 s left",
        "h012",
        "1 min 40 s",
    ):
        assert said in text


def test_stages_before_are_done_and_stages_after_are_to_come():
    marks = [part.className for part in parts(stage_list(PROGRESS, running=True)) if hasattr(part, "data-stage")]
    assert marks == ["stage done"] * 5 + ["stage now"] + ["stage later"] * (len(STAGES) - 6)


def test_a_queued_audit_says_why_it_waits():
    assert "no worker is running" in words(live_view(audit("queued"), NO_WORKER, 1001.0))
    assert "no worker" not in words(live_view(audit("queued"), None, 1001.0))
    starting = NO_WORKER.model_copy(update={"starting": True, "detail": ""})
    assert "A worker is starting" in words(live_view(audit("queued"), starting, 1001.0))


def test_a_failure_is_told_and_can_be_resumed():
    view = live_audit(audit("failed", error="subject: files are gone; run models fetch", started=1.0, finished=2.0))
    assert "files are gone" in words(view)
    assert by_id(view, "live-resume").display != "none"
    assert by_id(view, "live-cancel").display == "none"


@pytest.mark.parametrize(
    ("state", "asks"), [("queued", True), ("running", True), ("cancelled", False), ("failed", False)]
)
def test_only_what_goes_on_is_asked_for_again(state, asks):
    assert by_id(live_audit(audit(state)), "live-tick").disabled is not asks


def test_tick_cancel_and_resume_fill_the_same_places():
    ui = ui_over({})
    register_live_audit(ui)
    filled = {
        callback["inputs"][0]["id"]: [place.partition("@")[0] for place in callback["output"].strip(".").split("...")]
        for callback in ui.app._callback_list
    }
    assert set(filled) == {"live-tick", "live-cancel", "live-resume"}
    for places in filled.values():
        assert places[:2] == ["live-view.children", "live-tick.disabled"]
        assert places[2:] == ["live-cancel.display", "live-resume.display", "audit-state.children"]
