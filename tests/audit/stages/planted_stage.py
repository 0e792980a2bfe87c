"""A planted subject made ready for the stages that work on one prompt at a time, fitted on all its prompts."""

from dataclasses import dataclass
from functools import cache

from backend.audit.candidates import ActivationTable, Candidates
from backend.audit.interventions import DEFAULT_SCOPE
from backend.audit.spec import AuditedPrompt
from backend.audit.stages.candidates import rank_candidates, table_activations
from backend.audit.stages.direction import fit_direction
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Observation, Pair
from backend.subjects.planted.circuit import PlantedTruth
from backend.subjects.planted.prompts import planted_prompts
from backend.subjects.planted.subject import planted_subject
from backend.subjects.planted.words import vocabulary

SCOPE = DEFAULT_SCOPE


@dataclass(frozen=True, eq=False)
class PlantedStage:
    """Everything a stage asks for besides the prompt."""

    engine: ResidualEngine
    truth: PlantedTruth
    prompts: tuple[AuditedPrompt, ...]
    onset_ids: tuple[int, ...]
    candidates: Candidates
    table: ActivationTable

    def of_kind(self, kind: str) -> list[AuditedPrompt]:
        return [p for p in self.prompts if p.prompt.category == kind]

    def baseline(self, prompt: AuditedPrompt) -> Observation:
        return self.engine.observe([Pair(prompt.tokens)], self.onset_ids, SCOPE)[0]


@cache
def planted_stage(name: str = "planted") -> PlantedStage:
    subject = planted_subject(name)
    engine = ResidualEngine(subject.model, dict(subject.saes))
    prompts = tuple(AuditedPrompt(p, subject.model.encode_chat(p.text)) for p in planted_prompts().prompts)
    by_label = {label: [p for p in prompts if p.prompt.label == label] for label in ("harmful", "benign")}
    vectors = fit_direction(engine, by_label["harmful"], by_label["benign"], 48)
    table = table_activations(engine, prompts, SCOPE, lambda done, total: None)
    directions = {layer: vectors.at(layer, -1) for layer in vectors.layers}
    return PlantedStage(
        engine=engine,
        truth=subject.truth,
        prompts=prompts,
        onset_ids=tuple(vocabulary().index(token) for token in subject.truth.refusal_onset),
        candidates=rank_candidates(engine.saes, directions, table.density, 64),
        table=table,
    )
