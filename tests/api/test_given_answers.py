"""Answers given before: the same to every reader, made once, and no more of them held than there is room for."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from backend.api import given_answers, views
from backend.api.given_answers import GivenAnswer, GivenAnswers, Noting
from tests.api.conftest import Audited
from tests.api.site import good
from tests.api.test_reading import KEPT, filled

PLAIN, GZIP = Headers({}), Headers({"Accept-Encoding": "br, gzip"})


def answer(n: int) -> GivenAnswer:
    return GivenAnswer([], b"x" * n)


@pytest.mark.parametrize("part", KEPT)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_the_second_reader_has_the_first_ones_answer(audited: Audited, part: str, encoding: str) -> None:
    address, headers = f"{audited.path}{filled(audited, part)}", {"Accept-Encoding": encoding}
    first, second = (audited.site.client.get(address, headers=headers) for _ in range(2))
    assert (second.status_code, second.content) == (200, first.content)
    assert dict(second.headers) == dict(first.headers)
    assert ("content-encoding" in second.headers) == (encoding == "gzip" and "content-encoding" in first.headers)


def test_it_is_made_once(audited: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"{audited.path}/features/{audited.feature}"
    good(audited.site.client.get(address))
    monkeypatch.delattr(views, "feature_detail")
    good(audited.site.client.get(address))
    with pytest.raises(AttributeError):
        audited.site.client.get(f"{address}?another=question")


def test_a_deleted_audit_is_given_to_nobody(audited: Audited) -> None:
    report = audited.site.client.get(f"{audited.path}/report.json").content
    sent = {"Content-Type": "application/json"}
    other = good(audited.site.client.post("/api/audits/import", content=report, headers=sent))["id"]
    address = f"/api/audits/{other}/distributions"
    assert [audited.site.client.get(address).status_code for _ in range(2)] == [200, 200]
    audited.site.client.delete(f"/api/audits/{other}")
    assert audited.site.client.get(address).status_code == 404


def test_the_longest_unasked_goes_first() -> None:
    given = GivenAnswers(most_bytes=10)
    for name in "abc":
        given.put(name, PLAIN, answer(4))
        given.get("b", PLAIN)
    assert [name for name in "abc" if given.get(name, PLAIN)] == ["b", "c"]
    given.put("b", PLAIN, answer(3))  # again: counted once
    given.put("d", PLAIN, answer(3))
    assert [name for name in "bcd" if given.get(name, PLAIN)] == ["b", "c", "d"]


@pytest.mark.parametrize(("most", "kept"), [(12, True), (11, False)])
def test_what_is_too_large_is_sent_whole_and_not_kept(most: int, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_answers, "MOST_BYTES_EACH", most)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"four"

    async def route(request: Request) -> StreamingResponse:
        return StreamingResponse(pieces(), headers={"ETag": "e"})

    given = GivenAnswers()
    client = TestClient(Noting(Starlette(routes=[Route("/api/it", route)]), given))
    assert client.get("/api/it", headers={"Accept-Encoding": "identity"}).content == b"four" * 3
    assert (given.get("e", PLAIN) is not None) == kept


def test_a_reader_that_cannot_unpack_is_given_none_packed() -> None:
    given = GivenAnswers()
    given.put("a", GZIP, answer(1))
    assert given.get("a", GZIP) is not None
    assert given.get("a", PLAIN) is None
