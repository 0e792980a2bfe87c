"""The form of a new audit opens as its address says."""

import asyncio

from frontend.pages import new_audit
from frontend.shell import shown
from tests.frontend.trees import by_id
from tests.frontend.wire_values import page, prompt_set, subject, ui_over


def view(search=""):
    ui = ui_over(
        {
            "/subjects": page(subject("planted"), subject("smollm2-135m-sft", ready=False)),
            "/prompt-sets": page(prompt_set("bundled:demo"), prompt_set("planted")),
        }
    )
    new_audit.register(ui)
    return asyncio.run(shown(ui, "/audits/new", search)).body


def test_it_opens_with_a_first_audit():
    body = view()
    assert (by_id(body, "new-subject").value, by_id(body, "new-prompts").value) == ("smollm2-135m-sft", "bundled:demo")
    assert by_id(body, "new-start").disabled


def test_a_link_fills_it_in():
    body = view("?subject=planted&prompts=planted&effort=thorough&layers=9&sink=1&seed=7")
    chosen = {name: by_id(body, f"new-{name}").value for name in ("subject", "prompts", "effort", "layers", "seed")}
    assert chosen == {"subject": "planted", "prompts": "planted", "effort": "thorough", "layers": ["9"], "seed": 7}
    assert by_id(body, "new-sink").checked


def test_a_subject_that_is_not_ready_says_so_in_the_list():
    labels = [one["label"] for one in by_id(view(), "new-subject").data]
    assert labels == ["planted", "smollm2-135m-sft (not ready)"]
