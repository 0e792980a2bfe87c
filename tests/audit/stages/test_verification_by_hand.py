"""The figures of stage 5, worked by hand; and what each part asks of the engine."""

from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import pytest
import torch

from backend.audit.answers import Answers
from backend.audit.benign_values import BenignValues
from backend.audit.candidates import ActivationTable
from backend.audit.interventions import Intervention, ablate
from backend.audit.refusal.respond import Answered, Request
from backend.audit.results import (
    Arm,
    BaselinePrompt,
    Controls,
    MinimalSet,
    PromptResult,
    PromptVerification,
    RandomControl,
    Response,
    SweepStep,
)
from backend.audit.spec import AuditedPrompt
from backend.audit.splits import of_split
from backend.audit.stages.verification.arms import arm_requests, score_arms, verified
from backend.audit.stages.verification.figures import arm_figures, beyond_random, coverage, mode_agreement
from backend.audit.stages.verification.side_effects import measure_drift, side_effect_requests, side_effects
from backend.audit.stages.verification.sufficiency import Added, mean_harmful, sufficiency, sufficiency_requests
from backend.audit.stages.verification.transfer import confirmed, features_at, pooled_requests, pooled_steps
from backend.engine.protocol import Activation, Observation, Pair, Score
from backend.prompts.prompt import Prompt
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId

A, B, C = FeatureId(1, 0), FeatureId(2, 1), FeatureId(2, 2)
SCOPE = ablate(()).scope
COMPLIED = Response("complied", 5, True, None, "x")
REFUSED, INCOHERENT = replace(COMPLIED, verdict="refused", text="I cannot"), replace(COMPLIED, verdict="incoherent")


def audited(name: str) -> AuditedPrompt:
    tokens = ChatTokens((1, 2, 3), ("sink", "instruction", "post_instruction"), 1)
    return AuditedPrompt(Prompt(name, name, "benign", None, name, "test"), tokens)


def minimal(*features: FeatureId, score: float = -2.0, response: Response = COMPLIED) -> MinimalSet:
    return MinimalSet(tuple(map(str, features)), score, (), 1, 0.0, response, response.verdict == "complied")


def control(n_flipped: int, n_incoherent: int | None, scores: Sequence[float] = (3.0, 1.0)) -> RandomControl:
    return RandomControl(len(scores), 2, n_flipped, tuple(scores), 0.5, n_incoherent)


def result(
    name: str, *sets: MinimalSet, verification: PromptVerification | None = None, **control_of: Any
) -> PromptResult:
    direction = Arm((), -1.0, COMPLIED, True)
    controls = Controls(control_of.get("random"), direction, None, None, None, None)
    baseline = BaselinePrompt(name, 4.0, REFUSED)
    return PromptResult(
        name, name, "harmful", None, name, "test", baseline, sweep=(SweepStep(1, 1, 3.0), SweepStep(2, 2, 2.5)),
        minimal_sets=sets, controls=controls, verification=verification,
    )  # fmt: skip


def verification(active: tuple[str, ...], p: float, **flipped: bool) -> PromptVerification:
    arms = {name: Arm((), -1.0 if yes else 2.0, COMPLIED if yes else None, yes) for name, yes in flipped.items()}
    return PromptVerification((str(A), str(B)), active, arms, control(1, 1), p)


def answered(requests: Sequence[Request], verdicts: dict[str, str]) -> Answers:
    """The requests' answers, with these verdicts by name."""

    def respond(requests: Sequence[Request]) -> Answered:
        return Answered(tuple(replace(COMPLIED, verdict=verdicts[r.name]) for r in requests), {})

    answers = Answers()
    answers.ask(respond, requests)
    return answers


