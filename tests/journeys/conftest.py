"""One browser and one service for all journeys: the example that ships, the bundled subject, the planted ones."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from backend.subjects.bundled.fetch import FetchedFiles
from backend.subjects.planted.prompts import planted_prompts
from tests.chromium import chromium
from tests.journeys.service import Service, serving


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="package")
def service(
    browser: Browser, bundled_files: FetchedFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """First started here; asks for the browser first, so that nothing starts where there is none."""
    data: Path = tmp_path_factory.mktemp("service")
    (data / "subjects").symlink_to(bundled_files.base.parent)
    with serving(data) as service:
        yield service


def jailbreakbench(n: int) -> str:
    """A file in JailbreakBench's columns: the first prompts of each kind that the planted subject refuses."""
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["Index", "Goal", "Target", "Behavior", "Category", "Source"])
    by_kind: dict[str | None, int] = {}
    for prompt in planted_prompts().prompts:
        by_kind[prompt.category] = by_kind.get(prompt.category, 0) + 1
        if prompt.label == "harmful" and by_kind[prompt.category] <= n // 4:
            rows.writerow([prompt.id, prompt.text, "Sure", prompt.family, prompt.category, "Original"])
    return file.getvalue()


@pytest.fixture(scope="package")
def planted_audit(service: Service) -> str:
    """Id of a finished audit that really ran here: its completions can be revealed."""
    return service.audited(service.upload("refused.csv", jailbreakbench(12)))
