"""Comparing audits over HTTP: from stored reports, kept by ETag, prompts behind a cell in pages, closed to links."""

from dataclasses import replace
from typing import Any

import pytest

from backend.audit.results import PromptResult, Report
from backend.reports.report_json import report_from_json, report_to_json
from tests.api.conftest import Audited
from tests.api.site import Site, problem
from tests.compared_reports import feature, prompt, report


def prompts(n: int, flipped: range) -> list[PromptResult]:
    return [prompt(f"p{i}", features=("1:5",) if i in flipped else ()) for i in range(n)]


def imported(site: Site, content: Report) -> str:
    answer = site.client.post("/api/audits/import", content=report_to_json(content).encode())
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def compared(site: Site) -> tuple[str, str]:
    """Two audits of twelve prompts: the first flips 0 to 8, the second 4 to 11."""
    one = report(prompts(12, range(9)), subject="one", features=[feature("1:5", 9)])
    two = report(prompts(12, range(4, 12)), subject="two", features=[feature("1:5", 8)])
    return imported(site, one), imported(site, two)


def test_two_audits_are_compared(site: Site, compared: tuple[str, str]) -> None:
    found = site.get("/comparisons", audits=",".join(compared))
    assert found["reference"]["id"] == compared[0]
    other = found["others"][0]
    assert other["audit"]["id"] == compared[1]
    assert (other["n_prompts"], other["n_test"], found["outcome"]) == (12, 12, "flipped_minimal")
    assert other["test"]["counts"] == {"both": 5, "only_a": 4, "only_b": 3, "neither": 0}
    assert other["test"]["p"] == 1.0
    assert "With 12 prompts" in other["test"]["power"]
    assert other["features"]["dictionary"] == "shared"
    assert (other["n_features"], len(other["features"]["pairs"])) == (1, 1)
    assert other["everything"]["n"] == 12


def test_another_outcome_is_another_table(site: Site, compared: tuple[str, str]) -> None:
    found = site.get("/comparisons", audits=",".join(compared), outcome="refused")
    assert found["others"][0]["test"]["counts"] == {"both": 12, "only_a": 0, "only_b": 0, "neither": 0}


def test_the_first_of_three_is_the_reference(site: Site, compared: tuple[str, str]) -> None:
    third = imported(site, report(prompts(12, range(2)), subject="three"))
    found = site.get("/comparisons", audits=",".join((third, *compared)))
    assert [one["audit"]["id"] for one in found["others"]] == list(compared)
    assert {len(row["figures"]) for row in found["figures"]} == {3}


@pytest.mark.parametrize("cell", ["both", "only_a", "only_b", "neither"])
def test_the_prompts_behind_a_cell_come_in_pages(site: Site, compared: tuple[str, str], cell: str) -> None:
    counts = site.get("/comparisons", audits=",".join(compared))["others"][0]["test"]["counts"]
    rows: list[dict[str, Any]] = []
    query: dict[str, Any] = {"audits": ",".join(compared), "cell": cell, "limit": 2}
    while True:
        page = site.get("/comparisons/prompts", **query)
        assert page["total"] == counts[cell]
        rows += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(rows) == counts[cell]
    for row in rows:
        assert [row["a"]["outcome"] == "flipped", row["b"]["outcome"] == "flipped"] == [
            cell in ("both", "only_a"),
            cell in ("both", "only_b"),
        ]


def test_what_cannot_be_compared_is_a_problem(site: Site, compared: tuple[str, str]) -> None:
    elsewhere = imported(site, report([prompt("another")], subject="elsewhere"))
    one, two = compared
    for query, status, said in (
        (f"audits={one},{elsewhere}", 409, "no prompt in common"),
        (f"audits={one}", 422, "2 to 8"),
        (f"audits={one},{one}", 422, "twice"),
        (f"audits={one},audit_none", 404, "there is no"),
        (f"audits={one},{two}&outcome=other", 422, "outcome"),
        ("", 422, "audits"),
    ):
        assert said in problem(site.client.get(f"/api/comparisons?{query}"), status)["detail"]
    for more, status in (
        ("&cell=other", 422),
        ("", 422),
        ("&cell=both&cursor=x", 422),
        (f",{elsewhere}&cell=both", 422),
    ):
        problem(site.client.get(f"/api/comparisons/prompts?audits={one},{two}{more}"), status)


def test_an_answer_is_not_sent_twice(site: Site, compared: tuple[str, str]) -> None:
    address = f"/api/comparisons?audits={','.join(compared)}"
    first = site.client.get(address)
    again = site.client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_audit_that_really_ran_is_compared_with_a_changed_one(audited: Audited) -> None:
    """Every figure that an audit measures is compared, and all of it is JSON."""
    content = report_from_json(audited.site.client.get(f"{audited.path}/report.json").text)
    changed = tuple(
        replace(one, minimal_sets=()) if one.split == "test" and one.controls is not None else one
        for one in content.prompts
    )
    other = imported(audited.site, replace(content, prompts=changed))
    found = audited.site.get("/comparisons", audits=f"{audited.id},{other}")["others"][0]
    measured = {one["path"]: one for one in found["figures"]}
    assert len(measured) > 10
    assert measured["report_card.flipped.minimal"]["difference"]["value"] < 0
    assert measured["report_card.woken"]["difference"]["value"] == 0
    assert found["cautions"] == ["Both audits are of the same subject: what differs comes from how it was measured."]


def test_a_link_opens_no_comparison(audited: Audited) -> None:
    made = audited.site.post(f"/audits/{audited.id}/links", {"label": "x"})
    reader = audited.site.visitor()
    reader.get(made["url"])
    problem(reader.get(f"/api/comparisons?audits={audited.id},{audited.id}"), 403)
    assert reader.get("/compare").status_code == 403
