"""Progress as it happens: events of a running audit, read from a real socket, until its end."""

import json
from itertools import pairwise

import httpx
import pytest

from tests.api.conftest import Audited
from tests.api.listening import listening
from tests.api.site import SPEC, Site


def test_a_running_audit_tells_how_far_it_is(audited: Audited) -> None:
    audit = audited.site.post("/audits", {"spec": {**SPEC, "seed": 11}})["audit"]["id"]
    events: list[tuple[str, dict[str, object]]] = []
    with (
        listening(audited.site) as url,
        httpx.stream("GET", f"{url}/api/audits/{audit}/progress", timeout=60) as stream,
    ):
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in stream.headers
        name = ""
        for line in stream.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                events.append((name, json.loads(value)))
    assert [name for name, _ in events].count("end") == 1
    assert events[-1][0] == "end"
    jobs = [job for name, job in events if name == "progress"]
    assert jobs[-1]["state"] == "done"
    assert any(job["state"] in ("queued", "running") for job in jobs)
    assert all(before != after for before, after in pairwise(jobs))


def test_the_stream_ends_with_the_audit(site: Site) -> None:
    audit = site.post("/audits", {"spec": SPEC})["audit"]["id"]
    with listening(site) as url, httpx.stream("GET", f"{url}/api/audits/{audit}/progress", timeout=60) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: progress"
        assert site.client.delete(f"/api/audits/{audit}").status_code == 204
        assert "event: end" in list(lines)


@pytest.mark.parametrize("missing", ["none", "x" * 300])
def test_there_is_no_progress_of_nothing(site: Site, missing: str) -> None:
    assert site.client.get(f"/api/audits/{missing}/progress").status_code == 404
