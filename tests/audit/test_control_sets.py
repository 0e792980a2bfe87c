"""Stronger and random sets of several prompts on the planted subject: as each prompt's alone, told of, and kept."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backend.audit.content import Keys
from backend.audit.control_sets import ControlSets
from backend.audit.fitted import Fitted
from backend.audit.interventions import DEFAULT_SCOPE, SCOPE_WITH_SINK, ablate
from backend.audit.progress import TOGETHER, Step
from backend.audit.results import MinimalSet, Response
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.audit.stages.candidates import rank_candidates, table_activations
from backend.audit.stages.controls import MARGINS, Drawn, Trial
from backend.audit.stages.greedy import Search, find_minimal_sets, stronger_sets
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair, Score
from backend.subjects.planted.prompts import planted_prompts
from backend.subjects.sparse_autoencoder import FeatureId
from backend.subjects.subject import load_subject

N = TOGETHER + 3  # prompts: two groups
SETTINGS = AuditSettings("quick")
SCOPES = {"default": DEFAULT_SCOPE, "with_sink": SCOPE_WITH_SINK}


class Noting(ResidualEngine):
    """Counts what it is asked to score."""

    asked = 0

    def score(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[Score]:
        self.asked += len(pairs)
        return super().score(pairs, onset_ids)


class Kept:
    """A checkpoint in memory."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def load(self, key: str, kind: type[Any]) -> Any:
        return self.values.get(key)

    def save(self, key: str, value: Any) -> None:
        self.values[key] = value


class World:
    """Searched prompts, and control sets of them."""

    def __init__(self) -> None:
        subject = load_subject("planted")
        self.engine = Noting(subject.model, dict(subject.saes))
        harmful, benign = (
            [AuditedPrompt(p, subject.model.encode_chat(p.text)) for p in planted_prompts().prompts if p.label == label]
            for label in ("harmful", "benign")
        )
        table = table_activations(self.engine, harmful + benign, DEFAULT_SCOPE, lambda done, total: None)
        means = [self.engine.residuals([p.tokens for p in group], [-1])[:, :, 0].mean(0) for group in (harmful, benign)]
        directions = dict(zip(self.engine.saes, means[0] - means[1], strict=True))
        firsts = [
            set(self.engine.log_probabilities([Pair(p.tokens) for p in group]).argmax(-1).tolist())
            for group in (harmful, benign)
        ]
        onset = tuple(sorted(firsts[0] - firsts[1]))
        candidates = rank_candidates(self.engine.saes, directions, table.density, max(SETTINGS.amounts.k_sweep))
        self.fitted = Fitted(onset, 0.0, means[0] - means[1], candidates, table, (), ())
        self.searches: dict[str, Search] = {}
        self.trials: list[Trial] = []
        for one in harmful[:N]:
            search = find_minimal_sets(
                self.engine, one.tokens, candidates, onset, DEFAULT_SCOPE, SETTINGS.amounts.k_sweep, 2,
                np.random.default_rng(0),
            )  # fmt: skip
            self.searches[one.prompt.id] = search
            self.trials.append(Trial(one, search.found, (), {}, random=True))

    def control_sets(self, kept: Kept, steps: list[Step], settings: AuditSettings = SETTINGS) -> ControlSets:
        keys = Keys("run", "saes", "judge")
        return ControlSets(
            self.engine, self.searches, self.fitted, settings, SCOPES, "known", keys, kept, steps.append
        )  # fmt: skip

    def matched(self) -> list[tuple[Trial, MinimalSet]]:
        said = Response("complied", 5, True, None, "x")
        return [
            (t, MinimalSet(tuple(map(str, sorted(t.found[0].features))), t.found[0].score, (), 1, 0.0, said, True))
            for t in self.trials
        ]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def told(stage: str, steps: Sequence[Step]) -> None:
    """Every step is of that stage, and they count up to all prompts."""
    assert {(step.stage, step.total) for step in steps} == {(stage, N)}
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == N
    assert len({step.done for step in steps}) > 2


