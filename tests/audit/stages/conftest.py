"""Whole audits of the planted subjects, once for all that is asked of them."""

import pytest

from backend.audit.results import Report
from backend.subjects.planted.circuit import PlantedTruth
from backend.subjects.planted.subject import planted_subject
from tests.planted_audits import AllSearched, audit_planted


@pytest.fixture(scope="session")
def planted() -> Report:
    return audit_planted("planted", {"discovery": 1, "validation": 2, "test": 4}, AllSearched("quick")).report


@pytest.fixture(scope="session")
def null() -> Report:
    return audit_planted("planted-null", {"discovery": 1, "validation": 1, "test": 3}, AllSearched("quick")).report


@pytest.fixture(scope="session")
def truth() -> PlantedTruth:
    return planted_subject("planted").truth
