"""The fixtures of tests/jobs: a service of one's own, a finished one, and the report that nothing disturbed."""

from tests.jobs.conftest import finished, service, undisturbed

__all__ = ["finished", "service", "undisturbed"]
