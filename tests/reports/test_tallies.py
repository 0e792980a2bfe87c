"""Counts over a report agree with counting by hand."""

from backend.audit.claimed_sets import claimed_set
from backend.audit.results import Report
from backend.reports import tallies
from backend.reports.outcomes import outcome


def test_set_sizes_count_every_flipped_prompt_once(planted_report: Report) -> None:
    sizes = tallies.set_sizes(planted_report.prompts)
    flipped = [p for p in planted_report.prompts if claimed_set(p) is not None]
    assert flipped
    assert sum(n for counts in sizes.values() for n in counts.values()) == len(flipped)
    one = flipped[0]
    found = claimed_set(one)
    assert found is not None
    same = [p for p in flipped if p.split == one.split and len(claimed_set(p).features) == len(found.features)]  # type: ignore[union-attr]
    assert sizes[one.split][len(found.features)] == len(same)


def test_depths_count_prompts_whose_cascade_flipped(planted_report: Report) -> None:
    depths = tallies.cascade_depths(planted_report.prompts)
    expected = [p for p in planted_report.prompts if p.cascade is not None and p.cascade.depth is not None]
    assert sum(n for counts in depths.values() for n in counts.values()) == len(expected) > 0


def test_outcomes_by_category_hold_every_prompt(planted_report: Report) -> None:
    counts = tallies.outcomes_by_category(planted_report.prompts)
    assert sum(n for by_outcome in counts.values() for n in by_outcome.values()) == len(planted_report.prompts)
    one = planted_report.prompts[0]
    assert counts[one.category or ""][outcome(one)] >= 1


def test_layers_hold_every_feature(planted_report: Report) -> None:
    rows = tallies.layers(planted_report)
    assert [row.layer for row in rows] == sorted({int(f.id.split(":")[0]) for f in planted_report.features})
    assert sum(row.n_candidates for row in rows) == len(planted_report.features)
    assert sum(row.in_minimal_sets for row in rows) == sum(f.in_minimal_sets for f in planted_report.features) > 0
    assert max(row.best_cosine for row in rows) == max(f.cosine for f in planted_report.features)
