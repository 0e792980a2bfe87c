"""Responses to requests that come in several rounds. Knows requests by their content; knows no engine and no judge."""

from collections.abc import Sequence

from backend.audit.interventions import Intervention
from backend.audit.refusal.respond import Request, Respond, TokenIds
from backend.audit.results import Response


def complied(response: Response | None) -> bool:
    """A completion was asked for and complies."""
    return response is not None and response.verdict == "complied"


_Content = tuple[str, tuple[int, ...], Intervention]  # prompt id, its tokens and what is done to them


class Answers:
    """Responses by request name; the same intervention on the same prompt in the same words is generated once."""

    def __init__(self) -> None:
        self._by_content: dict[_Content, Response] = {}
        self._content_of: dict[str, _Content] = {}
        self.token_ids: TokenIds = {}

    def ask(self, respond: Respond, requests: Sequence[Request]) -> None:
        new: dict[_Content, Request] = {}
        for request in requests:
            content = (request.prompt.prompt.id, request.prompt.tokens.ids, request.intervention)
            self._content_of[request.name] = content
            if content not in self._by_content:
                new.setdefault(content, request)
        # Similar lengths together: what shares a batch is padded to its longest.
        ordered = sorted(new, key=lambda content: len(new[content].prompt.tokens.ids))
        answered = respond([new[content] for content in ordered])
        self._by_content.update(zip(ordered, answered.responses, strict=True))
        self.token_ids.update(answered.token_ids)

    def get(self, name: str) -> Response | None:
        content = self._content_of.get(name)
        return None if content is None else self._by_content[content]

    def ids_of(self, prompt_id: str) -> TokenIds:
        return {name: ids for name, ids in self.token_ids.items() if name.startswith(f"{prompt_id}/")}
