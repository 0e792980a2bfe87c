"""Responses to requests that come in rounds: what is the same is generated once, and nothing else is."""

from collections.abc import Sequence

from backend.audit.answers import Answers
from backend.audit.interventions import NO_INTERVENTION, Intervention, ablate
from backend.audit.refusal.respond import Answered, Request
from backend.audit.results import Response
from backend.audit.spec import AuditedPrompt
from backend.prompts.prompt import Prompt
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId

SET = ablate((FeatureId(1, 2),))


def request(name: str, prompt: str, *ids: int, intervention: Intervention = NO_INTERVENTION) -> Request:
    tokens = ChatTokens(ids, ("sink",) * len(ids), 0)
    return Request(name, AuditedPrompt(Prompt(prompt, prompt, "harmful", None, prompt, "test"), tokens), intervention)


def test_the_same_is_generated_once_and_the_same_prompt_in_other_words_apart() -> None:
    rounds: list[list[str]] = []

    def respond(requests: Sequence[Request]) -> Answered:
        rounds.append([one.name for one in requests])
        responses = tuple(Response("refused", 1, True, "no", one.name) for one in requests)
        return Answered(responses, {one.name: (7,) for one in requests})

    answers = Answers()
    answers.ask(
        respond,
        [request("p/long", "p", 1, 2, 3), request("p/short", "p", 1), request("p/set", "p", 1, intervention=SET)],
    )
    answers.ask(
        respond,
        [request("p/set again", "p", 1, intervention=SET), request("q/short", "q", 1), request("p/long", "p", 1, 2, 3)],
    )
    assert rounds == [["p/short", "p/set", "p/long"], ["q/short"]]  # shortest first; nothing known is asked again
    said = {name: answers.get(name) for name in ("p/long", "p/short", "p/set", "p/set again", "q/short", "p/other")}
    assert {name: one.tokens if one else None for name, one in said.items()} == {
        "p/long": "p/long",
        "p/short": "p/short",
        "p/set": "p/set",
        "p/set again": "p/set",
        "q/short": "q/short",
        "p/other": None,
    }
    assert answers.ids_of("p") == dict.fromkeys(("p/short", "p/set", "p/long"), (7,))
