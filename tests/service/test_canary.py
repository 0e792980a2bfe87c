"""Words of a masked completion: in no answer, page, export, log or file of a service that has used them all along."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from backend.store.tables import Table
from tests.jobs.service import Service
from tests.service.processes import Web, start_logged_worker

CANARY = "here is one simple plan"  # what the planted subject says when it complies
NO_FEATURE = {"intervention": {"features": ["9:1"]}}


@dataclass(frozen=True)
class Used:
    """A service that has made an audit, answered what-ifs and refused some; and all that it said meanwhile."""

    service: Service
    logs: tuple[Path, Path]
    client: httpx.Client
    prompt_path: str
    completion: str  # name of a masked one
    what_if: dict[str, Any]
    said: dict[str, str]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    folder = tmp_path_factory.mktemp("canary")
    service, logs = Service(folder / "data"), (folder / "web.log", folder / "worker.log")
    audit_id, job_id = service.submit_audit()
    web, worker = Web(service.data, logs[0]), start_logged_worker(service.data, logs[1])
    try:
        job = service.ended(job_id)
        assert job.state == "done", job.error
        with httpx.Client(base_url=f"{web.address}/api", timeout=60) as client:
            audit = f"/audits/{audit_id}"
            prompt = client.get(f"{audit}/prompts?outcome=flipped").json()["items"][0]["id"]
            minimal = client.get(f"{audit}/prompts/{prompt}").json()["story"]["minimal_sets"][0]
            asked = {"intervention": {"features": minimal["features"]}, "generate": True}
            what_if = client.post(f"{audit}/prompts/{prompt}/what-if", json=asked)
            said = {
                "what-if": what_if.text,
                "its job": client.get(f"/jobs/{what_if.json()['job_id']}").text,
                "no such feature": client.post(f"{audit}/prompts/{prompt}/what-if", json=NO_FEATURE).text,
                "no such words": client.post(f"{audit}/prompts/{prompt}/reveal", json={"completion": "x/y"}).text,
            }
            feature = minimal["features"][0]
            for path in (
                "", "/distributions", "/cascade", "/interactions", "/prompts?limit=500", f"/prompts/{prompt}",
                "/features", f"/features/{feature}", f"/features/{feature}/prompts", "/reveals", "/report.json",
                "/report.html", "/prompts.csv", "/features.csv",
            ):  # fmt: skip
                answer = client.get(f"{audit}{path}")
                assert answer.status_code == 200, path
                said[f"GET {path}"] = answer.text
            for path in ("", "/prompts", f"/prompts/{prompt}", "/features", f"/features/{feature.replace(':', '-')}"):
                said[f"page {path}"] = web.page(f"/audits/{audit_id}{path}")
            yield Used(
                service, logs, client, f"{audit}/prompts/{prompt}", minimal["response"]["tokens"], what_if.json(), said
            )
    finally:
        web.kill()
        worker.terminate()
        worker.join()
        service.database.close()


def test_the_service_has_really_been_used(used: Used) -> None:
    assert used.what_if["intervened"]["completion"]["verdict"] == "complied"
    assert "9:1" in used.said["no such feature"]
    assert '"status":4' in used.said["no such words"]
    assert all("could not be shown" not in text and len(text) > 20 for text in used.said.values())
    assert all(log.stat().st_size > 0 for log in used.logs)


def test_no_answer_page_or_export_holds_the_words(used: Used) -> None:
    assert [name for name, text in used.said.items() if CANARY in text] == []


def test_no_file_and_no_log_holds_the_words(used: Used) -> None:
    """Database, its journal and every artifact, byte by byte."""
    files = [*used.logs, *(file for file in used.service.data.rglob("*") if file.is_file())]
    assert len(files) > 5
    assert [file.name for file in files if CANARY.encode() in file.read_bytes()] == []


@pytest.mark.parametrize("which", ["of the audit", "of the what-if"])
def test_a_reveal_gives_them_and_keeps_them_nowhere(which: str, used: Used) -> None:
    named = used.completion if which == "of the audit" else f"what_if:{used.what_if['job_id']}:intervened"
    revealed = used.client.post(f"{used.prompt_path}/reveal", json={"completion": named})
    assert CANARY in revealed.json()["text"]
    with used.service.database.reading() as session:
        for table in Table.metadata.sorted_tables:
            assert CANARY not in str([row._mapping for row in session.execute(select(table))]), table.name
    assert all(CANARY not in log.read_text() for log in used.logs)
