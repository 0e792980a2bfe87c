"""Stage 5 as a whole: an audit stopped in its middle goes on to the same numbers, and makes nothing twice."""

from typing import Any

import pytest

from backend.audit.audit import Audited, run_audit
from backend.audit.progress import Step
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.engine.engine import EngineSettings, ResidualEngine
from backend.reports.manifest import build_manifest
from backend.subjects.subject import load_subject
from tests.planted_audits import FEW, some_prompts


class Kept:
    """A checkpoint that remembers which keys were made."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.made: list[str] = []

    def load(self, key: str, kind: type) -> Any:
        return self.values.get(key)

    def save(self, key: str, value: Any) -> None:
        self.values[key] = value
        self.made.append(key)


class Stopped(Exception):
    pass


def audit(kept: Kept, stop_at: tuple[str, int] | None, steps: list[Step]) -> Audited:
    def progress(step: Step) -> None:
        steps.append(step)
        if stop_at is not None and step.stage == stop_at[0] and step.done >= stop_at[1]:
            raise Stopped

    subject, prompts, judge, settings = (
        load_subject("planted"),
        some_prompts(FEW),
        PhraseJudge(),
        AuditSettings("quick"),
    )
    return run_audit(
        ResidualEngine(subject.model, dict(subject.saes), EngineSettings(max_sequences=32)),
        subject.model,
        judge,
        [AuditedPrompt(p, subject.model.encode_chat(p.text)) for p in prompts.prompts],
        settings,
        build_manifest(subject, prompts, judge, settings, "", ""),
        kept,
        progress,
    )


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Audited, Kept, list[Step]]:
    kept, steps = Kept(), list[Step]()
    return audit(kept, None, steps), kept, steps


@pytest.mark.parametrize("stop_at", [("verification", 2), ("verification", 7), ("verification completions", 1)])
def test_stopped_and_resumed_is_undisturbed(
    undisturbed: tuple[Audited, Kept, list[Step]], stop_at: tuple[str, int]
) -> None:
    whole, all_kept, _ = undisturbed
    # Everything before this stage is known, as it is when an audit has come this far.
    kept = Kept()
    kept.values = {key: value for key, value in all_kept.values.items() if key.partition("-")[0] != "verification"}
    kept.values = {k: v for k, v in kept.values.items() if not (k.startswith("answers") and in_this_stage(v))}
    with pytest.raises(Stopped):
        audit(kept, stop_at, [])
    before = list(kept.made)
    assert before
    resumed = audit(kept, None, [])
    assert len(set(kept.made)) == len(kept.made)
    assert len(kept.made) > len(before)
    assert resumed.report.verification == whole.report.verification
    assert resumed.report.prompts == whole.report.prompts
    assert resumed.token_ids == whole.token_ids


def in_this_stage(value: Any) -> bool:
    return any(
        part in name for name in value.token_ids for part in ("/verification/", "/sufficiency/", "/side_effects/")
    )


def test_progress_counts_up_to_its_total(undisturbed: tuple[Audited, Kept, list[Step]]) -> None:
    for stage in ("verification", "verification completions"):
        steps = [step for step in undisturbed[2] if step.stage == stage]
        done = [step.done for step in steps]
        assert done == sorted(done)
        assert steps[-1].done == steps[-1].total > 0
        assert {step.total for step in steps} == {steps[-1].total}


def test_completions_of_the_stage_are_kept_beside_the_report(undisturbed: tuple[Audited, Kept, list[Step]]) -> None:
    audited = undisturbed[0]
    arms = [a for p in audited.report.prompts if p.verification is not None for a in p.verification.arms.values()]
    responses = [arm.response for arm in arms if arm.response is not None]
    assert responses
    assert all(len(audited.token_ids[response.tokens]) == response.n_tokens for response in responses)
