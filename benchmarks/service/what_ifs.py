"""What-ifs on a finished audit of the bundled subject: the first, while idle, during a running audit."""

import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.service.server import Server, serving, wait_until, with_subjects
from benchmarks.service.spread import spread

FIRST_TOKENS = 8  # of a completion: what the prompt page asks for first
SETTLE = 3.0  # seconds before an audit that runs counts as running: its subject is loaded by then


def measure_what_ifs(folder: Path, report: bytes, subject: str, asked: int) -> dict[str, float]:
    """report: of an audit of that subject, done before. asked: what-ifs a figure is made of."""
    figures: dict[str, float] = {}
    with serving(with_subjects(folder / "what-ifs")) as server:
        audit_id = server.import_report(report)
        wait_until(lambda: bool(server.workers()))
        questions = list(_questions(server, audit_id))
        figures["what_if_first_seconds"] = _seconds(server, questions[0])  # the worker has just started
        wait_until(lambda: _idle(server, questions[0]))
        figures |= _ask(server, "what_if_idle", questions, asked)
        figures |= _ask(server, "first_text_idle", questions, asked, generate=True, max_new_tokens=FIRST_TOKENS)
        figures |= _ask(server, "whole_text_idle", questions, asked, generate=True)
        spec = {"subject": subject, "prompt_set": "bundled:demo", "effort": "quick"}
        running = server.post("/audits", {"spec": spec, "rerun": True})["audit"]["id"]

        def at_work() -> bool:
            audit = server.get(f"/audits/{running}")["audit"]
            return audit["state"] == "running" and (audit["progress"] or {}).get("stage") != "loading"

        wait_until(at_work)
        time.sleep(SETTLE)
        figures |= _ask(server, "what_if_during_audit", questions, asked, while_true=at_work)
        more = {"generate": True, "max_new_tokens": FIRST_TOKENS}
        figures |= _ask(server, "first_text_during_audit", questions, asked, while_true=at_work, **more)
        server.post(f"/audits/{running}/cancel")
        began = time.perf_counter()
        server.ended(running)
        figures["cancel_seconds"] = time.perf_counter() - began
    return figures


def _questions(server: Server, audit_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Paths and interventions: each flipped prompt's minimal set whole, and all but its first feature."""
    flipped = server.get(f"/audits/{audit_id}/prompts", outcome="flipped", limit=500)["items"]
    for line in flipped:
        path = f"/audits/{audit_id}/prompts/{line['id']}"
        features = server.get(path)["story"]["minimal_sets"][0]["features"]
        yield path, {"features": features}
        yield path, {"features": features[1:]}


def _seconds(server: Server, question: tuple[str, dict[str, Any]], **more: Any) -> float:
    """Until it is answered. The route gives up after a while and names the job, as it does to the dashboard."""
    path, intervention = question
    began = time.perf_counter()
    answer = server.client.post(f"/api{path}/what-if", json={"intervention": intervention, **more})
    if answer.status_code == 504:
        job = f"/jobs/{answer.json()['errors'][0]['job']}"
        wait_until(lambda: server.get(job)["state"] == "done")
    else:
        answer.raise_for_status()
    return time.perf_counter() - began


def _idle(server: Server, question: tuple[str, dict[str, Any]]) -> bool:
    """What the worker makes ready while nobody asks is ready."""
    return max(_seconds(server, question) for _ in range(3)) < 1.0 and bool(server.workers()[0]["subject"])


def _ask(
    server: Server,
    name: str,
    questions: list[tuple[str, dict[str, Any]]],
    asked: int,
    *,
    while_true: Callable[[], bool] = lambda: True,
    **more: Any,
) -> dict[str, float]:
    """Each question on another prompt than the one before, so that nothing is answered from memory alone."""
    seconds = []
    for question in islice(cycle(questions), asked):
        took = _seconds(server, question, **more)
        if not while_true():
            break
        seconds.append(took)
    return spread(f"{name}_seconds", seconds)
