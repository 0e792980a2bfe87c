"""Reading a finished audit: every list in pages, filtered and sorted; answers kept by ETag, compressed; files."""

import csv
import io
import json
from typing import Any

import pytest

from backend.reports.report_json import report_from_json
from tests.api.conftest import Audited
from tests.api.site import problem

KEPT = [
    "",
    "/distributions",
    "/cascade",
    "/interactions",
    "/cascade-graph",
    "/perturbed",
    "/prompts?limit=3",
    "/prompts/{prompt}",
    "/features",
    "/features/{feature}",
    "/features/{feature}/prompts",
    "/disagreements",
    "/verdicts",
    "/verdicts/counts",
    "/report.json",
    "/report.html",
    "/prompts.csv",
    "/features.csv",
]
LISTS = [
    ("/audits", "created"),
    ("/subjects", "id"),
    ("/prompt-sets", "name"),
    ("/prompt-sets/planted/prompts", "position"),
    ("/audits/{audit}/prompts", "score"),
    ("/audits/{audit}/features", "cosine"),
    ("/audits/{audit}/features/{feature}/prompts", "activation"),
    ("/audits/{audit}/links", "label"),
    ("/audits/{audit}/reveals", "created"),
    ("/audits/{audit}/disagreements", "position"),
    ("/audits/{audit}/verdicts", "number"),
    ("/audits/{audit}/prompts/{prompt}/sets", "name"),
]


def filled(audited: Audited, path: str) -> str:
    return path.format(audit=audited.id, prompt=audited.prompt, feature=audited.feature)


@pytest.fixture(scope="module", autouse=True)
def some_of_everything(audited: Audited) -> None:
    for name in ("c", "a", "b"):
        audited.site.post(f"/audits/{audited.id}/links", {"label": name})
        saved = {"name": name, "intervention": {"features": [audited.feature]}}
        audited.site.post(f"/audits/{audited.id}/prompts/{audited.prompt}/sets", saved)
        said = {"prompt_id": audited.prompt, "verdict": "refused", "author": name, "reason": "It declines."}
        audited.site.post(f"/audits/{audited.id}/verdicts", said)


@pytest.mark.parametrize(("path", "column"), LISTS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_hold_every_row_once_in_order(audited: Audited, path: str, column: str, sign: str) -> None:
    path = filled(audited, path)
    whole = audited.site.get(path, sort=f"{sign}{column}", limit=500)
    assert whole["next_cursor"] is None
    assert len(whole["items"]) == whole["total"]
    rows: list[Any] = []
    query: dict[str, Any] = {"sort": f"{sign}{column}"}
    while True:
        page = audited.site.get(path, limit=2, **query)
        assert page["total"] == whole["total"]
        rows += page["items"]
        if page["next_cursor"] is None:
            break
        assert len(page["items"]) == 2
        query["cursor"] = page["next_cursor"]
    for one in (*rows, *whole["items"]):
        one.pop("progress", None)
    assert rows == whole["items"]
    values = [row[column] for row in rows if row[column] is not None]
    assert values == sorted(values, reverse=sign == "-")


@pytest.mark.parametrize(("path", "column"), LISTS)
@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "limit=x", "sort=nothing", "cursor=x", "cursor=W10", "misspelt=1", "cursor=" + "A" * 5000],
)
def test_a_list_refuses_what_it_does_not_know(audited: Audited, path: str, column: str, query: str) -> None:
    problem(audited.site.client.get(f"/api{filled(audited, path)}?{query}"), 422)


def test_filters_narrow(audited: Audited) -> None:
    path = f"/audits/{audited.id}"
    everything = audited.site.get(f"{path}/prompts")["total"]
    harmful = audited.site.get(f"{path}/prompts", label="harmful", limit=500)
    assert 0 < harmful["total"] < everything
    assert {row["label"] for row in harmful["items"]} == {"harmful"}
    flipped = audited.site.get(f"{path}/prompts", outcome="flipped", split="test", category="backup", limit=500)
    assert {(row["outcome"], row["split"], row["category"]) for row in flipped["items"]} == {
        ("flipped", "test", "backup")
    }
    layer = audited.site.get(f"{path}/features", layer=2, limit=500)
    assert {row["layer"] for row in layer["items"]} == {2}
    in_sets = audited.site.get(f"{path}/features", in_sets=True, limit=500)
    assert all(row["in_minimal_sets"] > 0 for row in in_sets["items"])


