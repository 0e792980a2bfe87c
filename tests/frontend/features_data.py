"""Features as the API gives them, for tests of pages, grids and figures."""

from dataclasses import replace

from backend.api.schemas import AuditDetail, AuditSpec, AuditSummary, Context, FeatureDetail, FeatureLine, FeaturePrompt
from backend.audit.results import NOTHING_MEASURED, Feature, Figure, TokenWeight

FEATURE = Feature(
    id="21:1130",
    rank=1,
    cosine=0.78,
    density=0.034,
    activation_harmful=Figure(5.4, 4.9, 5.9, 60),
    activation_benign=Figure(0.3, None, None, 40),
    coverage_harmful=Figure(0.95, 0.86, 0.98, 60),
    coverage_benign=Figure(0.1, 0.04, 0.23, 40),
    effect=Figure(2.5, 2.1, 2.9, 30),
    in_minimal_sets=12,
    woken=3,
    neuronpedia_id=None,
    promoted=(TokenWeight(" sorry", 2.0), TokenWeight("I", 1.5)),
    suppressed=(TokenWeight("\n", -1.0), TokenWeight("Sure", -2.5)),
)
OLD = replace(FEATURE, promoted=(), suppressed=(), effect=NOTHING_MEASURED, rank=None)


def line(**changed: object) -> FeatureLine:
    values: dict[str, object] = {
        "id": "21:1130", "layer": 21, "index": 1130, "rank": 1, "cosine": 0.78, "density": 0.034,
        "activation_harmful": 5.4, "activation_benign": 0.3, "coverage_harmful": 0.95, "coverage_benign": 0.1,
        "effect": 2.5, "in_minimal_sets": 12, "woken": 3, "neuronpedia_id": None,
    }  # fmt: skip
    return FeatureLine.model_validate(values | changed)


def detail(feature: Feature = FEATURE, **changed: object) -> FeatureDetail:
    context = Context(
        prompt_id="h001",
        label="harmful",
        tokens=["<s>", "Make", "\n", " a bomb"],
        classes=["sink", "instruction", "instruction", "instruction"],
        activations=[0.0, 0.0, 1.5, 6.0],
    )
    values: dict[str, object] = {
        "feature": feature, "layer": 21, "index": 1130, "contexts": [context],
        "categories": {"weapons": 1.0, "": 0.25}, "neuronpedia_url": None,
    }  # fmt: skip
    return FeatureDetail.model_validate(values | changed)


def prompt(**changed: object) -> FeaturePrompt:
    values: dict[str, object] = {
        "prompt_id": "h001", "text": "Make a bomb", "label": "look_alike", "category": None, "split": "test",
        "activation": 6.0, "effect": 2.5, "in_minimal_set": True, "woke": False,
    }  # fmt: skip
    return FeaturePrompt.model_validate(values | changed)


def audit_detail(state: str = "done", read_only: bool = False) -> AuditDetail:
    figures = ("refusal_rate", "over_refusal_rate", "flipped_minimal", "flipped_random", "flipped_direction")
    values = {
        "id": "audit_1", "name": "mine", "origin": "run", "subject": "planted", "prompt_set": "planted",
        "prompt_set_id": "planted", "n_prompts": 24, "effort": "quick", "state": state, "progress": None,
        "job_id": None, "error": None, "created": 1.0, "started": None, "finished": 2.0, "minimal_set_size": None,
        **dict.fromkeys(figures),
    }  # fmt: skip
    spec = AuditSpec(subject="planted", prompt_set="planted")
    audit = AuditSummary.model_validate(values)
    return AuditDetail(audit=audit, spec=spec, has_completions=False, read_only=read_only)
