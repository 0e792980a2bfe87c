"""The client asks the right route, gives back wire types, and turns every refusal into one kind of error."""

import asyncio
import json

import httpx
import pytest

from backend.api import schemas as wire
from frontend.api_client import ApiClient, ApiProblem


def client(answer):
    return ApiClient(httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://server"))


def test_a_list_is_asked_for_with_the_filters_that_say_something():
    asked = []

    def answer(request):
        asked.append(request.url)
        return httpx.Response(200, json={"items": [], "total": 0, "next_cursor": None})

    page = asyncio.run(client(answer).audits(state="done", text="", subject=None, limit=5))
    assert page == wire.Page[wire.AuditSummary](items=[], total=0, next_cursor=None)
    assert (asked[0].path, dict(asked[0].params)) == ("/api/audits", {"state": "done", "limit": "5"})


def test_a_name_stays_one_segment_of_the_path():
    asked = []

    def answer(request):
        asked.append(request.url.raw_path.decode())
        return httpx.Response(204)

    asyncio.run(client(answer).delete_prompt_set("../audits?x#y/z"))
    assert asked == ["/api/prompt-sets/..%2Faudits%3Fx%23y%2Fz"]


def test_a_body_is_sent_as_the_wire_type_has_it():
    sent = []

    def answer(request):
        sent.append((request.method, json.loads(request.content)))
        estimate = wire.Estimate(
            seconds_low=1, seconds_high=2, memory_gib=None, basis="", n_prompts=3, n_harmful=2, answered_by=None
        )
        return httpx.Response(200, json=estimate.model_dump())

    spec = wire.AuditSpec(subject="planted", prompt_set="planted", effort="quick")
    estimate = asyncio.run(client(answer).estimate(spec))
    assert estimate.seconds_high == 2
    assert sent == [("POST", spec.model_dump(mode="json"))]


def test_a_problem_keeps_its_lines():
    problem = wire.Problem(
        title="Prompts cannot be read", status=422, detail="a.csv, line 3: empty", errors=[{"line": 3}]
    )

    def answer(request):
        return httpx.Response(422, json=problem.model_dump())

    with pytest.raises(ApiProblem, match=r"a\.csv, line 3: empty") as caught:
        asyncio.run(client(answer).upload_prompts("a.csv", b"x"))
    assert (caught.value.status, caught.value.errors) == (422, [{"line": 3}])


def test_an_answer_that_is_no_problem_is_one_all_the_same():
    with pytest.raises(ApiProblem, match="502 Bad Gateway"):
        asyncio.run(client(lambda request: httpx.Response(502, text="<html>")).subjects())


def test_no_answer_is_a_problem():
    def answer(request):
        raise httpx.ConnectError("refused")

    with pytest.raises(ApiProblem, match="did not answer"):
        asyncio.run(client(answer).job("j1"))


def test_a_server_without_workers_still_tells_its_readiness():
    readiness = wire.Readiness(ready=False, database=True, workers=[], starting=False, detail="no worker is running")
    found = asyncio.run(client(lambda request: httpx.Response(503, json=readiness.model_dump())).ready())
    assert found == readiness
