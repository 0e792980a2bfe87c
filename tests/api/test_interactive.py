"""What-ifs and reveals over HTTP, answered by a real worker; and what is said when none is there or it is slow."""

from typing import Any

import pytest
from sqlalchemy import select

from backend.store.tables import JobRow
from tests.api.conftest import Audited
from tests.api.site import SPEC, Site, problem


def what_if(audited: Audited, **changed: Any) -> dict[str, Any]:
    features = audited.story()["minimal_sets"][0]["features"]
    asked = {"intervention": {"features": features}, **changed}
    answer: dict[str, Any] = audited.site.post(f"/audits/{audited.id}/prompts/{audited.prompt}/what-if", asked)
    return answer


def reveal(audited: Audited, completion: str) -> Any:
    return audited.site.client.post(f"{audited.prompt_path}/reveal", json={"completion": completion})


def test_the_minimal_set_flips_the_score_live(audited: Audited) -> None:
    answer = what_if(audited)
    story = audited.story()
    assert answer["baseline"]["score"] == pytest.approx(story["baseline"]["score"], abs=1e-4)
    assert answer["intervened"]["score"] == pytest.approx(story["minimal_sets"][0]["score"], abs=1e-4)
    assert answer["intervened"]["completion"] is None
    assert answer["inactive"] == []


def test_a_completion_under_intervention_comes_masked(audited: Audited) -> None:
    answer = what_if(audited, generate=True)
    completion = answer["intervened"]["completion"]
    assert (completion["verdict"], completion["text"]) == ("complied", None)
    assert answer["baseline"]["completion"]["text"]  # a refusal's words are shown
    job = audited.site.get(f"/jobs/{answer['job_id']}")
    assert "token_ids" not in job["result"]


@pytest.mark.parametrize(
    ("features", "said"), [(["9:1"], "layer"), (["1:99999"], "does not exist"), (["x"], "features")]
)
def test_a_feature_that_is_not_there_is_refused(audited: Audited, features: list[str], said: str) -> None:
    body = {"intervention": {"features": features}}
    assert said in problem(audited.site.client.post(f"{audited.prompt_path}/what-if", json=body), 422)["detail"]


def test_words_are_revealed_once_asked_for_and_put_on_record(audited: Audited) -> None:
    completion = audited.story()["minimal_sets"][0]["response"]["tokens"]
    before = audited.site.get(f"/audits/{audited.id}/reveals")["total"]
    text = reveal(audited, completion).json()["text"]
    assert text.startswith(("Sure", "Here"))
    latest = audited.site.get(f"/audits/{audited.id}/reveals")
    assert latest["total"] == before + 1
    assert (latest["items"][0]["completion"], latest["items"][0]["prompt_id"]) == (completion, audited.prompt)
    assert latest["items"][0]["reader"] == "testclient"
    with audited.site.database.reading() as session:
        assert session.scalars(select(JobRow).where(JobRow.kind == "reveal")).all() == []


def test_words_of_a_what_if_are_revealed_too(audited: Audited) -> None:
    job = what_if(audited, generate=True)["job_id"]
    assert reveal(audited, f"what_if:{job}:intervened").json()["text"]


@pytest.mark.parametrize("name", ["", "nothing", "other-prompt/baseline", "what_if:none:intervened", "what_if:"])
def test_what_is_not_this_prompts_is_not_revealed(audited: Audited, name: str) -> None:
    before = audited.site.get(f"/audits/{audited.id}/reveals")["total"]
    problem(reveal(audited, name), 422)
    assert audited.site.get(f"/audits/{audited.id}/reveals")["total"] == before


def test_nobody_answers_without_a_worker(audited: Audited, site: Site) -> None:
    report = audited.site.client.get(f"{audited.path}/report.json").content
    imported = site.client.post("/api/audits/import", content=report).json()["id"]
    path = f"/api/audits/{imported}/prompts/{audited.prompt}"
    asked = {"intervention": {"features": [audited.feature]}}
    assert "No worker" in problem(site.client.post(f"{path}/what-if", json=asked), 503)["detail"]
    assert "No worker" in problem(site.client.post(f"{path}/reveal", json={"completion": "x"}), 503)["detail"]


def test_an_unfinished_audit_has_no_what_if(site: Site) -> None:
    audit = site.post("/audits", {"spec": SPEC})["audit"]["id"]
    asked = {"intervention": {"features": ["1:1"]}}
    problem(site.client.post(f"/api/audits/{audit}/prompts/x/what-if", json=asked), 409)
    problem(site.client.post("/api/audits/none/prompts/x/what-if", json=asked), 404)
