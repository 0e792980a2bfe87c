"""A report.json from elsewhere: the report is kept, once, and nothing else; refused where a part of it does not fit."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import Audited
from tests.api.site import SPEC, good, problem

Report = dict[str, Any]


@pytest.fixture(scope="module")
def written(audited: Audited) -> bytes:
    return audited.site.client.get(f"{audited.path}/report.json").content


def send(audited: Audited, content: bytes) -> Any:
    return audited.site.client.post("/api/audits/import", content=content, headers={"Content-Type": "application/json"})


def test_an_imported_report_gives_the_same_pages(audited: Audited, written: bytes) -> None:
    imported = good(send(audited, written))
    assert (imported["origin"], imported["state"]) == ("import", "done")
    mine, theirs = (f"/audits/{one}" for one in (audited.id, imported["id"]))
    detail, original = audited.site.get(theirs), audited.site.get(mine)
    for part in ("manifest", "baseline", "direction", "interactions", "cascade", "report_card"):
        assert detail[part] == original[part]
    assert detail["has_completions"] is False
    paths = ("/distributions", "/prompts?limit=500", "/features?limit=500", f"/prompts/{audited.prompt}")
    for part in (*paths, f"/features/{audited.feature}", f"/features/{audited.feature}/prompts?limit=500"):
        assert audited.site.get(theirs + part) == audited.site.get(mine + part)
    assert audited.site.client.get(f"/api{theirs}/report.json").content == written


CANARY = "quetzal-marmalade-907"


def hidden_in_a_field_of_its_own(written: bytes) -> bytes:
    report = json.loads(written)
    report["words"] = CANARY
    report["prompts"][0]["baseline"]["response"]["completion"] = CANARY
    return json.dumps(report).encode()


def hidden_by_a_later_one(written: bytes) -> bytes:
    """Of two fields of one name the last is read."""
    masked = b'"text": null'
    assert masked in written
    return written.replace(masked, f'"text": "{CANARY}", "text": null'.encode(), 1)


@pytest.mark.parametrize("hide", [hidden_in_a_field_of_its_own, hidden_by_a_later_one])
def test_words_that_are_no_part_of_a_report_are_not_kept(
    audited: Audited, written: bytes, hide: Callable[[bytes], bytes]
) -> None:
    content = hide(written)
    assert CANARY.encode() in content
    imported = good(send(audited, content))["id"]
    for name in ("report.json", "report.html", "prompts.csv", "features.csv"):
        assert CANARY not in good_text(audited, f"/api/audits/{imported}/{name}")
    for file in audited.site.database.artifacts.folder.rglob("*"):
        assert file.is_dir() or CANARY.encode() not in file.read_bytes()
    assert good_text(audited, f"/api/audits/{imported}/report.json").encode() == written


def good_text(audited: Audited, path: str) -> str:
    answer = audited.site.client.get(path)
    assert answer.status_code == 200, path
    return answer.text


def test_the_same_file_twice_is_one_audit(audited: Audited, written: bytes) -> None:
    assert good(send(audited, written))["id"] == good(send(audited, written))["id"]


def test_an_imported_audit_answers_no_question(audited: Audited, written: bytes) -> None:
    """Nobody knows that its numbers are true."""
    imported = good(send(audited, written))["id"]
    assert audited.site.post("/audits", {"spec": SPEC})["audit"]["id"] != imported
    refused = problem(audited.site.client.post(f"/api/audits/{imported}/resume"), 409)
    assert "only a cancelled or failed one" in refused["detail"]


def shown(report: Report) -> None:
    report["prompts"][0]["baseline"]["response"] |= {"verdict": "complied", "text": "Sure, first you"}


def twice(report: Report) -> None:
    report["prompts"].append(report["prompts"][0])


def feature_twice(report: Report) -> None:
    report["features"].append(report["features"][0])


def unnamed_feature(report: Report) -> None:
    report["features"][0]["id"] = "nonsense"


def no_prompts(report: Report) -> None:
    report["prompts"] = []


def long_id(report: Report) -> None:
    report["prompts"][0]["id"] = "x" * 201


def no_effort(report: Report) -> None:
    del report["manifest"]["settings"]["effort"]


def no_subject(report: Report) -> None:
    report["manifest"]["subject"]["id"] = None


def missing_card(report: Report) -> None:
    del report["report_card"]["flipped"]


def a_word_for_a_number(report: Report) -> None:
    report["prompts"][0]["baseline"]["score"] = "high"


def nul(report: Report) -> None:
    report["prompts"][0]["text"] = "a\0b"


def layers_of_words(report: Report) -> None:
    report["manifest"]["saes"]["layers"] = ["one", 2]


MISFITS: list[tuple[Callable[[Report], None], str]] = [
    (shown, "prompts.0.baseline.response.text: the words of a completion"),
    (twice, "appears twice"),
    (feature_twice, "appears twice"),
    (unnamed_feature, "features.0.id"),
    (no_prompts, "prompts: it reports on none"),
    (long_id, "prompts.0.id"),
    (no_effort, "manifest: it does not say what was audited"),
    (no_subject, "manifest: it does not say what was audited"),
    (missing_card, "report_card.flipped"),
    (a_word_for_a_number, "prompts.0.baseline.score"),
    (layers_of_words, "manifest"),
]


@pytest.mark.parametrize(("spoil", "said"), MISFITS)
def test_a_report_that_does_not_fit_is_refused(
    audited: Audited, written: bytes, spoil: Callable[[Report], None], said: str
) -> None:
    report = json.loads(written)
    spoil(report)
    before = audited.site.get("/audits")["total"]
    content = problem(send(audited, json.dumps(report).encode()), 422)
    assert said in content["detail"]
    assert "Sure, first you" not in json.dumps(content)
    assert audited.site.get("/audits")["total"] == before


def test_a_text_that_no_database_holds_is_refused_or_kept_whole(audited: Audited, written: bytes) -> None:
    """SQLite keeps a NUL, PostgreSQL cannot: either way it is no fault of the server."""
    report = json.loads(written)
    nul(report)
    answer = send(audited, json.dumps(report).encode())
    assert answer.status_code in (201, 422)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"not json", b"\xff\xfe", b'{"schema_version": "1.1"}', b"[" * 100_000],
)
def test_what_is_no_report_is_refused(audited: Audited, content: bytes) -> None:
    assert "report.json" in problem(send(audited, content), 422)["detail"]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_number_that_is_not_finite_is_refused(audited: Audited, written: bytes, number: bytes) -> None:
    score = json.loads(written)["prompts"][0]["baseline"]["score"]
    content = written.replace(b'"score": ' + str(score).encode(), b'"score": ' + number, 1)
    assert content != written
    problem(send(audited, content), 422)


def test_code_in_a_report_stays_text(audited: Audited, written: bytes) -> None:
    report = json.loads(written)
    code = "<img src=x onerror=alert(1)>"
    report["prompts"][0] |= {"text": code, "category": code, "family": code}
    report["manifest"]["subject"]["id"] = code
    imported = good(send(audited, json.dumps(report).encode()))
    line = audited.site.get(f"/audits/{imported['id']}/prompts", limit=1)["items"][0]
    assert (line["text"], line["category"], imported["subject"]) == (code, code, code)
    page = audited.site.client.get(f"/api/audits/{imported['id']}/report.html").text
    assert code not in page
