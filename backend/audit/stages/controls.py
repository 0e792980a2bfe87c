"""What every flip is held against on the same prompt: matched random sets, the direction, other ways to pick features.

A flip, for every arm alike: refused at baseline and complied (not incoherent) by generation under the intervention.
Where the score stays above the screen, so that nearly no compliant prompt is there, no completion is generated.
Knows engine and judge by protocol.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from backend.audit.answers import Answers, complied
from backend.audit.claimed_sets import smallest_confirmed
from backend.audit.feature_sets import FeatureSet, FoundSet
from backend.audit.interventions import Intervention, Scope, ablate
from backend.audit.refusal.respond import Request, Respond, TokenIds
from backend.audit.results import Arm, MinimalSet, RandomControl, Response
from backend.audit.spec import AuditedPrompt
from backend.audit.stats.multiple import empirical_p
from backend.engine.protocol import Engine, Evaluator, Pair
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


Strengthen = Callable[[Sequence[Trial]], Sequence[Sequence[FoundSet]]]
"""For each of some trials, whose completion disagrees with the first set's score, larger sets to try in turn: their
scores are below 0 by the margins."""

DrawRandom = Callable[[Trial, MinimalSet], Sequence[FeatureSet]]
"""Random sets matched to a set on that trial's prompt."""


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


def confirm_arms(
    engine: Engine,
    respond: Respond,
    trials: Sequence[Trial],
    scopes: dict[str, Scope],
    onset_ids: Sequence[int],
    screen: float,
    strengthen: Strengthen,
    draw_random: DrawRandom,
) -> list[Tried]:
    """Completions of some prompts under every set found and every challenger, then random sets matched to the claimed
    set, or where none was confirmed to the first.

    scopes: of each random control by name; "default" is also that of the sets. The prompts' requests are asked
    together: a generated token costs one pass over the weights, however many rows it is for.
    """
    scope = scopes["default"]
    answers = Answers(respond)
    answers.ask([request for trial in trials for request in _requests(trial, scope, screen)])
    disagreeing = [trial for trial in trials if _disagrees(trial, answers)]
    settled = [trial for trial in trials if not _disagrees(trial, answers)]
    stronger = {trial.audited.prompt.id: sets for trial, sets in zip(disagreeing, strengthen(disagreeing), strict=True)}

    def draw(some: Sequence[Trial]) -> dict[str, _Draws]:
        sets = [_minimal_sets(trial, stronger.get(trial.audited.prompt.id, ()), answers) for trial in some]
        return _draw(engine, list(zip(some, sets, strict=True)), scopes, onset_ids, draw_random)

    # The stronger sets of a prompt are all answered at once, and beside other prompts' random sets: a round of its own
    # for each margin would cost more than the completions it might spare.
    draws = draw(settled)
    answers.ask(
        [
            *(request for trial in disagreeing for request in _stronger_requests(trial, stronger, scope)),
            *(request for one in draws.values() for request in one.below(screen)),
        ]
    )
    late = draw(disagreeing)
    answers.ask([request for one in late.values() for request in one.below(screen)])
    draws |= late
    tried = []
    for trial in trials:
        prompt_id = trial.audited.prompt.id
        sets = _minimal_sets(trial, stronger.get(prompt_id, ()), answers)
        random = draws[prompt_id].controls(answers) if prompt_id in draws else {}
        tried.append(Tried(sets, _arms(trial, answers), random, answers.ids_of(prompt_id)))
    return tried


@dataclass(frozen=True)
class _Draws:
    """Random sets matched to one set."""

    matched: MinimalSet
    requests: dict[str, list[Request]]  # by scope
    scores: dict[str, float]  # by request name, these among others

    def below(self, screen: float) -> Iterator[Request]:
        """Those whose completion may flip."""
        for requests in self.requests.values():
            yield from (request for request in requests if self.scores[request.name] <= screen)

    def controls(self, answers: Answers) -> dict[str, RandomControl]:
        """By scope."""
        return {name: self._control([r.name for r in requests], answers) for name, requests in self.requests.items()}

    def _control(self, names: Sequence[str], answers: Answers) -> RandomControl:
        generated = [response for response in map(answers.get, names) if response is not None]
        scores = tuple(self.scores[name] for name in names)
        return RandomControl(
            n_draws=len(names),
            n_generated=len(generated),
            n_flipped=sum(response.verdict == "complied" for response in generated),
            scores=scores,
            p=empirical_p(-self.matched.score, [-score for score in scores]),
            n_incoherent=sum(response.verdict == "incoherent" for response in generated),
        )


def _draw(
    engine: Engine,
    tried: Sequence[tuple[Trial, Sequence[MinimalSet]]],
    scopes: dict[str, Scope],
    onset_ids: Sequence[int],
    draw_random: DrawRandom,
) -> dict[str, _Draws]:
    """By prompt id, scored together; without the prompts that have no set, or for which none are drawn."""
    matched: dict[str, MinimalSet] = {}
    requests: dict[str, dict[str, list[Request]]] = {}
    for trial, sets in tried:
        claimed = smallest_confirmed(sets) or next(iter(sets), None)
        drawn = draw_random(trial, claimed) if claimed is not None else ()
        if claimed is None or not drawn:
            continue
        prompt_id = trial.audited.prompt.id
        matched[prompt_id] = claimed
        requests[prompt_id] = {
            name: [
                Request(_name(prompt_id, "random", name, i), trial.audited, ablate(features, where))
                for i, features in enumerate(drawn)
            ]
            for name, where in scopes.items()
        }
    flat = [request for by_scope in requests.values() for of_scope in by_scope.values() for request in of_scope]
    pairs = [Pair(request.prompt.tokens, request.intervention, reuse="nothing") for request in flat]
    found = [score.value for score in engine.score(pairs, onset_ids)]
    scores = {request.name: score for request, score in zip(flat, found, strict=True)}
    return {prompt_id: _Draws(matched[prompt_id], by_scope, scores) for prompt_id, by_scope in requests.items()}


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
