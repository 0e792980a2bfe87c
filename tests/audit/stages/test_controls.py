"""Confirming sets by completions, by hand: what is asked in which round, and which set random ones are matched to."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backend.audit.feature_sets import FoundSet
from backend.audit.interventions import SCOPE_WITH_SINK, ablate
from backend.audit.refusal.respond import Answered, Request
from backend.audit.results import MinimalSet, Response
from backend.audit.spec import AuditedPrompt
from backend.audit.stages.controls import Challenger, Drawn, Trial, confirm_arms, score_random_sets
from backend.engine.protocol import Pair, Score
from backend.prompts.prompt import Prompt
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId

A, B, C, D, E, F = (FeatureId(1, i) for i in range(6))
COMPLIED = Response("complied", 5, True, None, "x")
REFUSED = replace(COMPLIED, verdict="refused", text="I cannot")
SCOPE = ablate(()).scope


def found(*features: FeatureId, score: float = -0.5, margin: float = 0.0) -> FoundSet:
    return FoundSet(frozenset(features), score, (), 1, margin)


def trial(name: str, place: int, *sets: FoundSet, random: bool = True) -> Trial:
    tokens = ChatTokens((place, 2), ("sink", "instruction"), 1)
    audited = AuditedPrompt(Prompt(name, name, "harmful", None, name, "test"), tokens)
    arms = (Challenger("direction", (), ablate((F,))), Challenger("linear_probe", (E,), ablate((E,))))
    return Trial(audited, sets, arms, {"direction": -3.0, "linear_probe": 5.0}, random)


class Engine:
    """Every random set scores as many nats as its feature's index, less four, and one more where the sink is edited."""

    def __init__(self) -> None:
        self.calls = 0

    def score(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[Score]:
        self.calls += 1
        assert all(pair.reuse == "nothing" for pair in pairs)
        edits = [pair.intervention for pair in pairs]
        return [Score(e.features[0].index - 4.0 + ("sink" in e.scope.classes), frozenset()) for e in edits]


class Answering:
    """Complies with the requests named, and tells what it was asked."""

    def __init__(self, *complying: str) -> None:
        self.complying, self.rounds = complying, list[set[str]]()

    def __call__(self, requests: Sequence[Request]) -> Answered:
        if requests:
            self.rounds.append({request.name for request in requests})
        verdicts = [COMPLIED if request.name in self.complying else REFUSED for request in requests]
        ids = {request.name: (1, 2) for request in requests}
        return Answered(tuple(replace(one, tokens=r.name) for one, r in zip(verdicts, requests, strict=True)), ids)


def confirm(answering: Answering, trials: Sequence[Trial], stronger: dict[str, tuple[FoundSet, ...]]) -> Any:
    asked: dict[str, MinimalSet] = {}

    def strengthen(disagreeing: Sequence[Trial]) -> list[tuple[FoundSet, ...]]:
        assert {one.audited.prompt.id for one in disagreeing} == set(stronger)
        return [stronger[one.audited.prompt.id] for one in disagreeing]

    def draw(matched: Sequence[tuple[Trial, MinimalSet]]) -> list[Drawn]:
        asked.update({one.audited.prompt.id: claimed for one, claimed in matched})
        return [Drawn((frozenset({D}), frozenset({E}), frozenset({F})), {"default": (-1.0, 0.0, 1.0)}) for _ in matched]

    tried = confirm_arms(answering, answering, answering, trials, {"default": SCOPE}, 0.0, strengthen, draw)
    return tried, asked


def test_stronger_sets_are_answered_where_one_refuses_then_the_random_ones_of_all() -> None:
    answering = Answering("settled/minimal/0", "open/stronger/1", "open/random/default/0", "settled/direction")
    trials = [
        trial("settled", 1, found(A)),
        trial("open", 2, found(A), found(B)),
        trial("never", 3),
    ]
    stronger = (found(A, B, score=-1.5, margin=1.0), found(A, B, C, score=-2.5, margin=2.0))
    tried, matched = confirm(answering, trials, {"open": stronger})
    first = {"settled/minimal/0", "open/minimal/0", "open/minimal/1"}
    assert answering.rounds == [
        first | {f"{name}/direction" for name in ("settled", "open", "never")},  # the probe's set is above the screen
        {"open/stronger/0", "open/stronger/1"},
        {f"{name}/random/default/{draw}" for name in ("settled", "open") for draw in (0, 1)},  # the third is above too
    ]
    settled, opened, never = tried
    assert [s.features for s in settled.minimal_sets] == [("1:0",)]
    assert [(s.features, s.margin, s.confirmed) for s in opened.minimal_sets] == [
        (("1:0", "1:1", "1:2"), 2.0, True),  # the first stronger one that complies, in the place of the first
        (("1:1",), 0.0, False),
    ]
    assert [settled.arms["direction"].flipped, opened.arms["direction"].flipped] == [True, False]
    assert settled.arms["linear_probe"].response is None
    assert {name: set_.features for name, set_ in matched.items()} == {
        "settled": ("1:0",),
        "open": ("1:0", "1:1", "1:2"),
    }
    assert (never.minimal_sets, never.random) == ((), {})
    assert (settled.random["default"].n_flipped, opened.random["default"].n_flipped) == (0, 1)
    assert opened.random["default"].scores == (-1.0, 0.0, 1.0)
    assert (opened.random["default"].n_draws, opened.random["default"].n_generated) == (3, 2)
    assert settled.random["default"].p == (1 + 1) / (1 + 3)  # one draw lowers s below the set's -0.5
    assert opened.random["default"].p == 1 / (1 + 3)
    assert set(opened.token_ids) == {name for asked in answering.rounds for name in asked if name.startswith("open/")}


def test_random_sets_are_matched_to_the_smallest_set_that_was_confirmed() -> None:
    answering = Answering("p/minimal/0", "p/minimal/1", "p/minimal/2")
    _, matched = confirm(answering, [trial("p", 1, found(A, B, C), found(B, C), found(A, D))], {})
    assert matched["p"].features == ("1:0", "1:3")


def test_where_none_was_confirmed_to_the_first() -> None:
    tried, matched = confirm(Answering(), [trial("p", 1, found(A, B), found(C))], {"p": ()})
    assert matched["p"].features == ("1:0", "1:1")
    assert not any(one.confirmed for one in tried[0].minimal_sets)


def test_where_random_sets_are_not_asked_for_none_are_drawn() -> None:
    tried, matched = confirm(Answering("p/minimal/0"), [trial("p", 1, found(A), random=False)], {})
    assert (matched, tried[0].random) == ({}, {})


def test_random_sets_are_scored_in_one_call_by_prompt_and_scope() -> None:
    engine, scopes = Engine(), {"default": SCOPE, "with_sink": SCOPE_WITH_SINK}
    drawn = [
        (trial("p", 1).audited.tokens, [frozenset({D}), frozenset({E})]),
        (trial("q", 2).audited.tokens, []),
        (trial("r", 3).audited.tokens, [frozenset({A})]),
    ]
    found = score_random_sets(engine, drawn, scopes, (1,))  # type: ignore[arg-type]
    assert [one.sets for one in found] == [tuple(sets) for _, sets in drawn]
    assert [one.scores for one in found] == [
        {"default": (-1.0, 0.0), "with_sink": (0.0, 1.0)},
        {"default": (), "with_sink": ()},
        {"default": (-4.0,), "with_sink": (-3.0,)},
    ]
    assert engine.calls == 1
