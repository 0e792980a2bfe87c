"""What interactive jobs need of a finished audit: its subject, its onset tokens, one prompt of it. Knows the store."""

from dataclasses import dataclass

from backend.api.schemas import AuditSpec
from backend.audit.feature_sets import FeatureSet
from backend.errors import BadInput
from backend.jobs.desk import device_for, subject_key
from backend.jobs.resident import SubjectKey
from backend.prompts.bundled.subsets import bundled_prompts
from backend.prompts.prompt import Prompt
from backend.store import audits, prompt_results, prompt_sets
from backend.store.database import Database
from backend.store.tables import PromptResultRow
from backend.subjects.sparse_autoencoder import FeatureId
from backend.subjects.subject import Device

MOST_REPORTED = 500  # prompts read from a report whose set is not here


@dataclass(frozen=True)
class AuditContext:
    audit_id: str
    key: SubjectKey
    seed: int
    onset_ids: tuple[int, ...]  # the audit's own refusal-onset tokens
    prompt_set_id: str | None
    completions_sha256: str | None


@dataclass(frozen=True)
class PromptContext:
    prompt: Prompt
    known_features: FeatureSet  # that its minimal sets and single effects name


def read_audit(database: Database, audit_id: str, device: Device) -> AuditContext:
    """device: the worker's. Raises BadInput when there is no such audit, or it is not finished."""
    with database.reading() as session:
        audit = audits.get(session, audit_id)
        if audit is None:
            raise BadInput(f"audit: there is no {audit_id}")
        if audit.summary is None:
            raise BadInput(f"audit: {audit_id} is not finished")
        spec = AuditSpec.model_validate(audit.spec)
        key = subject_key(session, spec.subject, spec.layers, device_for(spec.device, device), spec.dtype)
        tokens = audit.summary["baseline"]["onset"]["tokens"]
    onset_ids = tuple(int(token["id"]) for token in tokens)
    return AuditContext(audit_id, key, spec.seed, onset_ids, audit.prompt_set_id, audit.completions_sha256)


def read_prompt(database: Database, audit_id: str, prompt_id: str) -> PromptContext:
    """Raises BadInput when the audit has no such prompt."""
    with database.reading() as session:
        row = prompt_results.get(session, audit_id, prompt_id)
    if row is None:
        raise BadInput(f"prompt: the audit has no {prompt_id}")
    names = [name for found in row.story["minimal_sets"] for name in found["features"]]
    names += [single["feature"] for single in row.story["single_effects"]]
    return PromptContext(_prompt(row), frozenset(map(FeatureId.parse, names)))


def read_prompts(database: Database, context: AuditContext) -> tuple[Prompt, ...]:
    """The audit's prompts with those lent to it; of an imported one, whose set is not here, those in its report.

    Where none is benign, bundled benign ones stand in.
    """
    with database.reading() as session:
        kept = prompt_sets.load(session, context.prompt_set_id) if context.prompt_set_id is not None else None
        if kept is not None:
            prompts = kept.prompts
        else:
            lines = prompt_results.list_prompts(session, context.audit_id, limit=MOST_REPORTED).items
            prompts = tuple(map(_prompt, lines))
    if any(prompt.label == "benign" for prompt in prompts):
        return prompts
    return (*prompts, *bundled_prompts().benign)


def _prompt(row: PromptResultRow) -> Prompt:
    return Prompt(row.prompt_id, row.text, row.label, row.category, row.family, row.split)  # type: ignore[arg-type]