@pytest.mark.parametrize("part", KEPT)
def test_a_finished_answer_is_not_sent_twice(audited: Audited, part: str) -> None:
    address = f"{audited.path}{filled(audited, part)}"
    first = audited.site.client.get(address)
    assert first.status_code == 200
    again = audited.site.client.get(address, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert audited.site.client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_new_name_is_a_new_answer(audited: Audited) -> None:
    before = audited.site.client.get(audited.path).headers["etag"]
    audited.site.client.patch(audited.path, json={"name": "called otherwise"})
    assert audited.site.client.get(audited.path, headers={"If-None-Match": before}).json()["audit"]["name"] == (
        "called otherwise"
    )


def test_answers_are_compressed(audited: Audited) -> None:
    answer = audited.site.client.get(audited.path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


def test_a_prompt_knows_its_neighbours(audited: Audited) -> None:
    ids = [row["id"] for row in audited.site.get(f"/audits/{audited.id}/prompts", limit=500)["items"]]
    told = [audited.site.get(f"/audits/{audited.id}/prompts/{one}") for one in ids]
    assert [one["previous"] for one in told] == [None, *ids[:-1]]
    assert [one["next"] for one in told] == [*ids[1:], None]


def test_a_feature_is_told_in_full(audited: Audited) -> None:
    told = audited.site.get(f"/audits/{audited.id}/features/{audited.feature}")
    assert told["feature"]["id"] == audited.feature == f"{told['layer']}:{told['index']}"
    assert max(told["contexts"][0]["activations"]) > 0
    problem(audited.site.client.get(f"{audited.path}/features/1:999999"), 404)
    problem(audited.site.client.get(f"{audited.path}/features/none"), 422)


def test_files_are_for_saving(audited: Audited) -> None:
    for name, kind in (("report.json", "application/json"), ("report.html", "text/html"), ("prompts.csv", "text/csv")):
        answer = audited.site.client.get(f"{audited.path}/{name}")
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"] == f'attachment; filename="{audited.id}-{name}"'


def test_the_report_is_the_audits(audited: Audited) -> None:
    report = report_from_json(audited.site.client.get(f"{audited.path}/report.json").text)
    detail = audited.site.get(f"/audits/{audited.id}")
    assert detail["manifest"]["code"] == report.manifest.code
    lines = list(csv.DictReader(io.StringIO(audited.site.client.get(f"{audited.path}/prompts.csv").text)))
    assert [line["id"] for line in lines] == [prompt.id for prompt in report.prompts]
    features = audited.site.client.get(f"{audited.path}/features.csv").text
    assert len(features.splitlines()) == 1 + len(report.features)
    page = audited.site.client.get(f"{audited.path}/report.html").text
    assert report.manifest.prompts["sha256"] in page


def test_saved_sets_are_kept_with_their_prompt(audited: Audited) -> None:
    path = f"/audits/{audited.id}/prompts/{audited.prompt}/sets"
    saved = audited.site.post(path, {"name": "mine", "intervention": {"features": [audited.feature], "mode": "mean"}})
    assert saved in audited.site.get(path)["items"]
    assert audited.site.client.delete(f"/api/saved-sets/{saved['id']}").status_code == 204
    problem(audited.site.client.delete(f"/api/saved-sets/{saved['id']}"), 404)
    bad = {"name": "x", "intervention": {"features": ["nonsense"]}}
    problem(audited.site.client.post(f"/api{path}", json=bad), 422)


def test_progress_of_a_finished_audit_is_its_end(audited: Audited) -> None:
    answer = audited.site.client.get(f"{audited.path}/progress")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    events = [event.split("\n") for event in answer.text.strip().split("\n\n")]
    assert [event[0] for event in events] == ["event: progress", "event: end"]
    assert json.loads(events[0][1].removeprefix("data: "))["state"] == "done"
