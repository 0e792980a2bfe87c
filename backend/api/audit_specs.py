"""An audit's spec: checked against what is here, and named by everything that its answer depends on."""

import json
from collections.abc import Sequence
from hashlib import sha256

from backend.api.problem import Unprocessable
from backend.api.routes.subjects import problem_with
from backend.api.schemas import AuditSpec
from backend.errors import BadInput
from backend.judges.allowed import check_allowed
from backend.reports.code_version import source_sha256
from backend.store import prompt_sets, subjects
from backend.store.database import Session
from backend.store.tables import PromptSetRow, SubjectRow


def settle(session: Session, spec: AuditSpec) -> tuple[AuditSpec, SubjectRow, PromptSetRow]:
    """The spec in its one form with what it names. Raises Unprocessable, naming the field and the fix."""
    subject = subjects.get(session, spec.subject)
    if subject is None:
        known = ", ".join(subjects.ids(session)[:20])
        raise _field("subject", f"there is no {spec.subject[:80]}; choose one of {known}")
    if (problem := problem_with(subject)) is not None:
        raise _field("subject", problem)
    prompts = prompt_sets.get(session, spec.prompt_set)
    if prompts is None:
        raise _field("prompt_set", f"there is no {spec.prompt_set}; choose one of /api/prompt-sets or upload one")
    try:
        check_allowed(spec.judge)
    except BadInput as error:
        raise _field("judge", str(error).removeprefix("judge: ")) from error
    layers = settled_layers(spec.layers, subject.layers)
    if layers is not None and subject.layers is not None and (unknown := sorted(set(layers) - set(subject.layers))):
        has = ", ".join(map(str, subject.layers))
        raise _field("layers", f"{subject.id} has no SAE for layer {unknown[0]}; there are layers {has}")
    return spec.model_copy(update={"layers": layers}), subject, prompts


def settled_layers(layers: Sequence[int] | None, known: Sequence[int] | None) -> list[int] | None:
    """Ascending, each once; all of them are the same as none named."""
    chosen = sorted(set(layers)) if layers else None
    return None if known is not None and chosen == sorted(known) else chosen


def spec_sha256(spec: AuditSpec, prompts_sha256: str) -> str:
    """Names the answer: subject, prompts by content, settings and code."""
    parts = {**spec.model_dump(), "prompt_set": prompts_sha256, "code": source_sha256()}
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _field(name: str, problem: str) -> Unprocessable:
    return Unprocessable(f"{name}: {problem}", errors=[{"field": name, "problem": problem}])
