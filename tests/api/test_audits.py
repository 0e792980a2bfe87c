"""Audits over HTTP: estimated, submitted, answered from what is known, stopped, taken up again, deleted."""

from typing import Any

import pytest

from backend.store import jobs
from tests.api.conftest import Audited
from tests.api.site import SPEC, Site, problem
from tests.jobs.service import PROMPTS, wait_until


def submit(site: Site, **request: Any) -> dict[str, Any]:
    submitted: dict[str, Any] = site.post("/audits", {"spec": SPEC, **request})
    return submitted


def test_a_submitted_audit_is_queued(site: Site) -> None:
    submitted = submit(site)
    audit = submitted["audit"]
    assert (audit["state"], submitted["reused"]) == ("queued", False)
    assert audit["name"] == "planted on planted"
    job = site.get(f"/jobs/{audit['job_id']}")
    assert (job["kind"], job["state"]) == ("audit", "queued")
    assert audit["id"] in [one["id"] for one in site.get("/audits", state="queued")["items"]]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"subject": "nobody"}, "subject"),
        ({"prompt_set": "ps_none"}, "prompt_set"),
        ({"layers": [1, 5]}, "layers"),
        ({"effort": "heroic"}, "spec.effort"),
        ({"seed": -1}, "spec.seed"),
        ({"efort": "quick"}, "spec.efort"),
    ],
)
def test_a_spec_that_cannot_be_audited_is_refused(site: Site, changed: dict[str, Any], field: str) -> None:
    content = problem(site.client.post("/api/audits", json={"spec": {**SPEC, **changed}}), 422)
    assert content["errors"][0]["field"] == field
    assert content["detail"].startswith(f"{field}: ")


def test_a_subject_whose_files_are_missing_says_what_to_run(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path))
    spec = {**SPEC, "subject": "smollm2-135m-sft"}
    assert "refusalscope models fetch" in problem(site.client.post("/api/audits", json={"spec": spec}), 422)["detail"]
    assert "refusalscope models fetch" in site.get("/subjects/smollm2-135m-sft")["problem"]


def test_a_finished_answer_is_given_at_once(audited: Audited) -> None:
    before = audited.site.get("/audits")["total"]
    layers_named = {**SPEC, "layers": [4, 3, 2, 1, 1]}  # all of them: the same as none named
    for spec in (SPEC, layers_named):
        answer = audited.site.client.post("/api/audits", json={"spec": spec})
        assert (answer.status_code, answer.json()["reused"]) == (200, True)
        assert answer.json()["audit"]["id"] == audited.id
    assert audited.site.get("/audits")["total"] == before
    assert audited.site.post("/audits/estimate", SPEC)["answered_by"] == audited.id


def test_another_setting_is_another_question(audited: Audited) -> None:
    submitted = audited.site.post("/audits", {"spec": {**SPEC, "seed": 7}})
    assert submitted["reused"] is False
    assert audited.site.ended(submitted["audit"]["id"])["state"] == "done"


def test_a_rerun_works_everything_out_anew(audited: Audited) -> None:
    submitted = audited.site.post(f"/audits/{audited.id}/rerun")
    again = submitted["audit"]["id"]
    assert (again != audited.id, submitted["reused"]) == (True, False)
    assert audited.site.ended(again)["state"] == "done"
    card = [audited.site.get(f"/audits/{one}")["report_card"] for one in (audited.id, again)]
    assert card[0] == card[1]
    with audited.site.database.reading() as session:
        job = jobs.read(session, submitted["audit"]["job_id"])
    assert job is not None
    assert job.args["fresh"] is True


def test_an_estimate_rests_on_what_ran_here(audited: Audited) -> None:
    estimate = audited.site.post("/audits/estimate", {**SPEC, "prompt_set": "planted"})
    assert 0 < estimate["seconds_low"] < estimate["seconds_high"]
    assert (estimate["n_prompts"], estimate["n_harmful"]) == (96, 48)
    assert "took" in estimate["basis"]
    assert 0 < estimate["memory_gib"] < 64
    smaller = audited.site.post("/audits/estimate", SPEC)
    assert smaller["seconds_high"] < estimate["seconds_high"]


def test_an_estimate_with_nothing_to_go_by_says_so(site: Site) -> None:
    estimate = site.post("/audits/estimate", {**SPEC, "effort": "thorough"})
    assert (estimate["seconds_low"], estimate["seconds_high"], estimate["memory_gib"]) == (None, None, None)
    assert "nothing to compare" in estimate["basis"]


def test_a_queued_audit_is_cancelled_and_resumed(site: Site) -> None:
    audit = submit(site, name="stop me")["audit"]["id"]
    assert site.post(f"/audits/{audit}/cancel")["state"] == "cancelled"
    assert "only a queued or running one" in problem(site.client.post(f"/api/audits/{audit}/cancel"), 409)["detail"]
    resumed = site.post(f"/audits/{audit}/resume")
    assert resumed["state"] == "queued"
    problem(site.client.post(f"/api/audits/{audit}/resume"), 409)


def test_an_audit_without_results_says_so(site: Site) -> None:
    audit = submit(site)["audit"]["id"]
    for part in ("distributions", "cascade", "interactions", "prompts", "features", "report.json", "report.html"):
        assert "has no results yet" in problem(site.client.get(f"/api/audits/{audit}/{part}"), 409)["detail"]
    assert site.get(f"/audits/{audit}")["report_card"] is None


def test_an_audit_is_renamed_and_deleted(site: Site) -> None:
    audit = submit(site)["audit"]["id"]
    name = "<b>mine</b>"
    assert site.client.patch(f"/api/audits/{audit}", json={"name": name}).json()["name"] == name
    assert site.get("/audits", text="<B>")["total"] == 1
    problem(site.client.patch(f"/api/audits/{audit}", json={"name": ""}), 422)
    assert site.client.delete(f"/api/audits/{audit}").status_code == 204
    problem(site.client.get(f"/api/audits/{audit}"), 404)
    problem(site.client.delete(f"/api/audits/{audit}"), 404)


@pytest.mark.parametrize("path", ["/audits/none", "/jobs/none", "/subjects/none", "/prompt-sets/none/prompts", "/none"])
def test_what_is_not_there_is_a_problem(site: Site, path: str) -> None:
    assert "no" in problem(site.client.get(f"/api{path}"), 404)["detail"]


def test_a_check_is_a_job_whose_figures_stay(audited: Audited) -> None:
    job = audited.site.post("/subjects/planted/check")
    wait_until(lambda: audited.site.get(f"/jobs/{job['id']}")["state"] == "done")
    check = audited.site.get("/subjects/planted")["check"]
    assert [layer["layer"] for layer in check["layers"]] == [1, 2, 3, 4]


def test_a_worker_is_seen(audited: Audited) -> None:
    ready = audited.site.get("/ready")
    assert ready["ready"] is True
    assert ready["workers"][0]["subject"] == "planted"


def test_without_a_worker_the_server_is_not_ready(site: Site) -> None:
    answer = site.client.get("/api/ready")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "refusalscope serve" in answer.json()["detail"]


def test_prompts_of_the_set_are_the_audits(audited: Audited) -> None:
    assert audited.site.get(f"/audits/{audited.id}")["audit"]["prompt_set_id"] == PROMPTS
