"""An audit by a worker process: the command line's report, whole in the store, whatever is done to the worker."""

import os
import signal
import time
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from backend.reports.tensor_files import completions_from_file
from backend.store import audits, jobs
from backend.store.tables import FeaturePromptRow, FeatureRow, PromptResultRow, ShardRow
from tests.jobs.conftest import Finished
from tests.jobs.service import Service, start_worker, wait_until

KILLS = 5  # `make bench-service` does twenty


def n_shards(service: Service) -> int:
    with service.database.reading() as session:
        return session.scalar(select(func.count()).select_from(ShardRow)) or 0


def n_rows(service: Service, audit_id: str) -> list[int]:
    with service.database.reading() as session:
        return [
            session.scalar(select(func.count()).select_from(table).where(table.audit_id == audit_id)) or 0
            for table in (PromptResultRow, FeatureRow, FeaturePromptRow)
        ]


def test_a_workers_report_is_the_command_lines(finished: Finished, undisturbed: dict[str, Any]) -> None:
    service, audit = finished.service, finished.service.audit(finished.audit_id)
    assert service.report(finished.audit_id) == undisturbed
    assert (audit.state, audit.error) == ("done", None)
    result = service.job(finished.job_id).result
    assert result is not None
    assert result["audit_id"] == finished.audit_id
    assert 0 < result["memory_gib"] < 64
    assert n_rows(service, finished.audit_id)[:2] == [len(undisturbed["prompts"]), len(undisturbed["features"])]
    assert audit.completions_sha256 is not None
    with service.database.artifacts.open(audit.completions_sha256) as file:
        names = completions_from_file(file.read()).keys()
    assert {prompt["baseline"]["response"]["tokens"] for prompt in undisturbed["prompts"]} <= names


def test_progress_is_in_the_row(finished: Finished) -> None:
    progress = finished.service.job(finished.job_id).progress
    assert progress is not None
    assert 0.0 < progress["overall"] <= 1.0
    assert progress["stage"]


def test_killed_again_and_again_it_resumes_and_no_row_is_doubled(
    service: Service, undisturbed: dict[str, Any], finished: Finished
) -> None:
    audit_id, job_id = service.submit_audit()
    random = np.random.default_rng(8)
    shards_at_kill = []
    worker = start_worker(service.data)
    for _ in range(KILLS):
        before, delay = n_shards(service), float(random.uniform(0.0, 0.15))
        wait_until(lambda before=before: n_shards(service) > before or service.job(job_id).state == "done")
        time.sleep(delay)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        shards_at_kill.append(n_shards(service))
        worker = start_worker(service.data)
    job = service.ended(job_id)
    worker.terminate()
    worker.join()
    assert job.state == "done", job.error
    assert len(set(shards_at_kill)) > KILLS // 2, shards_at_kill
    assert service.report(audit_id) == undisturbed
    assert n_rows(service, audit_id) == n_rows(finished.service, finished.audit_id)


def test_sigterm_gives_the_job_back_and_another_worker_goes_on(service: Service, undisturbed: dict[str, Any]) -> None:
    audit_id, job_id = service.submit_audit()
    worker = start_worker(service.data)
    wait_until(lambda: n_shards(service) > 2)
    worker.terminate()
    worker.join()
    assert worker.exitcode == 0
    job = service.job(job_id)
    assert (job.state, job.attempts, job.worker) == ("queued", 0, None)
    assert service.audit(audit_id).state == "queued"
    with service.worker():
        assert service.ended(job_id).state == "done"
    assert service.report(audit_id) == undisturbed


def test_cancelled_while_it_runs_and_resumed(service: Service, undisturbed: dict[str, Any]) -> None:
    audit_id, job_id = service.submit_audit()
    with service.worker():
        wait_until(lambda: n_shards(service) > 2)
        with service.database.transaction() as session:
            assert jobs.request_cancel(session, job_id, now=time.time())
        assert service.ended(job_id).state == "cancelled"
        assert service.audit(audit_id).state == "cancelled"
        kept = n_shards(service)
        with service.database.transaction() as session:
            again = audits.enqueue(session, audit_id, {}).id
        assert service.ended(again).state == "done"
    assert n_shards(service) > kept
    assert service.report(audit_id) == undisturbed


def test_a_finished_audit_run_again_takes_its_pieces_from_the_store(
    finished: Finished, undisturbed: dict[str, Any]
) -> None:
    before = n_shards(finished.service)
    audit_id, job_id = finished.service.submit_audit()
    assert finished.service.ended(job_id).state == "done"
    assert n_shards(finished.service) == before
    assert finished.service.report(audit_id) == undisturbed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layers": [1, 17]}, "no SAE for layer 17"),
        ({"dtype": "bfloat16"}, "made for float32"),
        ({"device": "cuda"}, "--device cuda"),
    ],
)
def test_what_cannot_be_audited_fails_in_one_line(options: dict[str, Any], said: str, finished: Finished) -> None:
    audit_id, job_id = finished.service.submit_audit(**options)
    job = finished.service.ended(job_id)
    assert job.state == "failed"
    assert job.error is not None
    assert said in job.error
    assert "\n" not in job.error
    assert "Traceback" not in job.error
    assert finished.service.audit(audit_id).error == job.error


def test_an_audit_deleted_while_it_runs_is_left(service: Service) -> None:
    audit_id, _ = service.submit_audit()
    with service.worker() as worker:
        wait_until(lambda: n_shards(service) > 2)
        with service.database.transaction() as session:
            assert audits.delete(session, audit_id)
        other, job_id = service.submit_audit()
        assert service.ended(job_id).state == "done"
        assert worker.is_alive()
    assert n_rows(service, audit_id) == [0, 0, 0]
    assert n_rows(service, other)[0] > 0
