"""CSV exports: what a spreadsheet reads back is what was measured, nothing in them runs, no completion is in them."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.results import Report, TokenWeight
from backend.reports.csv import FEATURE_COLUMNS, PROMPT_COLUMNS, features_csv, prompts_csv, safe_cell
from tests.hostile_texts import FORMULAS, HOSTILE


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_prompt_is_a_line_with_its_numbers(planted_report: Report) -> None:
    read = rows(prompts_csv(planted_report.prompts))
    assert [line["id"] for line in read] == [prompt.id for prompt in planted_report.prompts]
    flipped = next(p for p in planted_report.prompts if any(s.confirmed for s in p.minimal_sets))
    line = next(line for line in read if line["id"] == flipped.id)
    assert line["outcome"] == "flipped"
    assert float(line["score"]) == pytest.approx(flipped.baseline.score, rel=1e-9)
    smallest = min((s for s in flipped.minimal_sets if s.confirmed), key=lambda s: len(s.features))
    assert line["minimal_set"].split() == list(smallest.features)
    assert int(line["minimal_set_size"]) == len(smallest.features)
    unaudited = next(line for line in read if line["label"] == "benign")
    assert unaudited["minimal_set"] == unaudited["random_p"] == ""
    assert tuple(read[0]) == PROMPT_COLUMNS


def test_every_feature_is_a_line_with_figures_and_intervals(planted_report: Report) -> None:
    first = replace(planted_report.features[0], promoted=(TokenWeight("=cmd", 2.0), TokenWeight(" I'm", 1.0)))
    read = rows(features_csv([first, *planted_report.features[1:]]))
    assert tuple(read[0]) == FEATURE_COLUMNS
    assert [line["id"] for line in read] == [feature.id for feature in planted_report.features]
    assert f"{read[0]['layer']}:{read[0]['index']}" == first.id
    assert int(read[0]["coverage_harmful_n"]) == first.coverage_harmful.n
    assert float(read[0]["cosine"]) == pytest.approx(first.cosine, rel=1e-9)
    assert read[0]["promoted"] == "'=cmd' \" I'm\""


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-3.5", "+2", "1e-6", "-1.2E+3", ".5", "plain", "a=b", "", "21:1130"])
def test_numbers_and_plain_words_stay(text: str) -> None:
    assert safe_cell(text) == text


@given(st.text())
def test_no_cell_begins_as_a_formula(text: str) -> None:
    safe = safe_cell(text)
    assert safe.endswith(text)
    try:
        float(safe)
    except ValueError:
        assert not safe.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_hostile_words_come_back_as_they_were(planted_report: Report) -> None:
    texts = [*HOSTILE, *FORMULAS, 'a "quoted", line\nand another']
    prompts = [replace(planted_report.prompts[0], id=f"p{i}", text=text, category=text) for i, text in enumerate(texts)]
    read = rows(prompts_csv(prompts))
    assert [line["text"] for line in read] == [line["category"] for line in read] == [safe_cell(text) for text in texts]
