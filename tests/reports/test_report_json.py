"""report.json: strict, inside its schema, and the shipped schema is the one the results give."""

import json
from dataclasses import replace

import jsonschema
import pytest

from backend.audit.results import Report
from backend.reports.report_json import report_from_json, report_schema, report_to_json, shipped_schema
from tests.planted_audits import planted_audit

PATHS = (
    "baseline.refusal_rate",
    "baseline.over_refusal_rate",
    "report_card.flipped.minimal",
    "report_card.flipped.random",
    "report_card.flipped.direction",
    "report_card.minimal_set_size",
    "report_card.depth",
    "report_card.woken",
    "interactions.r2_heldout",
    "interactions.r2_linear",
    "verification.arms.noise.flipped",
    "verification.sufficiency.refused",
    "verification.side_effects.minimal.kl",
    "verification.transfer.confirmed_half",
)


@pytest.fixture(scope="module")
def report() -> Report:
    return planted_audit().report


def test_shipped_schema_is_the_one_the_results_give() -> None:
    assert shipped_schema() == report_schema(), "write report_schema() to backend/reports/report.schema.json"


def test_a_real_report_keeps_to_the_schema_and_has_its_figures(report: Report) -> None:
    written = json.loads(report_to_json(report), parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(shipped_schema()).validate(written)
    assert list(written) == [
        "schema_version", "manifest", "baseline", "direction", "features", "prompts", "interactions", "cascade",
        "report_card", "verification", "stability", "judges",
    ]  # fmt: skip
    for path in PATHS:
        figure = written
        for key in path.split("."):
            figure = figure[key]
        assert set(figure) == {"value", "low", "high", "n", "split"}, path


def test_the_schema_refuses_what_is_not_a_report(report: Report) -> None:
    validator = jsonschema.Draft202012Validator(shipped_schema())
    written = json.loads(report_to_json(report))
    del written["baseline"]["refusal_rate"]
    assert not validator.is_valid(written)
    written = json.loads(report_to_json(report))
    written["report_card"]["depth"]["n"] = "many"
    assert not validator.is_valid(written)


def test_reading_back_gives_the_same_file(report: Report) -> None:
    text = report_to_json(report)
    assert report_to_json(report_from_json(text)) == text


def test_a_report_from_before_verification_is_read(report: Report) -> None:
    written = json.loads(report_to_json(report))
    for name in ("verification", "stability", "judges"):
        del written[name]
    for prompt in written["prompts"]:
        del prompt["verification"]
        random = (prompt["controls"] or {}).get("random")
        if random is not None:
            del random["n_incoherent"]
    older = report_from_json(json.dumps(written))
    assert older.verification is None
    assert all(prompt.verification is None for prompt in older.prompts)
    controls = [prompt.controls for prompt in older.prompts if prompt.controls is not None]
    assert all(one.random is None or one.random.n_incoherent is None for one in controls)


def test_numbers_that_json_cannot_hold_are_refused(report: Report) -> None:
    broken = replace(report, manifest=replace(report.manifest, timings={"seconds": float("nan")}))
    with pytest.raises(ValueError, match="JSON"):
        report_to_json(broken)


def test_no_answer_under_intervention_is_readable_in_the_report(report: Report) -> None:
    text = report_to_json(report)
    assert "here is what you asked" not in text.lower()
    complied = [s.response for p in report.prompts for s in p.minimal_sets if s.response.verdict == "complied"]
    assert complied
    assert all(response.text is None for response in complied)
