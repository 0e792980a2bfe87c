"""Judges held against the yardstick, one another and shorter looks, on a planted audit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from backend.audit.audit import Audited
from backend.audit.content import Keys
from backend.audit.judging import BLOCK, Judging, corrected_rates, grade, judge_the_judges, quality
from backend.audit.refusal.agreement import Graded, corrected_rate, sensitivity, specificity
from backend.audit.refusal.judges.judge import Judge, Question, Verdict
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.refusal.yardstick.yardstick import Decode, load_yardstick
from backend.audit.results import Judges, PromptResult
from backend.subjects.planted.subject import planted_subject
from tests.planted_audits import planted_audit


class Yes:
    """Finds that everything complies; counts what it is asked."""

    name, sha256 = "yes", "9" * 64

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def judge(self, prompt: str, completion: str, ended: bool) -> Verdict:
        self.asked.append(Question(prompt, completion, ended))
        return "complied"


class Kept:
    """A checkpoint in memory."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def load(self, key: str, kind: type) -> Any:
        return self.values.get(key)

    def save(self, key: str, value: Any) -> None:
        self.values[key] = value


@pytest.fixture(scope="module")
def audited() -> Audited:
    return planted_audit()


@pytest.fixture(scope="module")
def decode() -> Decode:
    return planted_subject("planted", "cpu").model.decode


def judged(audited: Audited, decode: Decode, judges: Sequence[Judge], checkpoint: Kept | None = None) -> Judges:
    keys = Keys.of(audited.report.manifest)
    judging = Judging(tuple(judges), decode, keys, checkpoint or Kept(), lambda step: None)
    return judge_the_judges(judging, audited.report, audited.token_ids)


def test_every_audit_says_how_far_its_judge_can_be_trusted(audited: Audited) -> None:
    told = audited.report.judges
    assert told is not None
    assert (told.primary, told.n_compared, told.disagreements) == ("phrases", 0, ())
    (of_it,) = told.quality
    assert of_it.sha256 == PhraseJudge().sha256
    assert of_it.yardstick == load_yardstick().name  # all of it, masked completions too: shipped verdicts
    assert of_it.sensitivity.n + of_it.specificity.n == len(load_yardstick().rows)
    assert set(told.corrected) == {
        "baseline.refusal_rate", "baseline.over_refusal_rate", "report_card.flipped.minimal",
    }  # fmt: skip


def test_a_second_judge_disagrees_exactly_where_its_verdict_differs(audited: Audited, decode: Decode) -> None:
    told = judged(audited, decode, [PhraseJudge(), Yes()])
    expected = {
        response.tokens
        for result in audited.report.prompts
        for response in plain_responses(result)
        if response.verdict != "complied"
    }
    assert {d.tokens for d in told.disagreements} == expected
    assert expected
    baselines = [d for d in told.disagreements if d.arm == "baseline"]
    assert {d.prompt for d in baselines} == {
        r.id for r in audited.report.prompts if r.baseline.response.verdict != "complied"
    }
    assert all(d.tokens == f"{d.prompt}/{d.arm}" in audited.token_ids for d in told.disagreements)
    assert all(d.verdicts["yes"] == "complied" != d.verdicts["phrases"] for d in told.disagreements)
    assert told.n_compared > len(told.disagreements)


def plain_responses(result: PromptResult) -> list[Any]:
    """By hand, where a result keeps its completions."""
    found = [result.baseline.response, *(s.response for s in result.minimal_sets)]
    if (controls := result.controls) is not None:
        arms = (controls.direction, controls.fm_extended, controls.linear_probe, controls.with_sink)
        found += [arm.response for arm in arms if arm is not None and arm.response is not None]
    if result.verification is not None:
        found += [arm.response for arm in result.verification.arms.values() if arm.response is not None]
    return found


def test_the_second_judge_sees_the_words_that_the_first_one_saw(audited: Audited, decode: Decode) -> None:
    yes = Yes()
    judged(audited, decode, [PhraseJudge(), yes])
    texts = {(q.prompt, q.completion) for q in yes.asked}
    refusals = [r for r in audited.report.prompts if r.baseline.response.text is not None]
    assert refusals
    assert all((r.text, r.baseline.response.text) in texts for r in refusals)


def test_verdicts_are_kept_and_not_asked_twice(audited: Audited, decode: Decode) -> None:
    kept, first, second = Kept(), Yes(), Yes()
    told = judged(audited, decode, [PhraseJudge(), first], kept)
    assert judged(audited, decode, [PhraseJudge(), second], kept) == told
    assert len(first.asked) > BLOCK
    assert second.asked == []


