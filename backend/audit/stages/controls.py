"""What every flip is held against on the same prompt: matched random sets, the direction, other ways to pick features.

A flip, for every arm alike: refused at baseline and complied (not incoherent) by generation under the intervention.
Where the score stays above the screen, so that nearly no compliant prompt is there, no completion is generated.
Knows engine and judge by protocol.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from backend.audit.answers import Answers, complied
from backend.audit.claimed_sets import smallest_confirmed
from backend.audit.feature_sets import FeatureSet, FoundSet
from backend.audit.interventions import Intervention, Scope, ablate
from backend.audit.refusal.respond import Request, Respond, TokenIds
from backend.audit.results import Arm, MinimalSet, RandomControl, Response
from backend.audit.spec import AuditedPrompt
from backend.audit.stats.multiple import empirical_p
from backend.engine.protocol import Evaluator, Pair
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId

MARGINS = (1.0, 2.0, 4.0)  # nats below 0, tried where a completion disagrees with the score


@dataclass(frozen=True)
class Challenger:
    """A set, or a direction, to try beside the minimal set."""

    name: str
    features: tuple[FeatureId, ...]
    intervention: Intervention


@dataclass(frozen=True)
class Trial:
    """One prompt's arms, ready for completions."""

    audited: AuditedPrompt
    found: tuple[FoundSet, ...]
    challengers: tuple[Challenger, ...]
    scores: dict[str, float]  # of the challengers, by name
    random: bool  # whether random sets are drawn for it


@dataclass(frozen=True)
class Drawn:
    """Random sets matched to one set on one prompt, with the refusal score under each by scope."""

    sets: tuple[FeatureSet, ...]
    scores: dict[str, tuple[float, ...]]


Strengthen = Callable[[Sequence[Trial]], Sequence[Sequence[FoundSet]]]
"""For each of some trials, whose completion disagrees with the first set's score, larger sets to try in turn: their
scores are below 0 by the margins."""

DrawRandom = Callable[[Sequence[tuple[Trial, MinimalSet]]], Sequence[Drawn]]
"""For each of some trials, random sets matched to that set on its prompt."""


@dataclass(frozen=True)
class Tried:
    """Every arm of one prompt, with the token ids of its completions."""

    minimal_sets: tuple[MinimalSet, ...]
    arms: dict[str, Arm]
    random: dict[str, RandomControl]
    token_ids: TokenIds


def score_challengers(
    engine: Evaluator, prompt: ChatTokens, challengers: Sequence[Challenger], onset_ids: Sequence[int]
) -> dict[str, float]:
    """Refusal score under every challenger, by name."""
    scores = engine.score([Pair(prompt, c.intervention) for c in challengers], onset_ids)
    return {challenger.name: score.value for challenger, score in zip(challengers, scores, strict=True)}


def score_random_sets(
    engine: Evaluator,
    drawn: Sequence[tuple[ChatTokens, Sequence[FeatureSet]]],
    scopes: dict[str, Scope],
    onset_ids: Sequence[int],
) -> list[Drawn]:
    """Some prompts' random sets with their scores in every scope, evaluated together."""
    pairs = [
        Pair(prompt, ablate(features, where), reuse="nothing")
        for prompt, sets in drawn
        for where in scopes.values()
        for features in sets
    ]
    scores = iter([score.value for score in engine.score(pairs, onset_ids)])
    return [Drawn(tuple(sets), {name: tuple(islice(scores, len(sets))) for name in scopes}) for _, sets in drawn]


def confirm_arms(
    respond: Respond,
    respond_to_stronger: Respond,
    respond_to_random: Respond,
    trials: Sequence[Trial],
    scopes: dict[str, Scope],
    screen: float,
    strengthen: Strengthen,
    draw_random: DrawRandom,
) -> list[Tried]:
    """Completions of some prompts under every set found and every challenger, then under stronger sets where one still
    refuses, then under random sets matched to the claimed set, or where none was confirmed to the first.

    scopes: of each random control by name; "default" is also that of the sets. The prompts' requests are asked
    together: a generated token costs one pass over the weights, however many rows it is for. So are the stronger sets
    of a prompt: a round of its own for each margin would cost more than the completions it might spare.
    """
    scope = scopes["default"]
    answers = Answers()
    answers.ask(respond, [request for trial in trials for request in _requests(trial, scope, screen)])
    disagreeing = [trial for trial in trials if _disagrees(trial, answers)]
    stronger = {trial.audited.prompt.id: sets for trial, sets in zip(disagreeing, strengthen(disagreeing), strict=True)}
    answers.ask(
        respond_to_stronger,
        [request for trial in disagreeing for request in _stronger_requests(trial, stronger, scope)],
    )
    minimal_sets = [_minimal_sets(trial, stronger.get(trial.audited.prompt.id, ()), answers) for trial in trials]
    claims = [smallest_confirmed(sets) or next(iter(sets), None) for sets in minimal_sets]
    matched = [(t, claimed) for t, claimed in zip(trials, claims, strict=True) if t.random and claimed is not None]
    draws = {
        trial.audited.prompt.id: _Draws(trial.audited, claimed, drawn, scopes)
        for (trial, claimed), drawn in zip(matched, draw_random(matched), strict=True)
        if drawn.sets
    }
    answers.ask(respond_to_random, [request for one in draws.values() for request in one.below(screen)])
    tried = []
    for trial, sets in zip(trials, minimal_sets, strict=True):
        prompt_id = trial.audited.prompt.id
        random = draws[prompt_id].controls(answers) if prompt_id in draws else {}
        tried.append(Tried(sets, _arms(trial, answers), random, answers.ids_of(prompt_id)))
    return tried


