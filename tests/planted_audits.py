"""Audits of the planted subjects on a few of their prompts, for the tests of several folders."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from backend.audit.audit import Audited, run_audit
from backend.audit.progress import NothingKept, Step
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.spec import AuditedPrompt, AuditSettings, Effort
from backend.engine.engine import ResidualEngine
from backend.prompts.prompt import PromptSet
from backend.reports.manifest import build_manifest
from backend.subjects.planted.prompts import planted_prompts
from backend.subjects.subject import load_subject

FEW = {"discovery": 1, "validation": 1, "test": 1}  # prompts of each kind by split
QUICK = AuditSettings("quick")


class AllSearched(AuditSettings):
    """Every refused prompt is searched: a few planted prompts do not show every planted mechanism."""

    @property
    def amounts(self) -> Effort:
        return replace(super().amounts, searched_beyond_test=1000)


def some_prompts(per_split: Mapping[str, int]) -> PromptSet:
    """The first few planted prompts of each kind and split, each a family of its own: intervals need six."""
    taken: dict[tuple[str, str | None, str], int] = {}
    chosen = []
    for prompt in planted_prompts().prompts:
        key = (prompt.label, prompt.category, prompt.split)
        taken[key] = taken.get(key, 0) + 1
        most = per_split[prompt.split] * (1 if prompt.label == "harmful" else 4)
        if taken[key] <= most:
            chosen.append(replace(prompt, family=prompt.id))
    return PromptSet("planted", tuple(chosen))


@cache
def planted_audit() -> Audited:
    """A quick audit of `planted`, the same for all tests of a process that only read it."""
    return audit_planted("planted", FEW)


def audit_planted(
    name: str,
    per_split: Mapping[str, int],
    settings: AuditSettings = QUICK,
    progress: Callable[[Step], None] = lambda step: None,
) -> Audited:
    """A whole audit of `planted` or `planted-null`."""
    subject, prompts, judge = load_subject(name), some_prompts(per_split), PhraseJudge()
    return run_audit(
        ResidualEngine(subject.model, dict(subject.saes)),
        subject.model,
        judge,
        [AuditedPrompt(p, subject.model.encode_chat(p.text)) for p in prompts.prompts],
        settings,
        build_manifest(subject, prompts, judge, settings, "", ""),
        NothingKept(),
        progress,
    )
