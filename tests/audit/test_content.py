"""Pieces of work are named by what they depend on: nothing less, nothing more."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.audit import run_audit
from backend.audit.content import fingerprint
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.results import Restored
from backend.audit.spec import AuditedPrompt, AuditSettings
from backend.engine.engine import ResidualEngine
from backend.prompts.prompt import PromptSet
from backend.reports.manifest import build_manifest
from backend.subjects.sparse_autoencoder import FeatureId
from backend.subjects.subject import load_subject
from tests.planted_audits import FEW, some_prompts

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(plain, plain)
def test_equal_values_and_only_those_share_a_fingerprint(a: Any, b: Any) -> None:
    assert fingerprint(a) == fingerprint(a)
    # 1, 1.0 and True are equal in Python and not in JSON: nothing is lost by telling them apart.
    if a != b:
        assert fingerprint(a) != fingerprint(b)


def test_dataclasses_sets_and_mappings_count_by_content() -> None:
    assert fingerprint(Restored("1:2", 0.5)) == fingerprint({"score": 0.5, "feature": "1:2"})
    assert fingerprint(frozenset({FeatureId(1, 2), FeatureId(0, 3)})) == fingerprint({FeatureId(0, 3), FeatureId(1, 2)})


def test_tensors_count_by_shape_and_value_but_not_by_their_last_bits() -> None:
    x = torch.linspace(-1, 1, 6)
    assert fingerprint(x) == fingerprint(x + 1e-7)
    assert fingerprint(x) != fingerprint(x + 1e-3)
    assert fingerprint(x) != fingerprint(x.reshape(2, 3))
    assert fingerprint(torch.zeros(2)) == fingerprint(-torch.zeros(2))


class Shared:
    """A checkpoint kept over several audits, which counts what was found and what was made."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.found: Counter[str] = Counter()
        self.made: Counter[str] = Counter()

    def load(self, key: str, kind: type) -> Any:
        value = self.values.get(key)
        if value is not None:
            self.found[key.partition("-")[0]] += 1
        return value

    def save(self, key: str, value: Any) -> None:
        self.values[key] = value
        self.made[key.partition("-")[0]] += 1


def audit(shared: Shared, settings: AuditSettings, prompts: PromptSet) -> Shared:
    """One planted audit on what is kept; the counts are of this audit alone."""
    shared.found, shared.made = Counter(), Counter()
    subject, judge = load_subject("planted"), PhraseJudge()
    tokens = [AuditedPrompt(p, subject.model.encode_chat(p.text)) for p in prompts.prompts]
    manifest = build_manifest(subject, prompts, judge, settings, "", "")
    engine = ResidualEngine(subject.model, dict(subject.saes))
    run_audit(engine, subject.model, judge, tokens, settings, manifest, shared, lambda step: None)
    return shared


@pytest.fixture(scope="module")
def known() -> Shared:
    return audit(Shared(), AuditSettings("quick"), some_prompts(FEW))


def test_the_same_audit_again_makes_nothing(known: Shared) -> None:
    stages = {"answers", "direction", "interactions", "search", "random", "verification", "stability"}
    assert stages == set(known.made or known.found) - {"stronger"}  # needed only where a completion still refuses
    assert not audit(known, AuditSettings("quick"), some_prompts(FEW)).made


def test_another_seed_answers_no_prompt_anew(known: Shared) -> None:
    again = audit(known, AuditSettings("quick", seed=1), some_prompts(FEW))
    assert again.found["answers"]
    assert again.found["direction"]
    assert again.made["search"]


def test_the_sink_option_leaves_direction_and_interactions(known: Shared) -> None:
    again = audit(known, AuditSettings("quick", include_sink=True), some_prompts(FEW))
    assert again.found["direction"]
    assert again.found["interactions"]
    assert again.made["random"]


def test_another_wording_of_a_prompt_makes_its_work_anew(known: Shared) -> None:
    prompts = some_prompts(FEW)
    first = prompts.select("harmful", "test")[0]
    words = first.text.split()
    changed = replace(first, text=" ".join([*words[1:], words[0]]))
    others = tuple(changed if p.id == first.id else p for p in prompts.prompts)
    again = audit(known, AuditSettings("quick"), PromptSet("planted", others))
    assert again.found["direction"]  # fitted and chosen on others
    assert again.made["answers"]
    assert again.made["random"]