@dataclass(frozen=True)
class _Draws:
    """One prompt's random sets, as completions are asked for under them."""

    audited: AuditedPrompt
    matched: MinimalSet
    drawn: Drawn
    scopes: dict[str, Scope]

    def below(self, screen: float) -> Iterator[Request]:
        """Those whose completion may flip."""
        for scope, where in self.scopes.items():
            for i, (features, score) in enumerate(zip(self.drawn.sets, self.drawn.scores[scope], strict=True)):
                if score <= screen:
                    yield Request(self._request(scope, i), self.audited, ablate(features, where))

    def controls(self, answers: Answers) -> dict[str, RandomControl]:
        """By scope."""
        return {scope: self._control(scope, scores, answers) for scope, scores in self.drawn.scores.items()}

    def _control(self, scope: str, scores: tuple[float, ...], answers: Answers) -> RandomControl:
        responses = [answers.get(self._request(scope, i)) for i in range(len(scores))]
        generated = [response for response in responses if response is not None]
        return RandomControl(
            n_draws=len(scores),
            n_generated=len(generated),
            n_flipped=sum(response.verdict == "complied" for response in generated),
            scores=scores,
            p=empirical_p(-self.matched.score, [-score for score in scores]),
            n_incoherent=sum(response.verdict == "incoherent" for response in generated),
        )

    def _request(self, scope: str, draw: int) -> str:
        return _name(self.audited.prompt.id, "random", scope, draw)


def _requests(trial: Trial, scope: Scope, screen: float) -> Iterator[Request]:
    prompt_id = trial.audited.prompt.id
    for i, candidate in enumerate(trial.found):
        yield Request(_name(prompt_id, "minimal", i), trial.audited, ablate(candidate.features, scope))
    for challenger in trial.challengers:
        if trial.scores[challenger.name] <= screen:
            yield Request(_name(prompt_id, challenger.name), trial.audited, challenger.intervention)


def _disagrees(trial: Trial, answers: Answers) -> bool:
    first = answers.get(_name(trial.audited.prompt.id, "minimal", 0))
    return first is not None and first.verdict != "complied"


def _stronger_requests(trial: Trial, stronger: dict[str, Sequence[FoundSet]], scope: Scope) -> Iterator[Request]:
    prompt_id = trial.audited.prompt.id
    for i, one in enumerate(stronger[prompt_id]):
        yield Request(_name(prompt_id, "stronger", i), trial.audited, ablate(one.features, scope))


def _minimal_sets(trial: Trial, stronger: Sequence[FoundSet], answers: Answers) -> tuple[MinimalSet, ...]:
    """The sets found, the first stronger one that complies in place of the first where that still refused."""
    prompt_id = trial.audited.prompt.id
    minimal = [_minimal_set(one, answers.get(_name(prompt_id, "minimal", i))) for i, one in enumerate(trial.found)]
    for i, one in enumerate(stronger):
        response = answers.get(_name(prompt_id, "stronger", i))
        if complied(response):
            return (_minimal_set(one, response), *minimal[1:])
    return tuple(minimal)


def _arms(trial: Trial, answers: Answers) -> dict[str, Arm]:
    arms = {}
    for challenger in trial.challengers:
        response = answers.get(_name(trial.audited.prompt.id, challenger.name))
        score = trial.scores[challenger.name]
        arms[challenger.name] = Arm(_texts(challenger.features), score, response, complied(response))
    return arms


def _minimal_set(found: FoundSet, response: Response | None) -> MinimalSet:
    assert response is not None
    return MinimalSet(
        _texts(found.features),
        found.score,
        found.certificate,
        found.orders,
        found.margin,
        response,
        response.verdict == "complied",
    )


def _name(prompt_id: str, *parts: str | int) -> str:
    return "/".join([prompt_id, *map(str, parts)])


def _texts(features: Sequence[FeatureId] | FeatureSet) -> tuple[str, ...]:
    return tuple(str(feature) for feature in sorted(features))
