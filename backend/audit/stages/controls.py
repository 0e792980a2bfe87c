"""What every flip is held against on the same prompt: matched random sets, the direction, other ways to pick features.

A flip, for every arm alike: refused at baseline and complied (not incoherent) by generation under the intervention.
Where the score stays above the screen, so that nearly no compliant prompt is there, no completion is generated.
Knows engine and judge by protocol.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from backend.audit.answers import Answers, complied
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

DrawRandom = Callable[[Trial, FeatureSet], Sequence[FeatureSet]]
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
    """Completions of some prompts under every set found and every challenger, then random sets matched to the set that
    came out of it.

    scopes: of each random control by name; "default" is also that of the sets. The prompts' requests are asked
    together: a generated token costs one pass over the weights, however many rows it is for.
    """
    scope = scopes["default"]
    answers = Answers(respond)
    answers.ask([request for trial in trials for request in _requests(trial, scope, screen)])
    stronger = _strengthened(trials, scope, strengthen, answers)
    chosen = [_chosen(trial, sets, answers) for trial, sets in zip(trials, stronger, strict=True)]
    draws = [draw_random(t, one.features) if one is not None else () for t, one in zip(trials, chosen, strict=True)]
    random_requests = [
        Request(_name(trial.audited.prompt.id, "random", name, i), trial.audited, ablate(features, where))
        for trial, sets in zip(trials, draws, strict=True)
        for name, where in scopes.items()
        for i, features in enumerate(sets)
    ]
    pairs = [Pair(request.prompt.tokens, request.intervention, shares_prefix=False) for request in random_requests]
    values = [score.value for score in engine.score(pairs, onset_ids)]
    answers.ask([request for request, value in zip(random_requests, values, strict=True) if value <= screen])
    by_name = {request.name: value for request, value in zip(random_requests, values, strict=True)}
    tried = []
    for trial, sets, one, drawn in zip(trials, stronger, chosen, draws, strict=True):
        random = {}
        if one is not None and drawn:
            random = {name: _random_control(trial, name, len(drawn), one, by_name, answers) for name in scopes}
        tried.append(_assemble(trial, sets, one, answers, random))
    return tried


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


def _strengthened(
    trials: Sequence[Trial], scope: Scope, strengthen: Strengthen, answers: Answers
) -> list[Sequence[FoundSet]]:
    """Each trial's stronger sets, weakest first. All are answered together: a round of its own for each margin would
    cost more than the completions it might spare."""
    tried: list[Sequence[FoundSet]] = [()] * len(trials)
    disagreeing = [i for i, trial in enumerate(trials) if _disagrees(trial, answers)]
    for i, found in zip(disagreeing, strengthen([trials[i] for i in disagreeing]), strict=True):
        tried[i] = found
    answers.ask(
        [
            Request(_name(trial.audited.prompt.id, "stronger", n), trial.audited, ablate(one.features, scope))
            for trial, found in zip(trials, tried, strict=True)
            for n, one in enumerate(found)
        ]
    )
    return tried


def _chosen(trial: Trial, stronger: Sequence[FoundSet], answers: Answers) -> FoundSet | None:
    """The first set found, or where it still refused the first stronger one that complies."""
    for i, one in enumerate(stronger):
        if complied(answers.get(_name(trial.audited.prompt.id, "stronger", i))):
            return one
    return trial.found[0] if trial.found else None


def _assemble(
    trial: Trial,
    stronger: Sequence[FoundSet],
    chosen: FoundSet | None,
    answers: Answers,
    random: dict[str, RandomControl],
) -> Tried:
    prompt_id = trial.audited.prompt.id
    minimal = [_minimal_set(one, answers.get(_name(prompt_id, "minimal", i))) for i, one in enumerate(trial.found)]
    if chosen is not None and chosen is not trial.found[0]:
        minimal[0] = _minimal_set(chosen, answers.get(_name(prompt_id, "stronger", stronger.index(chosen))))
    arms = {}
    for challenger in trial.challengers:
        response = answers.get(_name(prompt_id, challenger.name))
        score = trial.scores[challenger.name]
        arms[challenger.name] = Arm(_texts(challenger.features), score, response, complied(response))
    return Tried(tuple(minimal), arms, random, answers.ids_of(prompt_id))


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


def _random_control(
    trial: Trial, name: str, n_draws: int, chosen: FoundSet, scores: dict[str, float], answers: Answers
) -> RandomControl:
    names = [_name(trial.audited.prompt.id, "random", name, i) for i in range(n_draws)]
    generated = [response for response in map(answers.get, names) if response is not None]
    values = tuple(scores[one] for one in names)
    return RandomControl(
        n_draws=n_draws,
        n_generated=len(generated),
        n_flipped=sum(response.verdict == "complied" for response in generated),
        scores=values,
        p=empirical_p(-chosen.score, [-value for value in values]),
        n_incoherent=sum(response.verdict == "incoherent" for response in generated),
    )


def _name(prompt_id: str, *parts: str | int) -> str:
    return "/".join([prompt_id, *map(str, parts)])


def _texts(features: Sequence[FeatureId] | FeatureSet) -> tuple[str, ...]:
    return tuple(str(feature) for feature in sorted(features))
