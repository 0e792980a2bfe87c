"""The whole application: no torch in it, deep links whole from the first request, paths of the API never a page."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.first_start import first_start
from backend.store import audits, prompt_sets, subjects, workers
from tests.api.site import Site, open_site, problem

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("server")) as site:
        yield site


def test_the_web_process_loads_no_model_library() -> None:
    program = (
        "import sys, app.serve\n"
        "heavy = {'torch', 'transformers', 'sae_lens', 'peft', 'tokenizers'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize("path", ["/", "/audits", "/audits/x/prompts/y%2Fz", "/audits/new?subject=planted"])
def test_a_deep_link_is_the_whole_page_from_the_first_request(site: Site, path: str) -> None:
    page = site.client.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "/assets/" in page.text
    assert "dash-renderer" in page.text


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/none", "/api/", "/api/audits/x/none", "/api/docs/../secret", "/api/docs/none"])
def test_the_api_answers_its_own_paths(site: Site, method: str, path: str) -> None:
    answer = site.client.request(method, path)
    assert answer.status_code in (404, 405)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css", "start.js"])
def test_the_docs_are_served_from_here(site: Site, name: str) -> None:
    page = site.client.get("/api/docs").text
    assert f"/api/docs/{name}" in page
    assert "//" not in page.replace("<!doctype html>", "")
    assert site.client.get(f"/api/docs/{name}").status_code == 200


def test_the_document_is_served(site: Site) -> None:
    assert site.client.get("/api/openapi.json").json()["info"]["title"] == "Refusalscope"


def test_a_first_start_brings_subjects_and_prompts_once(site: Site) -> None:
    def kept() -> tuple[list[str], int]:
        with site.database.reading() as session:
            return subjects.ids(session), prompt_sets.list_sets(session).total

    before = kept()
    assert {"smollm2-135m-sft", "planted"} <= set(before[0])
    first_start(site.database)
    assert kept() == before


def test_a_deleted_example_does_not_come_back(site: Site) -> None:
    with site.database.transaction() as session:
        for example in audits.list_audits(session, origin="example").items:
            audits.delete(session, example.id)
    first_start(site.database)
    assert site.get("/audits", origin="example")["total"] == 0


def test_a_fault_of_ours_tells_its_kind_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise KeyError("words of a prompt")

    monkeypatch.setattr(workers, "alive", fail)
    client = TestClient(site.server, base_url="http://localhost", raise_server_exceptions=False)
    content = problem(client.get("/api/ready"), 500)
    assert content["detail"] == "The server failed (KeyError); its log says where"
