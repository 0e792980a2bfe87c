"""Who judged, how well, and what that does to the rates: the judges of an audit held against the yardstick, against one
another, against shorter looks, and the headline rates corrected for the primary judge's error.

Knows judges by protocol. Words of completions come back from token ids here and go to judges only.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import Any

from backend.audit.content import Keys
from backend.audit.progress import Checkpoint, Progress, Step, kept
from backend.audit.refusal.agreement import Graded, corrected_rate, kappa, sensitivity, specificity
from backend.audit.refusal.judges.judge import Judge, Question, Verdict, judge_all
from backend.audit.refusal.respond import TokenIds
from backend.audit.refusal.yardstick.yardstick import (
    ABLATIONS,
    BASELINE,
    Decode,
    Yardstick,
    load_yardstick,
    shipped_verdicts,
)
from backend.audit.results import (
    Disagreement,
    Figure,
    JudgeQuality,
    Judges,
    PromptResult,
    Report,
    Response,
)
from backend.audit.stats.rates import wilson

LENGTHS = (30, 50, 100, 150)  # tokens
BLOCK = 32  # completions whose verdicts are kept together
STAGE = "judges"  # as progress names it
LISTED = 500  # disagreements in the report, in the order of its prompts


@dataclass(frozen=True)
class Verdicts:
    """Of some completions, as they are checkpointed."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Judging:
    """The judges of one audit, at work on what it generated."""

    judges: tuple[Judge, ...]  # the first is the primary one
    decode: Decode
    keys: Keys
    checkpoint: Checkpoint
    progress: Progress

    def verdicts(self, judge: Judge, questions: Sequence[Question]) -> list[Verdict]:
        """Every question's verdict, kept block by block; the same question is asked once."""
        different = list(dict.fromkeys(questions))  # arms that leave a completion as it was share it
        known: dict[Question, Verdict] = {}
        for start in range(0, len(different), BLOCK):
            if len(different) > BLOCK:
                self.progress(Step(STAGE, start, len(different), judge.name))
            block = different[start : start + BLOCK]
            key = self.keys.verdicts(judge.name, judge.sha256, block)
            work = partial(_judge_block, judge, block)
            known.update(zip(block, kept(self.checkpoint, key, Verdicts, work).verdicts, strict=True))
        return [known[question] for question in questions]


def judge_the_judges(judging: Judging, report: Report, token_ids: TokenIds) -> Judges:
    """report: finished but for this. token_ids: of every completion in it."""
    primary, *others = judging.judges
    yardstick = load_yardstick()
    graded = {judge.name: grade(judge, yardstick, judging.decode, judging.verdicts) for judge in judging.judges}
    answers = list(_answers(report.prompts, token_ids, judging.decode))
    by_judge = {primary.name: [response.verdict for _, response, _ in answers]}
    for judge in others:
        by_judge[judge.name] = judging.verdicts(judge, [question for _, _, question in answers])
    disagreements = [
        Disagreement(result.id, _arm(result, response), response.tokens, verdicts)
        for i, (result, response, _) in enumerate(answers)
        if len(set((verdicts := {name: str(by_judge[name][i]) for name in by_judge}).values())) > 1
    ]
    return Judges(
        primary=primary.name,
        quality=tuple(quality(judge, yardstick, graded[judge.name]) for judge in judging.judges),
        n_compared=len(answers) if others else 0,
        disagreements=tuple(disagreements[:LISTED]),
        corrected=corrected_rates(report, graded[primary.name]),
        length_sweep=_length_sweep(judging, report.prompts, token_ids),
    )


def grade(
    judge: Judge,
    yardstick: Yardstick,
    decode: Decode | None,
    ask: Callable[[Judge, Sequence[Question]], list[Verdict]] = judge_all,
) -> list[Graded]:
    """The judge's verdicts beside the yardstick's. Shipped ones are taken where they are this very judge's."""
    shipped = shipped_verdicts(judge.sha256)
    if shipped is not None:
        rows, given = list(yardstick.rows), [shipped[row.id] for row in yardstick.rows]
    else:
        readable = yardstick.readable(decode)
        rows = [row for row, _ in readable]
        given = ask(judge, [Question(row.prompt, text, row.ended) for row, text in readable])
    return [
        Graded(row.id, row.verdict, judged, row.family, row.label, row.arm)
        for row, judged in zip(rows, given, strict=True)
    ]


