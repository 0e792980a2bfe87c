"""The OpenAPI document: it does not drift unseen, names every answer, and the whole API keeps to it."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from app.openapi import written
from app.server import api_document
from tests.api.conftest import Audited
from tests.api.listening import listening
from tests.api.site import Site
from tests.jobs.service import PROMPTS

GOLDEN = Path(__file__).parents[1] / "golden" / "openapi.json"
DOCUMENT = api_document()
OPERATIONS = [(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations]
KEEPS_TO_THE_DOCUMENT = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def test_the_document_is_as_agreed() -> None:
    assert GOLDEN.read_text("utf-8") == written(), "the API has changed: make schema, and read the difference"


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_says_what_it_does_and_how_it_refuses(path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    assert operation["tags"]
    assert {"400", "401", "403", "422"} <= set(operation["responses"])
    for status, answer in operation["responses"].items():
        if int(status) >= 400 and path != "/api/ready":
            assert list(answer["content"]) == ["application/problem+json"]
    if "{" in path:
        assert "404" in operation["responses"]
    if "requestBody" in operation:
        assert "413" in operation["responses"]


# -- whatever is sent, the API answers as it says ------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with listening(site) as url:
        yield url


@pytest.fixture(scope="module")
def imported(site: Site, audited: Audited) -> str:
    report = audited.site.client.get(f"{audited.path}/report.json").content
    return str(site.client.post("/api/audits/import", content=report).json()["id"])


@pytest.fixture(scope="module")
def about_anything() -> Any:
    return schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def about_what_is_there(audited: Audited, imported: str) -> Any:
    """The same document, its paths and references narrowed to things that exist."""
    there = {
        "audit_id": imported,
        "prompt_id": audited.prompt,
        "feature": audited.feature,
        "subject_id": "planted",
        "set_id": PROMPTS,
    }
    document = copy.deepcopy(DOCUMENT)
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and parameter["name"] in there:
                    parameter["schema"] = {"type": "string", "enum": [there[parameter["name"]]]}
    spec = document["components"]["schemas"]["AuditSpec"]["properties"]
    spec["subject"] = {"type": "string", "enum": ["planted"]}
    spec["prompt_set"] = {"type": "string", "enum": [PROMPTS, "planted"]}
    return schemathesis.openapi.from_dict(document)


def keeps_to_the_document(operation: Any, address: str) -> None:
    load_all_checks()
    checks = [CHECKS.get_one(name) for name in KEEPS_TO_THE_DOCUMENT]

    @FEW
    @given(case=operation.as_strategy())
    def answers_as_it_says(case: Any) -> None:
        case.call_and_validate(base_url=address, checks=checks)

    answers_as_it_says()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_anything_may_be_sent(about_anything: Any, address: str, path: str, method: str) -> None:
    keeps_to_the_document(about_anything[path][method], address)


@pytest.mark.parametrize(
    ("path", "method"),
    [(path, method) for path, method in OPERATIONS if method != "delete"],  # the others need it
)
def test_anything_may_be_asked_about_what_is_there(
    about_what_is_there: Any, address: str, path: str, method: str
) -> None:
    keeps_to_the_document(about_what_is_there[path][method], address)
