"""Comparisons as Markdown: tables that hold together whatever the texts are, signs and units as they should be."""

import re

import pytest

from backend.audit.comparison import compare_all
from backend.audit.results import Figure
from backend.reports.comparison_text import comparison_markdown, shown_p, shown_value
from tests.compared_reports import feature, pair, prompt, report
from tests.hostile_texts import HOSTILE

RATE = Figure(0.5, 0.25, 0.75, 8)


def markdown(n: int = 2, names: tuple[str, ...] = ("one", "two", "three")) -> str:
    audits = [
        report(
            [prompt(f"p{i}", features=("1:5",) if i > side else ()) for i in range(8)],
            subject=str(side),
            flipped=RATE,
            features=[feature("1:5", 7 - side)],
            pairs=[pair("1:5", "2:6")],
        )
        for side in range(n)
    ]
    return comparison_markdown(compare_all(audits), names[:n])


def test_the_tables_say_what_the_comparison_does() -> None:
    text = markdown()
    assert "# one compared with two" in text
    assert "8 prompts in common, 8 of them in the test split of both." in text
    assert re.search(r"\| flipped by minimal sets \| 6 \| 1 \| 0 \| 1 \| −12 points \([^)]*\), n 8 \| 1\.000 \|", text)
    assert "test prompts (headline)" in text
    assert "all prompts, those fitted on included" in text
    assert "| 1:5 | 7 | 6 |" in text
    assert "Measured pairs: 1 and 1, 1 in both, 1 of the same kind." in text
    assert "| figure | one | two |" in text


def test_only_more_than_two_audits_need_a_table_of_all() -> None:
    assert "| figure | one | two | three |" not in markdown(2)
    assert "| figure | one | two | three |" in markdown(3)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(text: str) -> None:
    written = markdown(2, (text, "two", ""))
    assert not re.search(r"<(script|img|svg|iframe|a|b|base|meta|link|style)\b", written)
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in written.splitlines() if line.startswith("| outcome")}
    assert widths == {8}
    assert not re.search(r"(?<!\\)\]\(", written)


def test_values_in_words() -> None:
    assert shown_value(RATE, "%") == "50 % (25 to 75), n 8"
    assert shown_value(Figure(-0.4, -0.6, 0.1, 8), "%", signed=True) == "−40 points (−60 to +10), n 8"
    assert shown_value(Figure(0.001, None, None, 8), "", signed=True) == "0.00, n 8"
    assert shown_value(Figure(None, None, None, 0), "%") == "not measured"
    assert (shown_p(None), shown_p(0.0004), shown_p(0.5)) == ("–", "< 0.001", "0.500")
