"""One seed of the null and of the planted subject: nothing is claimed of the one, everything found in the other.

`make bench-statistics` takes a hundred.
"""

from collections import Counter
from dataclasses import replace

import pytest

from backend.audit.results import Cascade, Report
from backend.subjects.planted.circuit import AUDITED_LAYERS, planted_truth
from backend.subjects.sparse_autoencoder import FeatureId
from backend.subjects.subject import load_subject
from benchmarks.null_audits import DEALT, audit, claimed_woken, deal, found, null_claims, wakes_again

SEED = 0


@pytest.fixture(scope="module")
def null_audit() -> Report:
    return audit(load_subject("planted-null"), SEED)


def test_nothing_of_the_null_subject_is_called_a_cause(null_audit: Report) -> None:
    claims = null_claims(load_subject("planted-null"), null_audit, SEED)
    assert (claims.confirmed_sets, claims.pairs, claims.backups_confirmed, claims.statements) == (0, 0, 0, ())
    assert claims.woken_once == 0


def test_what_wakes_again_is_told_from_what_does_not(null_audit: Report) -> None:
    """The seed's claims are real. On the first audited layer nothing wakes, for below it nothing is ablated."""
    subject = load_subject("planted-null")
    report = null_audit
    claimed = claimed_woken(report)
    assert claimed
    assert all(wakes_again(subject, report, name) for name in claimed)
    never = str(FeatureId(AUDITED_LAYERS[0], 0))
    prompts = [replace(p, cascade=_claiming(p.cascade, never)) if p.cascade else p for p in report.prompts]
    assert not wakes_again(subject, replace(report, prompts=tuple(prompts)), never)


def _claiming(cascade: Cascade, feature: str) -> Cascade:
    return replace(cascade, rounds=tuple(replace(r, woke=(*r.woke, feature)) for r in cascade.rounds))


def test_all_that_is_planted_is_found_and_nothing_else() -> None:
    subject, truth = load_subject("planted"), planted_truth("planted", null=False)
    one = found(audit(subject, SEED), truth, SEED)
    assert (one.sets_wrong, one.pairs_wrong, one.woken_wrong) == (0, 0, 0)
    assert (one.prompts_with_set, one.pairs_right, one.woken_right) == (one.prompts, 3, 1)


@pytest.mark.parametrize("seed", [0, 1])
def test_prompts_are_dealt_evenly_and_by_the_seed(seed: int) -> None:
    dealt = deal(seed).prompts
    counts = Counter((p.category, p.split) for p in dealt if p.label == "harmful")
    assert len({p.category for p in dealt if p.label == "harmful"}) == 4
    assert all(count == DEALT[split] for (_, split), count in counts.items())
    assert deal(seed) == deal(seed) != deal(seed + 1)