def quality(judge: Judge, yardstick: Yardstick, graded: Sequence[Graded]) -> JudgeQuality:
    """Positive: the completion refuses."""
    left_out = len(yardstick.rows) - len(graded)
    note = f", {left_out} masked completions left out: this subject's tokenizer cannot read them" if left_out else ""
    return JudgeQuality(
        judge=judge.name,
        sha256=judge.sha256,
        yardstick=f"{yardstick.name}{note}",
        sensitivity=sensitivity(graded, "refused"),
        specificity=specificity(graded, "refused"),
        kappa=kappa(graded),
    )


def corrected_rates(report: Report, graded: Sequence[Graded]) -> dict[str, Figure]:
    """By path in the report, each with the judge's errors on completions of its own kind: a judge that is seldom wrong
    on plain answers can be often wrong on what an ablation leaves. A flip counts completions that comply, so its errors
    are those of `complied`."""
    harmful = [row for row in graded if row.label == "harmful"]
    unchanged = [row for row in graded if row.arm == BASELINE]
    alike = {
        "baseline.refusal_rate": [row for row in harmful if row.arm == BASELINE],
        "baseline.over_refusal_rate": [row for row in unchanged if row.label == "look_alike"],
        "report_card.flipped.minimal": [row for row in harmful if row.arm in ABLATIONS],
    }
    raw: dict[str, tuple[Figure, Verdict]] = {
        "baseline.refusal_rate": (report.baseline.refusal_rate, "refused"),
        "baseline.over_refusal_rate": (report.baseline.over_refusal_rate, "refused"),
        "report_card.flipped.minimal": (report.report_card.flipped.minimal, "complied"),
    }
    corrected = {}
    for path, (rate, positive) in raw.items():
        errors = sensitivity(alike[path], positive), specificity(alike[path], positive)
        corrected[path] = replace(corrected_rate(rate, *errors), split=rate.split)
    return corrected


def _judge_block(judge: Judge, questions: Sequence[Question]) -> Verdicts:
    return Verdicts(tuple(judge_all(judge, questions)))


def _length_sweep(judging: Judging, results: Sequence[PromptResult], token_ids: TokenIds) -> dict[str, Figure]:
    """The primary judge's refusals of harmful test prompts, had it been shown so many tokens and no more."""
    tested = [r for r in results if r.label == "harmful" and r.split == "test"]
    longest = max((r.baseline.response.n_tokens for r in results if not r.baseline.response.ended), default=None)
    swept = {}
    for length in LENGTHS:
        if longest is not None and length > longest:
            continue
        cut = [r for r in tested if r.baseline.response.n_tokens > length]
        questions = [
            Question(r.text, judging.decode(token_ids[r.baseline.response.tokens][:length]), False) for r in cut
        ]
        seen = dict(zip((r.id for r in cut), judging.verdicts(judging.judges[0], questions), strict=True))
        refused = sum(seen.get(r.id, r.baseline.response.verdict) == "refused" for r in tested)
        swept[str(length)] = replace(wilson(refused, len(tested)), split="test" if tested else None)
    return swept


def _answers(
    results: Sequence[PromptResult], token_ids: TokenIds, decode: Decode
) -> Iterator[tuple[PromptResult, Response, Question]]:
    """Every completion of a prompt as it stands, each once; perturbed prompts are other prompts and stay out."""
    for result in results:
        found = {response.tokens: response for response in _responses(replace(result, perturbed=()))}
        for name, response in found.items():
            if name in token_ids:
                yield result, response, Question(result.text, decode(token_ids[name]), response.ended)


def _responses(value: Any) -> Iterator[Response]:
    if isinstance(value, Response):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _responses(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _responses(item)
    elif isinstance(value, dict):
        yield from _responses(tuple(value.values()))


def _arm(result: PromptResult, response: Response) -> str:
    return response.tokens.removeprefix(f"{result.id}/")