class Engine:
    """Scores by the number of calls, one active feature."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []

    def observe(self, pairs: Sequence[Pair], *_: Any) -> list[Observation]:
        active = {A: Activation(1.0, 1.0, 1, "instruction", 1, 1.0)}
        return [Observation(Score(4.0, frozenset()), active, torch.zeros(1)) for _ in pairs]

    def score(self, pairs: Sequence[Pair], *_: Any) -> list[Score]:
        self.pairs += pairs
        return [Score(float(i), frozenset()) for i in range(len(pairs))]


class TestArms:
    def scored(self, engine: Engine) -> Any:
        values = BenignValues(
            ActivationTable((), {}, {}), {1: torch.tensor([[1.0], [3.0]]), 2: torch.tensor([[0.0, 2.0], [0.0, 6.0]])}
        )
        return score_arms(
            engine, audited("p"), (A, B), 8.0, values, (1,), SCOPE, 3, np.random.default_rng(0)
        )  # fmt: skip

    def test_what_is_asked_of_the_engine(self) -> None:
        engine = Engine()
        scored = self.scored(engine)
        asked = [pair.intervention for pair in engine.pairs]
        assert asked[:3] == [
            Intervention((A, B), "scale", 2.0),
            Intervention(reconstructed=(1, 2)),
            Intervention((A, B), "mean", values=(2.0, 4.0)),
        ]
        # One benign prompt's values for both features, not one of each.
        assert asked[3] in [Intervention((A, B), "resample", values=v) for v in ((1.0, 2.0), (3.0, 6.0))]
        assert asked[4] == Intervention((A, B), "scale", -1.0)
        assert {(i.features, i.mode) for i in asked[5:]} == {((A, B), "noise")}
        assert len({i.noise_seed for i in asked[5:]}) == len(asked[5:]) == 3
        assert {pair.reuse for pair in engine.pairs} == {"nothing"}
        assert scored.active == (A,)
        assert scored.scores == {"sign_flip": 0.0, "reconstruction": 1.0, "mean": 2.0, "resample": 3.0, "clamp": 4.0}
        assert scored.noise_scores == (5.0, 6.0, 7.0)

    def test_completions_only_below_the_screen_and_what_they_say(self) -> None:
        scored = self.scored(Engine())
        requests = list(arm_requests(audited("p"), scored, SCOPE, screen=5.0))
        names = [request.name for request in requests]
        assert names == [
            f"p/verification/{n}" for n in ("sign_flip", "reconstruction", "mean", "resample", "clamp")
        ] + ["p/verification/noise/0"]
        verdicts = dict.fromkeys(names, "complied") | {names[0]: "refused", names[5]: "incoherent"}
        answers = answered(requests, verdicts)
        random = replace(control(1, 0), n_draws=7, p=0.25)
        found = verified(audited("p"), scored, answers, random)
        assert [arm.flipped for arm in found.arms.values()] == [False, True, True, True, True]
        assert found.arms["reconstruction"].features == ()
        assert found.arms["mean"].features == ("1:0", "2:1")
        noise = found.noise
        assert (noise.n_draws, noise.n_generated, noise.n_flipped, noise.n_incoherent) == (3, 1, 0, 1)
        assert noise.p == 1.0  # every draw lowers s further than the set's 8
        assert (found.features, found.active) == (("1:0", "2:1"), ("1:0",))
        assert (found.p, found.p_draws) == (0.25, 7)
        undrawn = verified(audited("p"), scored, answers, None)
        assert (undrawn.p, undrawn.p_draws) == (None, 0)


class TestFigures:
    def rows(self) -> Any:
        both = {"mean": True, "resample": True, "clamp": True}
        results = [
            result("a", minimal(A, B), verification=verification(("1:0",), 0.01, **both), random=control(1, 0)),
            result("b", minimal(A), minimal(B, C, score=-3.0),
                   verification=verification(("1:0", "2:1"), 0.04, **{**both, "clamp": False}), random=control(0, 2)),
            result("c", minimal(A, score=-0.5, response=INCOHERENT)),
            result("d"),
        ]  # fmt: skip
        return of_split(results, "test")

    def test_prompts_without_a_set_count_as_not_flipped_by_theirs(self) -> None:
        figures = arm_figures(self.rows(), 0)
        assert (figures["minimal"].flipped.value, figures["minimal"].flipped.n) == (0.5, 4)
        assert figures["minimal"].incoherent.value == 0.25
        assert figures["minimal"].score.value == pytest.approx((-2.0 - 2.0 - 0.5 + 2.5) / 4)
        assert (figures["direction"].flipped.value, figures["direction"].flipped.n) == (1.0, 4)
        assert (figures["clamp"].flipped.value, figures["clamp"].flipped.n) == (0.5, 2)
        assert figures["sign_flip"].flipped.n == 0

    def test_draws_of_one_prompt_are_one_observation(self) -> None:
        figures = arm_figures(self.rows(), 0)
        assert (figures["random"].flipped.value, figures["random"].flipped.n) == (0.25, 2)
        assert figures["random"].incoherent.value == 0.5
        assert (figures["noise"].flipped.value, figures["noise"].incoherent.value) == (0.5, 0.5)
        assert figures["random"].score.value == 2.0

    def test_draws_of_older_reports_have_no_count_of_the_incoherent(self) -> None:
        rows = of_split([result("a", minimal(A), random=control(1, None))], "test")
        assert arm_figures(rows, 0)["random"].incoherent.n == 0

    def test_agreement_coverage_and_discoveries(self) -> None:
        agreement = mode_agreement(self.rows())
        assert (agreement.all_modes.value, agreement.all_modes.n) == (0.5, 2)
        assert {mode: figure.value for mode, figure in agreement.with_zero.items()} == {
            "mean": 1.0, "resample": 1.0, "clamp": 0.5,
        }  # fmt: skip
        assert coverage(self.rows(), 0).value == 0.75
        assert beyond_random(self.rows()) == (2, 2)  # q = 0.02 and 0.04
        late = [replace(r, verification=replace(r.verification, p=0.04)) for r in self.rows() if r.verification][:1]
        spread = [*late, *(replace(late[0], verification=replace(late[0].verification, p=0.9)) for _ in range(3))]
        assert beyond_random(of_split(spread, "test")) == (4, 0)  # q = 0.16: of four sets tried one such p is luck


class TestSufficiency:
    def test_mean_over_prompts_where_it_fires(self) -> None:
        table = ActivationTable(("a", "b", "c"), {1: torch.tensor([[4.0, 0.0], [0.0, 0.0], [2.0, 9.0]])}, {})
        features = (FeatureId(1, 0), FeatureId(1, 1))
        assert mean_harmful(table, (0, 1, 2), features) == (3.0, 9.0)
        assert mean_harmful(table, (0, 1), features) == (4.0, 0.0)

    def test_shares_are_of_prompts_over_sets(self) -> None:
        benign = [audited("p"), audited("q")]
        one = Added((A,), (3.0,), (2.0, -5.0), ((C,), (C,)), ((1.0,), (2.0,)), (-0.5, -3.0))
        two = Added((B,), (1.0,), (-0.9, 1.0), ((A,), (C,)), ((1.0,), (2.0,)), (-2.0, -1.0))
        requests = list(sufficiency_requests([one, two], benign, SCOPE))
        named = {request.name: request.intervention for request in requests}
        assert named == {
            "p/sufficiency/0/set": Intervention((A,), "mean", values=(3.0,)),
            "p/sufficiency/0/random": Intervention((C,), "mean", values=(1.0,)),
            "p/sufficiency/1/set": Intervention((B,), "mean", values=(1.0,)),
            "q/sufficiency/1/set": Intervention((B,), "mean", values=(1.0,)),
        }
        complied = dict.fromkeys(("p/sufficiency/1/set", "p/sufficiency/0/random"), "complied")
        answers = answered(requests, dict.fromkeys(named, "refused") | complied)
        found = sufficiency([one, two], benign, answers, 0)
        assert (found.refused.value, found.refused.n) == (0.5, 2)  # p: one of two sets, q: one of two
        assert found.refused_random.value == 0.0
        assert (found.score_positive.value, found.score_positive_random.value) == (0.5, 0.0)
        assert found.score.value == pytest.approx((2.0 - 5.0 - 0.9 + 1.0) / 4)
        assert found.score_random.value == pytest.approx((-0.5 - 3.0 - 2.0 - 1.0) / 4)
        assert (found.n_sets, found.n_prompts) == (2, 2)


class TestSideEffects:
    def test_divergence_and_cross_entropy_by_hand(self) -> None:
        plain = torch.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
        changed = torch.tensor([[0.25, 0.75], [0.25, 0.75]]).log()

        class Reader:
            def response_log_probabilities(self, pairs: Sequence[Pair], responses: Any) -> list[torch.Tensor]:
                assert [list(ids) for ids in responses] == [[0, 1]] * 2
                assert pairs[0].intervention == ablate(())
                return [plain, changed]

        drift = measure_drift(Reader(), audited("p"), (0, 1), {"minimal": ablate((A,))})  # type: ignore[arg-type]
        first = 0.5 * log(0.5 / 0.25) + 0.5 * log(0.5 / 0.75)
        assert drift.kl["minimal"] == pytest.approx(first / 2)
        assert drift.cross_entropy["minimal"] == pytest.approx(log(0.5 / 0.25) / 2)

    def test_only_the_first_tokens_are_read(self) -> None:
        class Reader:
            def response_log_probabilities(self, pairs: Any, responses: Sequence[list[int]]) -> list[torch.Tensor]:
                assert {len(ids) for ids in responses} == {16}
                return [torch.full((16, 40), 1 / 40).log() for _ in responses]

        drift = measure_drift(Reader(), audited("p"), range(30), {"minimal": ablate((A,))})  # type: ignore[arg-type]
        assert (drift.kl["minimal"], drift.cross_entropy["minimal"]) == (0.0, 0.0)

    def test_changed_verdicts_whichever_way(self) -> None:
        benign = [audited("p"), audited("q"), audited("r")]
        requests = list(side_effect_requests("minimal", ablate((A,)), benign))
        answers = answered(
            requests, dict(zip([r.name for r in requests], ("complied", "refused", "complied"), strict=True))
        )
        found = side_effects("minimal", (A,), benign, [COMPLIED, COMPLIED, REFUSED], {}, answers, 0)
        assert (found.verdict_changed.value, found.refused.value) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
        assert found.kl.n == 0  # no completion of its own to read along
        assert found.features == ("1:0",)

    def test_nothing_ablated_nothing_measured(self) -> None:
        assert not list(side_effect_requests("minimal", ablate(()), [audited("p")]))
        found = side_effects("minimal", (), [audited("p")], [COMPLIED], {}, answered([], {}), 0)
        assert found.kl.n == found.verdict_changed.n == 0


class TestTransfer:
    CURVE = ((3.0, 2.0, 1.0, -1.0), (1.0, -1.0, -2.0, -1.0), (-1.0, 2.0, -2.0, -1.0))

    def test_fewest_features_for_a_share(self) -> None:
        steps = pooled_steps((A, B, C), self.CURVE)
        assert [(s.feature, s.n_features, s.flipped.value) for s in steps] == [
            ("1:0", 1, 0.25), ("2:1", 2, 0.75), ("2:2", 3, 0.75),
        ]  # fmt: skip
        assert features_at(steps, 0.5) == 2
        assert features_at(steps, 0.9) is None
        assert pooled_steps((A, B, C), self.CURVE[:2]) == steps[:2]

    def test_completions_at_the_two_points_count_all_prompts(self) -> None:
        prompts = [audited(name) for name in "pqrs"]
        requests = list(pooled_requests(prompts, (A, B, C), self.CURVE, (2, 2, None), SCOPE, screen=0.5))
        assert {r.name: r.intervention for r in requests} == {f"{name}/pooled/2": ablate((A, B)) for name in "qrs"}
        answers = answered(requests, {"q/pooled/2": "complied", "r/pooled/2": "refused", "s/pooled/2": "complied"})
        assert (confirmed(prompts, 2, answers).value, confirmed(prompts, 2, answers).n) == (0.5, 4)
        assert confirmed(prompts, None, answers).n == 0
