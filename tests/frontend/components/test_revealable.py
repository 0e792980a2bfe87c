"""A masked completion: no words in the page until the API gave them, and no button where it cannot."""

import asyncio
import json

import httpx
from dash import Dash

from backend.api.schemas import MaskedText
from frontend.api_client import ApiClient
from frontend.components.revealable import NOT_KEPT, revealable, revealed
from frontend.page import Ui
from tests.frontend.prompt_data import MASKED, REFUSAL
from tests.frontend.trees import parts, words

ADDRESS = {"audit_id": "a", "prompt_id": "h1"}
FACTS = {"verdict": "complied", "n_tokens": 33, "ended": True, "text": None, "name": "h1/minimal/0", "place": "minimal"}


def ui(answer):
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://server")
    return Ui(Dash(__name__), ApiClient(http))


def ids(tree):
    return [part.id["type"] for part in parts(tree) if isinstance(getattr(part, "id", None), dict)]


def test_masked_has_a_button_and_a_refusal_its_words() -> None:
    assert "reveal-ask" in ids(revealable(MASKED, MASKED.tokens, "minimal", sealed=None))
    refusal = revealable(REFUSAL, REFUSAL.tokens, "baseline", sealed=None)
    assert "reveal-ask" not in ids(refusal)
    assert REFUSAL.text in words(refusal)


def test_what_cannot_be_revealed_says_why() -> None:
    sealed = revealable(MASKED, MASKED.tokens, "minimal", sealed=NOT_KEPT)
    assert ids(sealed) == []
    assert NOT_KEPT in words(sealed)
    assert NOT_KEPT not in words(revealable(REFUSAL, REFUSAL.tokens, "baseline", sealed=NOT_KEPT))


def test_a_what_ifs_completion_is_asked_for_by_its_job() -> None:
    masked = MaskedText(verdict="complied", n_tokens=9, ended=True, text=None)
    shown = parts(revealable(masked, "what_if:job_1:intervened", "what-if", sealed=None))
    stores = [part for part in shown if getattr(part, "_type", "") == "Store"]
    assert stores[0].data["name"] == "what_if:job_1:intervened"


def test_the_words_come_from_the_reveal_route_and_it_is_said() -> None:
    asked = []

    def answer(request):
        asked.append((request.url.path, json.loads(request.content)))
        return httpx.Response(200, json={"completion": "h1/minimal/0", "text": "first gather supplies"})

    shown = asyncio.run(revealed(ui(answer), FACTS, ADDRESS))
    assert asked == [("/api/audits/a/prompts/h1/reveal", {"completion": "h1/minimal/0"})]
    assert "first gather supplies" in words(shown)
    assert "on record" in words(shown)


def test_a_refused_reveal_stays_masked_and_can_be_asked_again() -> None:
    problem = {"title": "Not allowed", "status": 403, "detail": "A read-only link reveals nothing"}
    shown = asyncio.run(revealed(ui(lambda request: httpx.Response(403, json=problem)), FACTS, ADDRESS))
    assert problem["detail"] in words(shown)
    assert "reveal-ask" in ids(shown)
