"""kill -9 of the worker, of the web process and of both, at random points of an audit: it comes to the same report."""

import time
from typing import Any

import numpy as np
import pytest

from tests.jobs.conftest import Finished
from tests.jobs.service import Service, start_worker, wait_until
from tests.jobs.test_audit_job import n_rows, n_shards
from tests.service.processes import Web


# One point each: `python -m benchmarks.service --parts kills` tries twenty.
@pytest.mark.parametrize("victim", ["worker", "web", "both"])
def test_the_audit_resumes_to_the_undisturbed_report(
    victim: str, service: Service, finished: Finished, undisturbed: dict[str, Any]
) -> None:
    random = np.random.default_rng([*victim.encode()])
    # In the first half, so that it is still running: a planted audit is over in two seconds on a quick machine.
    pieces, delay = int(random.integers(0, n_shards(finished.service) // 2)), float(random.uniform(0.0, 0.1))
    audit_id, job_id = service.submit_audit()
    web, worker = Web(service.data), start_worker(service.data)
    try:
        with web.kept_busy(audit_id):
            wait_until(lambda: service.job(job_id).state == "running" and n_shards(service) >= pieces)
            time.sleep(delay)
            at_kill = service.job(job_id).state
            if victim in ("worker", "both"):
                worker.kill()
                worker.join()
                worker = start_worker(service.data)
            if victim in ("web", "both"):
                web.kill()
        if victim in ("web", "both"):
            web = Web(service.data)
        job = service.ended(job_id)
        assert web.answers()
    finally:
        web.kill()
        worker.terminate()
        worker.join()
    assert at_kill == "running"
    assert job.state == "done", job.error
    assert service.audit(audit_id).name == "renamed"
    assert service.report(audit_id) == undisturbed
    assert n_rows(service, audit_id) == n_rows(finished.service, finished.audit_id)
