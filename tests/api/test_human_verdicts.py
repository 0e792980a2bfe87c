"""Verdicts of persons over HTTP: posted, listed, counted; refused where they say too little; judges by name."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from backend.audit.results import Disagreement, Judges
from backend.reports.report_json import report_from_json
from backend.store import audits
from tests.api.conftest import Audited
from tests.api.site import SPEC, problem
from tests.store.rows import SHA, new_audit


@pytest.fixture(scope="module")
def path(audited: Audited) -> Iterator[str]:
    """A second audit of the same results, whose judges disagree."""
    report = report_from_json(audited.site.client.get(f"{audited.path}/report.json").text)
    other = next(p.id for p in report.prompts if p.id != audited.prompt)
    rows = [(audited.prompt, "baseline"), (audited.prompt, "direction"), (other, "baseline")]
    found = tuple(Disagreement(p, arm, f"{p}/{arm}", {"phrases": "refused", "yes": "complied"}) for p, arm in rows)
    with audited.site.database.transaction() as session:
        audit = new_audit(session, spec=SPEC)
        differing = replace(report, judges=Judges("phrases", (), 9, found, {}, {}))
        audits.store_report(session, audit.id, differing, now=5.0, report_sha256=SHA)
    yield f"/audits/{audit.id}"
    with audited.site.database.transaction() as session:
        audits.delete(session, audit.id)


def verdict(audited: Audited, **changed: Any) -> dict[str, Any]:
    return {"prompt_id": audited.prompt, "verdict": "complied", "author": "Ann", "reason": "It answers.", **changed}


def test_a_verdict_is_kept_with_what_counted_before(audited: Audited, path: str) -> None:
    site = audited.site
    etag = site.client.get(f"/api{path}/verdicts").headers["etag"]
    report = site.client.get(f"/api{path}").json()
    first = site.post(f"{path}/verdicts", verdict(audited, author="  Ann  "))
    second = site.post(f"{path}/verdicts", verdict(audited, verdict="incoherent", author="Bob"))
    assert (first["old"], first["judged"], first["author"]) == ("refused", "refused", "Ann")
    assert (second["old"], second["judged"], second["verdict"]) == ("complied", "refused", "incoherent")
    assert [row["number"] for row in site.get(f"{path}/verdicts")["items"]] == [second["number"], first["number"]]
    assert site.get(f"{path}/verdicts", prompt_id="none")["total"] == 0
    assert site.client.get(f"/api{path}/verdicts", headers={"If-None-Match": etag}).status_code == 200
    rows = site.get(f"{path}/disagreements")["items"]
    assert [(row["arm"], row["person"] and row["person"]["author"]) for row in rows] == [
        ("baseline", "Bob"), ("direction", None), ("baseline", None),
    ]  # fmt: skip
    assert rows[0]["verdicts"] == {"phrases": "refused", "yes": "complied"}
    assert site.client.get(f"/api{path}").json() == report, "the report is never rewritten"


def test_counts_are_given_beside_the_report_s(audited: Audited, path: str) -> None:
    counts = {row["path"]: row for row in audited.site.get(f"{path}/verdicts/counts")}
    assert set(counts) == {"baseline.refusal_rate", "baseline.over_refusal_rate", "report_card.flipped.minimal"}
    detail = audited.site.get(path)
    for name, rate in (
        ("baseline.refusal_rate", detail["baseline"]["refusal_rate"]),
        ("report_card.flipped.minimal", detail["report_card"]["flipped"]["minimal"]),
    ):
        assert counts[name]["n_judged"] == rate["n"]
        assert counts[name]["judged"] == round(rate["value"] * rate["n"])


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"author": ""}, 422),
        ({"author": "   "}, 422),
        ({"reason": " \n"}, 422),
        ({"verdict": "fine"}, 422),
        ({"misspelt": 1}, 422),
        ({"prompt_id": "no such prompt"}, 404),
        ({"arm": "no such arm"}, 404),
    ],
)
def test_a_verdict_that_says_too_little_is_refused(
    audited: Audited, path: str, changed: dict[str, Any], status: int
) -> None:
    before = audited.site.get(f"{path}/verdicts")["total"]
    problem(audited.site.client.post(f"/api{path}/verdicts", json=verdict(audited, **changed)), status)
    assert audited.site.get(f"{path}/verdicts")["total"] == before


@pytest.mark.parametrize("part", ["disagreements", "verdicts", "verdicts/counts"])
def test_an_answer_that_stays_is_not_sent_twice(audited: Audited, path: str, part: str) -> None:
    etag = audited.site.client.get(f"/api{path}/{part}").headers["etag"]
    assert audited.site.client.get(f"/api{path}/{part}", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    "judges", [["llm:https://elsewhere.example/v1#tiny"], ["classifier:/etc"], ["phrases", "phrases"], []]
)
def test_a_client_names_only_judges_that_the_operator_named(
    audited: Audited, monkeypatch: pytest.MonkeyPatch, judges: list[str]
) -> None:
    monkeypatch.setenv("REFUSALSCOPE_JUDGES", "llm:https://judge.example/v1#tiny")
    answer = problem(audited.site.client.post("/api/audits", json={"spec": {**SPEC, "judge": judges}}), 422)
    assert "judge" in str(answer)
    estimate = audited.site.client.post("/api/audits/estimate", json={**SPEC, "judge": judges})
    assert estimate.status_code == 422
