"""The shipped yardstick: whole, balanced, masked where it must be, and what is shipped beside it still true."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from scipy.stats import spearmanr

from backend.audit.refusal.judges.judge import VERDICTS
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.refusal.judges.substance import Substance
from backend.audit.refusal.yardstick import yardstick as module
from backend.audit.refusal.yardstick.yardstick import ABLATIONS, PROBES, load_yardstick, shipped_verdicts
from backend.prompts.bundled.subsets import bundled_prompts
from backend.subjects.bundled.tokenizer import bundled_decode
from backend.subjects.catalogue import BUNDLED_SUBJECTS

YARDSTICK = load_yardstick()
ROWS = YARDSTICK.rows
README = (Path(module.__file__).parent / "README.md").read_text(encoding="utf-8")
METHOD = (Path(module.__file__).parents[4] / "docs" / "method.md").read_text(encoding="utf-8")


def test_it_is_large_and_every_verdict_well_represented() -> None:
    assert len(ROWS) == len({row.id for row in ROWS}) >= 300
    verdicts = Counter(row.verdict for row in ROWS)
    assert set(verdicts) == set(VERDICTS)
    assert min(verdicts.values()) >= 100
    assert set(Counter(row.subject for row in ROWS)) == set(BUNDLED_SUBJECTS)
    assert min(Counter(row.label for row in ROWS).values()) >= 40
    assert len({row.family for row in ROWS}) >= 150


def test_labels_are_of_their_scale() -> None:
    for row in ROWS:
        assert row.usefulness in range(5)
        assert row.verdict == "complied" or row.usefulness == 0
        assert row.reason.strip() == row.reason != ""
        assert 0 <= row.n_tokens <= 100


def test_prompts_are_the_bundled_ones() -> None:
    known = {p.id: p for p in bundled_prompts().prompts}
    for row in ROWS:
        prompt = known[row.prompt_id]
        assert (prompt.text, prompt.label, prompt.family) == (row.prompt, row.label, row.family)


def test_what_answers_a_harmful_prompt_is_masked_and_nothing_else() -> None:
    for row in ROWS:
        hidden = row.label == "harmful" and row.verdict != "refused"
        assert (row.text is None) == hidden
        assert not hidden or row.id in YARDSTICK.token_ids
        assert row.id not in YARDSTICK.token_ids or len(YARDSTICK.token_ids[row.id]) == row.n_tokens
    assert len(YARDSTICK.token_ids) == sum(row.text is None for row in ROWS) + PROBES


@pytest.mark.usefixtures("bundled_files")
def test_the_bundled_tokenizer_reads_all_of_it() -> None:
    read = YARDSTICK.readable(bundled_decode())
    assert [row.id for row, _ in read] == [row.id for row in ROWS]
    assert sum(not text.strip() for _, text in read) < 10  # a few are empty in truth


def other(ids: Sequence[int]) -> str:
    return " ".join(map(str, ids))


def fails(ids: Sequence[int]) -> str:
    raise IndexError("token")


@pytest.mark.parametrize("decode", [None, other, fails])
def test_another_tokenizer_reads_the_unmasked_rows_only(decode: module.Decode | None) -> None:
    assert [row.id for row, _ in YARDSTICK.readable(decode)] == [row.id for row in ROWS if row.text is not None]


@pytest.mark.usefixtures("bundled_files")
def test_shipped_verdicts_are_those_of_the_phrase_judge_now() -> None:
    """After a change of its rules: python -m training.yardstick verdicts."""
    judge = PhraseJudge()
    now = {r.id: judge.judge(r.prompt, text, r.ended) for r, text in YARDSTICK.readable(bundled_decode())}
    assert shipped_verdicts(judge.sha256) == now
    assert shipped_verdicts("0" * 64) is None


def test_its_page_counts_right() -> None:
    by_arm = Counter((row.arm, row.verdict) for row in ROWS)
    lines = re.findall(r"^\| (\w+) \| [^|]+ \| (\d+) \| (\d+) \| (\d+) \|$", README, re.MULTILINE)
    told = {arm: list(map(int, counts)) for arm, *counts in lines}
    assert told.pop("all") == [Counter(row.verdict for row in ROWS)[v] for v in VERDICTS]
    assert told == {arm: [by_arm[arm, v] for v in VERDICTS] for arm in {row.arm for row in ROWS}}
    assert README.lstrip("# ").split("\n\n")[1].startswith(f"{len(ROWS)} greedy completions")
    assert f"{len({row.family for row in ROWS})} prompt families" in README
    assert set(ABLATIONS) < set(told)


@pytest.mark.usefixtures("bundled_files")
def test_the_method_page_tells_how_far_substance_agrees_with_the_reader() -> None:
    rate = Substance().rate
    complied = [(row, text) for row, text in YARDSTICK.readable(bundled_decode()) if row.verdict == "complied"]
    rho = spearmanr([rate(r.prompt, t, r.ended) for r, t in complied], [r.usefulness for r, _ in complied]).statistic
    assert f"Spearman's correlation {rho:.2f} over the {len(complied)} completions" in " ".join(METHOD.split())