def test_stronger_sets_are_those_found_alone(world: World) -> None:
    steps: list[Step] = []
    found = world.control_sets(Kept(), steps).strengthen(world.trials)
    told("stronger sets", steps)
    assert any(found)
    for trial, sets in zip(world.trials, found, strict=True):
        k = world.searches[trial.audited.prompt.id].k
        assert k is not None
        ks = [one for one in SETTINGS.amounts.k_sweep if one >= k]
        alone = stronger_sets(
            world.engine, trial.audited.tokens, world.fitted.candidates, world.fitted.onset_ids, DEFAULT_SCOPE, ks,
            MARGINS,
        )  # fmt: skip
        assert [(s.features, s.margin) for s in sets] == [(s.features, s.margin) for s in alone]
        assert [s.score for s in sets] == pytest.approx([s.score for s in alone], abs=1e-4)


def test_random_sets_are_like_the_prompts_own_with_their_scores_in_every_scope(world: World) -> None:
    steps: list[Step] = []
    drawn = world.control_sets(Kept(), steps).draw_random(world.matched())
    told("random sets", steps)
    for (trial, claimed), one in zip(world.matched(), drawn, strict=True):
        own = {FeatureId.parse(name) for name in claimed.features}
        assert 0 < len(one.sets) <= SETTINGS.amounts.random_draws
        assert len(set(one.sets)) == len(one.sets)
        assert all(len(features) == len(own) and not features & own for features in one.sets)
        for name, scope in SCOPES.items():
            pairs = [Pair(trial.audited.tokens, ablate(features, scope)) for features in one.sets]
            alone = [score.value for score in world.engine.score(pairs, world.fitted.onset_ids)]
            assert one.scores[name] == pytest.approx(alone, abs=1e-4)


def test_random_sets_have_no_candidate_that_was_tried(world: World) -> None:
    sets, matched = world.control_sets(Kept(), []), world.matched()[:1]
    drawn = sets.draw_random(matched)[0].sets
    tried = frozenset().union(*drawn[: len(drawn) // 2])
    name = matched[0][0].audited.prompt.id
    widened = {**world.searches, name: replace(world.searches[name], widest=tried)}
    again = replace(sets, searches=widened, checkpoint=Kept()).draw_random(matched)[0].sets
    assert again
    assert not any(features & tried for features in again)


def test_what_is_kept_is_not_worked_on_again_and_a_group_with_a_gap_is_whole(world: World) -> None:
    kept = Kept()
    sets = world.control_sets(kept, [])
    first: tuple[Any, list[Drawn]] = sets.strengthen(world.trials), sets.draw_random(world.matched())
    assert len(kept.values) == 2 * N
    before = world.engine.asked
    assert (sets.strengthen(world.trials), sets.draw_random(world.matched())) == first
    assert world.engine.asked == before
    last = next(reversed(kept.values))
    del kept.values[last]
    saved = dict(kept.values)
    assert sets.draw_random(world.matched()) == first[1]
    anew = {key for key, value in kept.values.items() if value is not saved.get(key)}
    assert last in anew
    assert 1 < len(anew) < N  # its group, and no other


def test_another_seed_or_another_set_draws_others(world: World) -> None:
    kept = Kept()
    drawn = world.control_sets(kept, []).draw_random(world.matched()[:1])
    trial, claimed = world.matched()[0]
    spare = next(
        str(f) for f in sorted(world.searches[trial.audited.prompt.id].widest) if str(f) not in claimed.features
    )
    other = world.control_sets(kept, []).draw_random([(trial, replace(claimed, features=(spare,)))])
    assert other[0].sets != drawn[0].sets
    reseeded = world.control_sets(Kept(), [], AuditSettings("quick", seed=1)).draw_random(world.matched()[:1])
    assert reseeded[0].sets != drawn[0].sets


def test_nothing_asked_for_tells_nothing(world: World) -> None:
    steps: list[Step] = []
    sets = world.control_sets(Kept(), steps)
    assert (sets.strengthen([]), sets.draw_random([]), steps) == ([], [], [])
