"""What became of a prompt, on every kind there is."""

from dataclasses import replace

from backend.audit.claimed_sets import claimed_set
from backend.audit.results import BaselinePrompt, PromptResult, Report, Response
from backend.reports.outcomes import outcome, random_flips


def audited(report: Report) -> PromptResult:
    return next(p for p in report.prompts if any(s.confirmed for s in p.minimal_sets))


def test_audited_prompts_by_what_flipped_them(planted_report: Report) -> None:
    flipped = audited(planted_report)
    by_score = replace(flipped, minimal_sets=tuple(replace(s, confirmed=False) for s in flipped.minimal_sets))
    never = replace(flipped, minimal_sets=(), k=None)
    assert [outcome(p) for p in (flipped, by_score, never)] == ["flipped", "unconfirmed", "not_flipped"]


def test_other_prompts_keep_their_baseline_verdict() -> None:
    for verdict in ("refused", "complied", "incoherent"):
        baseline = BaselinePrompt("p", 0.0, Response(verdict, 3, True, None, "p/baseline"))
        result = PromptResult("p", "text", "benign", None, "p", "test", baseline)
        assert outcome(result) == verdict
        assert claimed_set(result) is None
        assert random_flips(result) is None


def test_what_flips_is_the_set_that_is_claimed(planted_report: Report) -> None:
    flipped = audited(planted_report)
    base = flipped.minimal_sets[0]
    large, small, other = (
        replace(base, features=features, confirmed=confirmed)
        for features, confirmed in ((("1:1", "1:2"), True), (("1:3",), False), (("1:4", "1:5"), True))
    )
    assert claimed_set(replace(flipped, minimal_sets=(large, small, other))) == large


def test_random_flips_are_a_share_of_the_draws(planted_report: Report) -> None:
    flipped = next(p for p in planted_report.prompts if p.controls is not None and p.controls.random is not None)
    assert flipped.controls is not None
    assert flipped.controls.random is not None
    control = replace(flipped.controls.random, n_draws=20, n_flipped=5)
    assert random_flips(replace(flipped, controls=replace(flipped.controls, random=control))) == 0.25
