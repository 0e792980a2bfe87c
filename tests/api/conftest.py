"""A site with one audit that a real worker has finished, for tests that only read; a fresh one for the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.site import SPEC, TOKEN, Site, open_site


@dataclass(frozen=True)
class Audited:
    """A finished audit of the planted subject, its worker still there."""

    site: Site
    id: str
    prompt: str  # id of a prompt that its minimal set flipped
    feature: str  # one of that set

    @property
    def path(self) -> str:
        return f"/api/audits/{self.id}"

    @property
    def prompt_path(self) -> str:
        return f"{self.path}/prompts/{self.prompt}"

    def story(self) -> dict[str, Any]:
        return dict(self.site.get(f"/audits/{self.id}/prompts/{self.prompt}")["story"])


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with open_site(tmp_path_factory.mktemp("audited")) as site, site.worker():
        audit_id = site.post("/audits", {"spec": SPEC, "name": "the audit"})["audit"]["id"]
        ended = site.ended(audit_id)
        assert ended["state"] == "done", ended
        prompt = site.get(f"/audits/{audit_id}/prompts", outcome="flipped", limit=1)["items"][0]["id"]
        story = site.get(f"/audits/{audit_id}/prompts/{prompt}")["story"]
        yield Audited(site, audit_id, prompt, story["minimal_sets"][0]["features"][0])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Nobody's audits, no worker; what a test leaves is there for the next of its module."""
    with open_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that asks for TOKEN."""
    with open_site(tmp_path_factory.mktemp("guarded"), TOKEN) as site:
        yield site
