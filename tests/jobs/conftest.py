"""A service with one finished audit, shared by tests that only ask about it, and a fresh one for the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend.store.tables import PromptResultRow
from tests.jobs.service import Service, command_line_audit, without_timings


@dataclass(frozen=True)
class Finished:
    """A finished audit with a worker at hand, and one of its flipped prompts."""

    service: Service
    audit_id: str
    job_id: str
    prompt: PromptResultRow

    @property
    def features(self) -> list[str]:
        """The prompt's first minimal set."""
        return list(self.prompt.story["minimal_sets"][0]["features"])

    def about(self, **more: Any) -> dict[str, Any]:
        """Arguments of a job on the prompt."""
        return {"audit_id": self.audit_id, "prompt_id": self.prompt.prompt_id, **more}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.database.close()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    service = Service(tmp_path_factory.mktemp("data"))
    with service.worker():
        audit_id, job_id = service.submit_audit()
        job = service.ended(job_id)
        assert job.state == "done", job.error
        flipped = select(PromptResultRow).where(PromptResultRow.outcome == "flipped").limit(1)
        with service.database.reading() as session:
            prompt = session.scalars(flipped).one()
        yield Finished(service, audit_id, job_id, prompt)
    service.database.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of the same audit by the command line's own way."""
    folder = command_line_audit(tmp_path_factory.mktemp("undisturbed") / "audit")
    return without_timings((folder.path / "report.json").read_text("utf-8"))
