"""The features grid: columns with help, rows in words, filters from and into the address."""

import pytest

from frontend.components.feature_filters import as_api, filters, filters_of
from frontend.components.feature_grid import COLUMNS, DEFAULT_SORT, SORTS, feature_columns, feature_row
from frontend.components.feature_prompt_grid import feature_prompt_columns, feature_prompt_row
from tests.frontend.features_data import line, prompt


def test_columns_explain_themselves_and_open_sorted() -> None:
    columns = feature_columns("-cosine")
    assert [column["field"] for column in columns] == ["feature", *(column.field for column in COLUMNS)]
    assert all(column["headerTooltip"] for column in columns)
    assert {column["field"]: column["sort"] for column in columns if "sort" in column} == {"cosine": "desc"}
    assert DEFAULT_SORT in SORTS


def test_every_cell_of_a_row_has_a_column_and_names_match_the_wire() -> None:
    row = feature_row(line(), "audit_1")
    assert set(row) == {"id", "feature", *(column.field for column in COLUMNS)}
    assert row["feature"] == {"href": "/audits/audit_1/features/21-1130", "text": "21:1130"}
    assert (row["cosine"], row["coverage_harmful"], row["density"]) == ("0.78", "95 %", "3.4 %")
    assert {column.field for column in COLUMNS} <= set(type(line()).model_fields)


def test_what_was_not_measured_is_a_dash() -> None:
    row = feature_row(line(effect=None, rank=None, coverage_harmful=None), "a")
    assert (row["effect"], row["rank"], row["coverage_harmful"]) == ("–", "–", "–")


def test_a_zero_effect_is_a_number() -> None:
    assert feature_row(line(effect=0.0), "a")["effect"] == "0.00"


@pytest.mark.parametrize(
    ("query", "found", "asked"),
    [
        ({}, {}, {}),
        ({"layer": "0", "role": "woke", "text": " 21:1 "}, {"layer": 0, "role": "woke", "text": "21:1"},
         {"layer": 0, "woke": "true", "text": "21:1"}),
        ({"layer": "high", "role": "<script>", "text": ""}, {}, {}),
        ({"role": "in_sets"}, {"role": "in_sets"}, {"in_sets": "true"}),
    ],
)  # fmt: skip
def test_filters_come_from_the_address_and_go_to_the_api(
    query: dict[str, str], found: dict[str, object], asked: dict[str, object]
) -> None:
    assert filters_of(query) == found
    assert as_api(found) == asked


def test_filters_of_controls_are_those_of_the_address() -> None:
    assert filters("21", "woke", None) == filters_of({"layer": "21", "role": "woke"})


def test_prompts_of_a_feature_lead_to_the_prompt_with_it_chosen() -> None:
    row = feature_prompt_row(prompt(), "audit_1", "21:1130", recorded=True)
    assert row["prompt"]["href"] == "/audits/audit_1/prompts/h001?feature=21%3A1130"
    assert (row["label"], row["category"], row["in_minimal_set"], row["woke"]) == ("look-alike", "–", "yes", "no")
    assert set(row) == {"id", *(column["field"] for column in feature_prompt_columns("effect"))}


def test_an_activation_that_was_not_recorded_is_no_zero() -> None:
    assert feature_prompt_row(prompt(activation=0.0), "a", "1:1", recorded=False)["activation"] == "–"
