"""Judges by the names that `--judge` takes, and which of them a server's clients may name."""

import pytest

from backend.audit.refusal.judges.llm import LlmJudge
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.refusal.judges.substance import Substance
from backend.errors import BadInput
from backend.judges.allowed import allowed_judges, check_allowed
from backend.judges.endpoint import Endpoint
from backend.judges.named import DEFAULT_CALLS, judges_named, rater_beside
from tests.judges.chat_server import GOOD, KEY, chat_server

LLM = "llm:https://judge.example/v1#tiny"


def test_the_default_is_the_phrase_judge_with_the_offline_rater() -> None:
    (judge,) = judges_named([])
    assert isinstance(judge, PhraseJudge)
    assert isinstance(rater_beside(judge), Substance)


def test_a_model_behind_an_endpoint_judges_and_rates() -> None:
    with chat_server(lambda number, question: GOOD) as server:
        phrases, judge = judges_named(
            ["phrases", f"llm:{server.url}#tiny"], environment={"REFUSALSCOPE_JUDGE_KEY": KEY}
        )
        assert (judge.judge("q", "a", True), rater_beside(judge).rate("q", "a", True)) == ("complied", 0.625)
        assert len(server.asked) == 1
        assert server.asked[0]["authorization"] == f"Bearer {KEY}"
    assert (phrases.name, judge.name) == ("phrases", f"llm:{server.url}#tiny")
    assert KEY not in f"{judge.name}{vars(judge)}{judge.sha256}"


def test_the_budget_comes_from_the_environment() -> None:
    def calls(environment: dict[str, str]) -> int:
        (judge,) = judges_named([LLM], environment=environment)
        assert isinstance(judge, LlmJudge)
        assert isinstance(judge.endpoint, Endpoint)
        return judge.endpoint.calls_left

    assert calls({}) == DEFAULT_CALLS
    assert calls({"REFUSALSCOPE_JUDGE_CALLS": "7"}) == 7


@pytest.mark.parametrize(
    ("names", "environment", "said"),
    [
        (["phrase"], {}, "--judge phrase: give phrases, classifier:ID or llm:"),
        (["classifier:"], {}, "give phrases"),
        (["llm:"], {}, "give phrases"),
        ([""], {}, "give phrases"),
        (["phrases", "phrases"], {}, "named twice"),
        (["llm:https://judge.example/v1"], {}, "no model is named"),
        (["llm:http://judge.example/v1#m"], {}, "use https"),
        ([LLM], {"REFUSALSCOPE_JUDGE_CALLS": "many"}, "REFUSALSCOPE_JUDGE_CALLS: give a whole number"),
        ([LLM], {"REFUSALSCOPE_JUDGE_KEY": "two\nlines"}, "REFUSALSCOPE_JUDGE_KEY: it holds characters"),
        (["classifier:/no/such/folder"], {}, "--judge classifier:/no/such/folder: cannot be loaded"),
    ],
)
def test_names_that_are_none_are_one_line(names: list[str], environment: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput, match=said) as raised:
        judges_named(names, environment=environment)
    assert "\n" not in str(raised.value)
    assert "two" not in str(raised.value) or "twice" in str(raised.value)


def test_clients_name_what_the_operator_named() -> None:
    environment = {"REFUSALSCOPE_JUDGES": f" {LLM}  classifier:/models/a#A=refused,B=complied "}
    assert allowed_judges({}) == ("phrases",)
    assert allowed_judges(environment) == ("phrases", LLM, "classifier:/models/a#A=refused,B=complied")
    check_allowed(["phrases"], {})
    check_allowed([LLM, "phrases"], environment)


@pytest.mark.parametrize(
    ("judges", "said"),
    [
        (["llm:https://elsewhere.example/v1#tiny"], "is not offered here; choose from phrases, llm:https://judge"),
        (["classifier:/etc"], "is not offered here"),
        ([f"{LLM}2"], "is not offered here"),
        (["phrases", "phrases"], "named twice"),
    ],
)
def test_nothing_else_is_called_or_opened_for_a_client(judges: list[str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check_allowed(judges, {"REFUSALSCOPE_JUDGES": LLM})
