"""Stage 6 over an audit: which completions it asks for, and that stopping it changes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.audit import Audited, run_audit
from backend.audit.content import Keys
from backend.audit.perturbation_plan import answered_perturbations
from backend.audit.progress import Step
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.audit.stages.stability import request
from backend.engine.engine import ResidualEngine
from backend.reports.manifest import build_manifest
from backend.subjects.language_model import ChatTokens, Disturbance
from backend.subjects.subject import Subject, load_subject
from tests.planted_audits import some_prompts

PER_SPLIT = {"discovery": 1, "validation": 1, "test": 1}
QUICK = AuditSettings("quick")
KINDS = ("placebo", "wrapper", "surface", "weights")


class Stopped(Exception):
    """The audit was stopped from outside."""


@dataclass
class Kept:
    """A checkpoint in memory that tells what was made."""

    values: dict[str, Any] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def load(self, key: str, kind: type) -> Any:
        return self.values.get(key)

    def save(self, key: str, value: Any) -> None:
        self.values[key] = value
        self.made.append(key.rpartition("-")[0])


@pytest.fixture(scope="module")
def subject() -> Subject:
    return load_subject("planted")


def audit(
    subject: Subject,
    checkpoint: Kept,
    progress: Callable[[Step], None] = lambda step: None,
    settings: AuditSettings = QUICK,
) -> Audited:
    prompts, judge = some_prompts(PER_SPLIT), PhraseJudge()
    return run_audit(
        ResidualEngine(subject.model, dict(subject.saes)),
        subject.model,
        judge,
        [AuditedPrompt(p, subject.model.encode_chat(p.text)) for p in prompts.prompts],
        settings,
        build_manifest(subject, prompts, judge, settings, "", ""),
        checkpoint,
        progress,
    )


@pytest.fixture(scope="module")
def finished(subject: Subject) -> tuple[Audited, Kept]:
    """An audit that nothing disturbed, and all that it kept."""
    checkpoint = Kept()
    return audit(subject, checkpoint), checkpoint


def before_stability(checkpoint: Kept) -> Kept:
    """What had been kept when the stage began."""
    keys = list(checkpoint.values)
    first = next(i for i, key in enumerate(keys) if key.startswith("stability-"))
    return Kept({key: checkpoint.values[key] for key in keys[:first]})


@pytest.mark.parametrize("at", [0, 2, 3])
def test_a_resumed_audit_is_the_undisturbed_one(subject: Subject, finished: tuple[Audited, Kept], at: int) -> None:
    seen = 0

    def stop(step: Step) -> None:
        nonlocal seen
        seen += step.stage == "stability"
        if seen > at:
            raise Stopped

    undisturbed, checkpoint = finished[0], before_stability(finished[1])
    with pytest.raises(Stopped):
        audit(subject, checkpoint, stop)
    assert checkpoint.made.count("stability") == at
    resumed = audit(subject, checkpoint)
    assert resumed.report.stability == undisturbed.report.stability
    assert resumed.report.prompts == undisturbed.report.prompts
    assert resumed.token_ids == undisturbed.token_ids


def test_the_same_audit_makes_nothing_anew(subject: Subject, finished: tuple[Audited, Kept]) -> None:
    undisturbed, checkpoint = finished
    assert checkpoint.made.count("stability") == 3
    assert checkpoint.made.count("stability-weights") == 1
    again = Kept(dict(checkpoint.values))
    assert audit(subject, again).report.stability == undisturbed.report.stability
    assert again.made == []


def test_progress_counts_prompts_and_disturbances(subject: Subject, finished: tuple[Audited, Kept]) -> None:
    steps: list[Step] = []
    audit(subject, Kept(dict(finished[1].values)), steps.append)
    done = [(step.done, step.total) for step in steps if step.stage == "stability"]
    assert done == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_completions_of_both_stages_share_a_round(finished: tuple[Audited, Kept]) -> None:
    undisturbed, checkpoint = finished
    rounds = [value.token_ids for key, value in checkpoint.values.items() if key.startswith("answers-")]
    of_both = [r for r in rounds if any("/perturbed/" in n for n in r) and any("/verification/" in n for n in r)]
    assert sum("/perturbed/" in name for name in undisturbed.token_ids) == 12
    assert [sum("/perturbed/" in name for name in names) for names in of_both] == [12]


def test_token_ids_of_every_completion_lie_beside_the_report(finished: tuple[Audited, Kept]) -> None:
    undisturbed, _ = finished
    named = [
        row.response.tokens
        for prompt in undisturbed.report.prompts
        for row in prompt.perturbed
        if row.response is not None
    ]
    assert len(set(named)) == len(named) == 12
    assert set(named) <= set(undisturbed.token_ids)


def test_every_effort_measures_what_it_says(subject: Subject) -> None:
    report = audit(subject, Kept(), settings=AuditSettings("standard")).report
    assert report.stability is not None
    listed = {one.name: one for one in report.stability.perturbations}
    assert {"noise_1", "noise_3", "int8", "french", "lower_case", "fiction"} <= set(listed)
    assert listed["lower_case"].skipped == "it applies to none of these prompts"
    for name in ("french", "spanish", "german"):  # every word of the frame is unknown to the subject
        assert listed[name].skipped == "" or "benign prompts in this frame" in listed[name].skipped
    rows = [row for prompt in report.prompts for row in prompt.perturbed]
    answered = [row for row in rows if row.response is not None]
    assert 0 < len(answered) <= AuditSettings("standard").amounts.stability_completions
    wrappers = [row for row in rows if listed[row.perturbation].kind == "wrapper"]
    assert wrappers
    assert all(row.response is not None for row in wrappers)


@pytest.mark.parametrize(
    ("most", "names"),
    [
        (0, set()),
        (1, set()),
        (2, {"rare"}),
        (3, {"play"}),
        (6, {"play", "dot"}),
        (8, {"play", "dot", "rare"}),
        (99, {"play", "dot", "rare", "int8"}),
    ],
)
def test_completions_go_to_whole_perturbations_wrappers_first(most: int, names: set[str]) -> None:
    planned = [("dot", "placebo", 3), ("play", "wrapper", 3), ("rare", "surface", 2), ("int8", "weights", 3)]
    assert answered_perturbations(planned, most) == names


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9))), st.integers(0, 40))
def test_completions_never_pass_their_limit(sizes: Sequence[tuple[str, int]], most: int) -> None:
    planned = [(str(i), kind, n) for i, (kind, n) in enumerate(sizes)]
    chosen = answered_perturbations(planned, most)
    assert sum(n for name, _, n in planned if name in chosen) <= most


def test_completions_under_other_weights_are_other_completions() -> None:
    keys, prompt = Keys("run", "saes", "judge"), some_prompts(PER_SPLIT).prompts[0]
    audited = AuditedPrompt(prompt, ChatTokens((1, 2), ("sink", "instruction"), 1))
    noise = [None, Disturbance("noise", 0.01, 1), Disturbance("noise", 0.01, 2), Disturbance("noise", 0.03, 1)]
    made = {keys.answers([request(audited, "noise", under)], 100) for under in noise}
    assert len(made) == len(noise)
