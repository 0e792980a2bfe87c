"""What a what-if's panel offers and says, and how long it waits for an answer."""

import asyncio

import httpx
import pytest

from backend.api.schemas import WhatIfRequest, WhatIfResult
from frontend.api_client import ApiClient, ApiProblem
from frontend.components import what_if_form as form
from frontend.components.what_if import answer, ask
from frontend.components.what_if_result import what_if_result
from frontend.figures.what_if_scores import what_if_scores
from frontend.what_if_state import from_query
from tests.frontend.prompt_data import STORY, UNAUDITED
from tests.frontend.trees import by_id, parts, words

ADDRESS = {"audit_id": "a", "prompt_id": "h1"}
REQUEST = WhatIfRequest.model_validate({"intervention": {"features": ["21:1130"]}})
PROBLEM = {"title": "Late", "status": 504, "detail": "The answer is on its way", "errors": [{"job": "job_1"}]}
JOB = {
    "id": "job_1", "kind": "what_if", "state": "done", "created": 1.0, "started": 1.0, "finished": 2.0, "attempts": 1,
    "progress": None, "error": None,
}  # fmt: skip


def arm(score, completion=None, active=2):
    return {"score": score, "n_active": active, "completion": completion}


def completion(verdict, text=None):
    return {"verdict": verdict, "n_tokens": 9, "ended": True, "text": text}


def result(**changes):
    values = {
        "job_id": "job_1", "baseline": arm(3.0), "intervened": arm(-2.0), "random": arm(2.9), "inactive": [],
        "seconds": 0.1,
    }  # fmt: skip
    return WhatIfResult.model_validate(values | changes)


def api(*answers):
    left = list(answers)

    def respond(request):
        status, body = left.pop(0)
        return httpx.Response(status, json=body)

    return ApiClient(httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://server"))


def test_the_minimal_set_is_ticked_and_what_is_not_offered_is_typed() -> None:
    fields = form.what_if_form(STORY, from_query({"set": "21:1130,3:99", "mode": "scale", "scale": "-2"}, ["9:1"]))
    assert by_id(fields, form.TICKED).value == ["21:1130"]
    assert by_id(fields, form.TYPED).value == ["3:99"]
    assert (by_id(fields, form.MODE).value, by_id(fields, form.SCALE).value) == ("scale", -2.0)
    assert by_id(fields, form.SCALE).disabled is False


def test_the_minimal_set_is_offered_first_and_active_features_too() -> None:
    assert form.offered_features(STORY) == ["9:1", "21:1130", "12:5"]
    assert form.offered_features(UNAUDITED) == []
    assert "lists no feature" in words(form.what_if_form(UNAUDITED, from_query({}, [])))


def test_the_score_comes_first_and_says_that_completions_follow() -> None:
    said = words(what_if_result(result(), 0.3, writing=True))
    assert "The score leans to compliance. s 3.00 → −2.00" in said
    assert "writing its completion" in said
    assert "Answered in 0.30 s, of it 0.10 s in the worker." in said


def test_a_flip_is_named_by_behaviour() -> None:
    done = result(
        baseline=arm(3.0, completion("refused", "No.")),
        intervened=arm(-2.0, completion("complied")),
        inactive=["3:99"],
        random=None,
    )
    said = words(what_if_result(done, 0.3, writing=False))
    assert "Flipped: refused at baseline, complies" in said
    assert "Silent on this prompt, so that changing them did nothing: 3:99" in said
    assert "No matched random set" in said
    incoherent = result(baseline=arm(3.0, completion("refused", "No.")), intervened=arm(-9.0, completion("incoherent")))
    assert "Refused at baseline, incoherent with this set changed" in words(
        what_if_result(incoherent, 0.3, writing=False)
    )


def test_masked_words_can_be_asked_for_by_the_job() -> None:
    done = result(intervened=arm(-2.0, completion("complied")))
    names = [
        p.data["name"] for p in parts(what_if_result(done, 0.3, writing=False)) if getattr(p, "_type", "") == "Store"
    ]
    assert names == ["what_if:job_1:intervened"]


def test_scores_stand_on_one_axis() -> None:
    assert list(what_if_scores(result()).data[0].x) == [2.9, -2.0, 3.0]
    assert len(what_if_scores(result(random=None)).data[0].x) == 2


def test_a_late_answer_is_fetched_from_its_job() -> None:
    done = JOB | {"result": result().model_dump(mode="json")}
    late = api((504, PROBLEM), (200, JOB | {"state": "running", "result": None}), (200, done))
    assert asyncio.run(answer(late, ADDRESS, REQUEST)) == result()


def test_a_job_that_failed_is_not_waited_for() -> None:
    with pytest.raises(ApiProblem, match="on its way"):
        asyncio.run(answer(api((504, PROBLEM), (200, JOB | {"state": "failed", "result": None})), ADDRESS, REQUEST))


def test_no_worker_is_one_line() -> None:
    problem = {"title": "No worker", "status": 503, "detail": "Start one: refusalscope worker"}
    shown, answered = asyncio.run(ask(api((503, problem)), ADDRESS, REQUEST, writing=True))
    assert not answered
    assert problem["detail"] in words(shown)


def test_first_words_are_no_verdict_yet_and_cannot_be_revealed() -> None:
    part = result(baseline=arm(3.0, completion("complied")), intervened=arm(-2.0, completion("complied")), random=None)
    shown = what_if_result(part, 0.3, writing=True)
    said = words(shown)
    assert "The score leans to compliance" in said
    assert said.count("verdict so far, writing the rest") == 2
    assert "Reveal" not in said
    assert "Reveal" in words(what_if_result(part, 0.3, writing=False))
