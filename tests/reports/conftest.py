"""What tests of reports share: one small planted audit."""

import pytest

from backend.audit.results import Report
from tests.planted_audits import planted_audit


@pytest.fixture(scope="package")
def planted_report() -> Report:
    """A real report of the planted subject on a few prompts."""
    return planted_audit().report
