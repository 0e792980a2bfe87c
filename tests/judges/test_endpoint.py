"""The client of chat endpoints against a real server: good answers, slow ones, failures, garbage, redirects."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from backend.errors import AuditFailed, BadInput
from backend.judges.endpoint import Endpoint, Patience, checked_url
from tests.judges.chat_server import GOOD, KEY, ChatServer, Reply, chat_server

QUICK = Patience(
    connect=20.0, answer=20.0, tries=3, first_wait=0.001, longest_wait=0.01
)  # to try again, not to give up
HASTY = replace(QUICK, answer=0.5)
SECRET = "words of a completion"
MESSAGES = [{"role": "user", "content": SECRET}]


def endpoint(server: ChatServer, calls: int = 10, patience: Patience = QUICK, **options: Any) -> Endpoint:
    return Endpoint(server.url, "tiny", calls, KEY, patience, **options)


def failure(server: ChatServer, calls: int = 10, patience: Patience = QUICK) -> str:
    with pytest.raises(AuditFailed) as raised:
        endpoint(server, calls, patience).ask(MESSAGES)
    text = str(raised.value)
    assert KEY not in text
    assert SECRET not in text
    assert "\n" not in text
    return text


def test_a_good_answer_is_the_models_text() -> None:
    with chat_server(lambda number, question: GOOD) as server:
        assert endpoint(server).ask(MESSAGES) == GOOD.content
    (asked,) = server.asked
    assert (asked["path"], asked["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert (asked["model"], asked["temperature"], asked["messages"]) == ("tiny", 0, MESSAGES)


def test_no_key_no_header() -> None:
    with chat_server(lambda number, question: GOOD) as server:
        Endpoint(server.url, "tiny", 1, None, QUICK).ask(MESSAGES)
    assert server.asked[0]["authorization"] is None


@pytest.mark.parametrize("status", [429, 500, 503])
def test_it_is_asked_again_after_a_passing_failure(status: int) -> None:
    waits: list[float] = []
    with chat_server(lambda number, question: GOOD if number == 2 else Reply(status, body=b"busy")) as server:
        assert endpoint(server, sleep=waits.append).ask(MESSAGES) == GOOD.content
    assert len(server.asked) == 3
    assert waits == [0.001, 0.002]


def test_it_waits_as_long_as_the_server_asks_but_no_longer_than_it_has_patience() -> None:
    waits: list[float] = []
    told = Reply(429, body=b"", headers={"retry-after": "3600"})
    with chat_server(lambda number, question: GOOD if number else told) as server:
        endpoint(server, sleep=waits.append).ask(MESSAGES)
    assert waits == [QUICK.longest_wait]


def test_a_failure_that_stays_is_one_line() -> None:
    with chat_server(lambda number, question: Reply(500, body=SECRET.encode())) as server:
        assert "status 500, 3 times" in failure(server)
    assert len(server.asked) == 3


@pytest.mark.parametrize("reply", [Reply(content="late", wait=2.0), Reply(content="slowly", drip=0.03)])
def test_a_slow_answer_is_given_up(reply: Reply) -> None:
    with chat_server(lambda number, question: reply if number == 0 else GOOD) as server:
        assert endpoint(server, patience=HASTY).ask(MESSAGES) == GOOD.content
    with chat_server(lambda number, question: reply) as server:
        assert "no answer in time, 3 times" in failure(server, patience=HASTY)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        b"[" * 100_000,
        b'{"choices": [{"message": "x"}]}',
    ],
)
def test_garbage_is_one_line(body: bytes) -> None:
    with chat_server(lambda number, question: Reply(body=body)) as server:
        assert "not one of an OpenAI-compatible chat endpoint" in failure(server)
    assert len(server.asked) == 1


def test_an_answer_without_end_is_cut() -> None:
    with chat_server(lambda number, question: Reply(body=b"x" * 1_100_000)) as server:
        assert "larger than 1000000 bytes" in failure(server)


def test_a_redirect_is_not_followed_so_the_key_goes_nowhere_else() -> None:
    with chat_server(lambda number, question: GOOD) as elsewhere:
        there = {"location": f"{elsewhere.url}/chat/completions"}
        with chat_server(lambda number, question: Reply(307, body=b"", headers=there)) as server:
            assert "redirect" in failure(server)
    assert elsewhere.asked == []


@pytest.mark.parametrize(("status", "said"), [(401, "REFUSALSCOPE_JUDGE_KEY"), (404, "check the address")])
def test_what_the_user_can_mend_is_said(status: int, said: str) -> None:
    with chat_server(lambda number, question: Reply(status, body=b"{}")) as server:
        assert said in failure(server)


def test_nobody_there_is_one_line() -> None:
    with chat_server(lambda number, question: GOOD) as server:
        pass
    assert "no connection (ConnectError), 3 times" in failure(server)


def test_the_budget_counts_every_try_and_is_not_overdrawn() -> None:
    with chat_server(lambda number, question: Reply(500, body=b"")) as server:
        assert "holds 0 more calls and 1 are needed" in failure(server, calls=2)
    assert len(server.asked) == 2
    with chat_server(lambda number, question: GOOD) as server:
        held = endpoint(server, calls=2)
        with pytest.raises(AuditFailed, match="REFUSALSCOPE_JUDGE_CALLS"):
            held.reserve(3)
        held.reserve(2)
        assert held.calls_left == 2
        held.ask(MESSAGES)
        assert held.calls_left == 1


def test_the_key_is_in_no_name_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with chat_server(lambda number, question: GOOD) as server:
        asking = endpoint(server)
        asking.ask(MESSAGES)
    told = json.dumps([repr(asking), str(asking), asking.name, caplog.text])
    assert KEY not in told
    assert SECRET not in told


@pytest.mark.parametrize("url", ["https://judge.example/v1/", "http://127.0.0.1:8000/v1", "http://localhost/v1"])
def test_addresses_that_may_be_asked(url: str) -> None:
    assert checked_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://judge.example/v1", "use https"),
        ("ftp://127.0.0.1/v1", "use https"),
        ("http://127.0.0.1.example/v1", "use https"),
        ("https://user:word@judge.example/v1", "no name, password or query"),
        ("https://judge.example/v1?key=word", "no name, password or query"),
        ("https:///v1", "no name, password or query"),
        ("http://[::1/v1", "cannot be read"),
        ("https://judge.example:port/v1", "cannot be read"),
    ],
)
def test_addresses_that_may_not(url: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as raised:
        checked_url(url)
    assert "word" not in str(raised.value).replace("password", "")