def test_what_was_judged_before_a_budget_ran_out_is_kept(audited: Audited, decode: Decode) -> None:
    class Spent(Exception):
        pass

    class Poor(Yes):
        left = BLOCK + 5

        def judge(self, prompt: str, completion: str, ended: bool) -> Verdict:
            if len(self.asked) == self.left:
                raise Spent
            return super().judge(prompt, completion, ended)

    kept, poor, rich = Kept(), Poor(), Yes()
    with pytest.raises(Spent):
        judged(audited, decode, [PhraseJudge(), poor], kept)
    assert len(poor.asked) == Poor.left
    judged(audited, decode, [PhraseJudge(), rich], kept)
    both = Counter([*poor.asked[:BLOCK], *rich.asked])
    whole = Yes()
    judged(audited, decode, [PhraseJudge(), whole])
    assert both == Counter(whole.asked)
    assert max(both.values()) == 1


def test_another_judge_is_graded_on_what_can_be_read(decode: Decode) -> None:
    yardstick = load_yardstick()
    unmasked = [row for row in yardstick.rows if row.text is not None]
    of_it = quality(Yes(), yardstick, grade(Yes(), yardstick, decode))
    assert (of_it.sensitivity.value, of_it.specificity.value) == (0.0, 1.0)
    assert of_it.sensitivity.n + of_it.specificity.n == len(unmasked)
    assert f", {len(yardstick.rows) - len(unmasked)} masked completions left out" in of_it.yardstick


def test_rates_are_corrected_for_the_errors_that_they_count(audited: Audited) -> None:
    report = audited.report
    harmful = [
        *(Graded(f"r{i}", "refused", "refused" if i < 9 else "complied", f"r{i}", "harmful") for i in range(10)),
        *(Graded(f"i{i}", "incoherent", "complied" if i < 5 else "incoherent", f"i{i}", "harmful") for i in range(10)),
        *(Graded(f"c{i}", "complied", "complied", f"c{i}", "harmful") for i in range(10)),
    ]
    plain = [replace(row, arm="baseline") for row in harmful]
    ablated = [replace(row, arm="top2") for row in harmful]
    alike = [replace(row, label="look_alike", judged=row.truth) for row in plain]
    beside = [replace(row, arm="clamp", judged="refused") for row in harmful]  # of a kind that no audit makes
    found = corrected_rates(report, [*plain, *ablated, *alike, *beside])
    refused = (sensitivity(plain, "refused"), specificity(plain, "refused"))
    complied = (sensitivity(ablated, "complied"), specificity(ablated, "complied"))
    assert (refused[0].value, refused[1].value, complied[0].value, complied[1].value) == (0.9, 1.0, 1.0, 0.7)
    assert found["baseline.refusal_rate"] == replace(
        corrected_rate(report.baseline.refusal_rate, *refused), split=report.baseline.refusal_rate.split
    )
    flips = report.report_card.flipped.minimal
    assert found["report_card.flipped.minimal"] == replace(corrected_rate(flips, *complied), split=flips.split)
    assert corrected_rates(report, ablated)["baseline.refusal_rate"].value is None, (
        "no completion of that kind is labelled"
    )


def test_the_length_sweep_shows_the_judge_fewer_tokens(audited: Audited) -> None:
    """A completion that complies for 40 tokens and then refuses; one that ended at once; 120 tokens at most."""
    tested = [r for r in audited.report.prompts if r.label == "harmful" and r.split == "test"][:2]
    long, short = tested
    response = replace(long.baseline.response, n_tokens=120, ended=False, verdict="refused", tokens="long")
    long = replace(long, baseline=replace(long.baseline, response=response))
    response = replace(short.baseline.response, n_tokens=5, ended=True, verdict="refused", tokens="short")
    short = replace(short, baseline=replace(short.baseline, response=response))
    words = ["alpha", "beta", "gamma", "delta", "one", "two", "three", "salt", "bread", "rain", "stone", "leaf"]

    def decode(ids: Sequence[int]) -> str:
        said = " ".join(words[i % len(words)] for i in ids[:12])
        return "I'm sorry, but I can't help with that." if len(ids) > 40 else f"The answer is {said}."

    report = replace(audited.report, prompts=(long, short))
    ids = {"long": tuple(range(120)), "short": (1, 2, 3, 4, 5)}
    judging = Judging((PhraseJudge(),), decode, Keys.of(report.manifest), Kept(), lambda step: None)
    swept = judge_the_judges(judging, report, ids).length_sweep
    assert {length: (f.value, f.n, f.split) for length, f in swept.items()} == {
        "30": (0.5, 2, "test"), "50": (1.0, 2, "test"), "100": (1.0, 2, "test"),
    }  # fmt: skip
