"""What tests of reports share: one small planted audit."""

import pytest

from backend.audit.results import Report
from tests.planted_audits import FEW, audit_planted


@pytest.fixture(scope="package")
def planted_report() -> Report:
    """A real report of the planted subject on a few prompts."""
    return audit_planted("planted", FEW).report
