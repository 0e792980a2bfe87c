"""`refusalscope audit --server URL`: prompts and spec go to a server, its progress and report come back."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError
from rich.console import Console

from app.audit_options import AuditOptions
from app.gate import enforce
from app.models import parse_layers
from app.progress_view import watch
from app.report_card import show
from backend.api.schemas import AuditRequest, AuditSpec, AuditSummary, Job, Problem, Submitted
from backend.audit.progress import Progress, Step
from backend.errors import AuditFailed, BadInput, Interrupted, OutputError
from backend.prompts.bundled.subsets import SUBSETS
from backend.reports.gate import read_gate
from backend.reports.report_json import report_from_json
from backend.reports.whole_file import make_folder, write_whole
from backend.subjects.planted.prompts import PLANTED_PROMPTS

REPORT = "report.json"
SECONDS = httpx.Timeout(30.0, read=120.0)  # a stream says something every 15 s


def run_remote(server: str, options: AuditOptions) -> None:
    """Submit, follow, and write report.json into `options.out`; what can be refused here is, before anything is sent.

    The server keeps the audit: Ctrl-C leaves it running, and the same command later finds it done.
    """
    console = Console(stderr=True)
    if options.saes is not None:
        raise BadInput(
            "--saes: a server audits the subjects it has; add it there with refusalscope models add, and leave this out"
        )
    if options.resume:
        raise BadInput("--resume: a server keeps what is finished by itself; leave it out")
    gate = read_gate(options.gate) if options.gate is not None else None
    spec = _spec(options)
    folder = _prepared(options.out)
    with _connected(server) as client:
        spec = spec.model_copy(update={"prompt_set": _prompt_set(client, options.prompts, options.seed)})
        answer = _ask(client, "POST", "/api/audits", json=AuditRequest(spec=spec).model_dump())
        submitted = Submitted.model_validate(answer)
        audit = submitted.audit
        console.print(
            f"audit {audit.id} on {server}: {submitted.detail}", markup=False, highlight=False, soft_wrap=True
        )
        if not submitted.reused:
            with watch(console) as progress, _left_running(server, audit):
                _follow(client, audit, progress)
        report = _fetch(client, f"/api/audits/{audit.id}/report.json")
    write_whole(folder / REPORT, report)
    finished = report_from_json(report.decode("utf-8"))
    show(Console(), finished, folder)
    if gate is not None:
        enforce(Console(), gate, finished)


def _spec(options: AuditOptions) -> AuditSpec:
    """As a server takes it, but for the id of its prompts. Raises BadInput naming the option that does not fit."""
    layers = parse_layers(options.layers)
    try:
        return AuditSpec(
            subject=options.subject,
            prompt_set=PLANTED_PROMPTS,
            effort=options.effort,
            layers=layers,
            seed=options.seed,
            onset=options.onset,
            include_sink=options.include_sink,
            device=options.device,
            dtype=options.dtype,
            judge=list(options.judge),
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"--{first['loc'][0]}: a server does not take it: {first['msg']}") from error


def _prepared(out: Path) -> Path:
    if (out / REPORT).exists():
        raise OutputError(f"--out: {out} already holds an audit; name another folder")
    make_folder(out)
    return out


@contextmanager
def _connected(server: str) -> Iterator[httpx.Client]:
    """Errors of the wire become one line."""
    token = os.environ.get("REFUSALSCOPE_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=server, headers=headers, timeout=SECONDS) as client:
            yield client
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise BadInput(f"--server {server}: not an address; give http://HOST:PORT") from error
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise BadInput(f"--server {server}: no answer ({reason}); is refusalscope serve running there?") from error


def _prompt_set(client: httpx.Client, prompts: str, seed: int) -> str:
    """The id of the set on the server, uploaded if it is a file, its splits then dealt out by this seed."""
    if prompts == PLANTED_PROMPTS:
        return PLANTED_PROMPTS
    if prompts == "bundled":
        return "bundled:all"
    if prompts.startswith("bundled:"):
        if prompts.partition(":")[2] not in SUBSETS:
            raise BadInput(f"--prompts {prompts}: no such subset; use one of {', '.join(SUBSETS)}")
        return prompts
    file = Path(prompts)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInput(f"--prompts {prompts}: cannot be read: {error.strerror}") from error
    answer = _ask(client, "POST", "/api/prompt-sets", params={"seed": seed}, files={"file": (file.name, content)})
    return str(answer["id"])


def _follow(client: httpx.Client, audit: AuditSummary, progress: Progress) -> None:
    """Until it ends, through hang-ups; raises AuditFailed with the server's own line."""
    while True:
        for job in _jobs(client, audit.id):
            if job.progress is not None:
                at = job.progress
                progress(Step(at.stage, at.done, at.total, at.detail))
        answer = _ask(client, "GET", f"/api/audits/{audit.id}")
        state = AuditSummary.model_validate(answer["audit"])
        if state.state == "done":
            return
        if state.state == "failed":
            raise AuditFailed(f"audit {audit.id}: {state.error}")
        if state.state == "cancelled":
            raise Interrupted(f"audit {audit.id}: cancelled on the server; resume it there")


def _jobs(client: httpx.Client, audit_id: str) -> Iterator[Job]:
    """The job each time it has moved: the `data` of server-sent events."""
    with client.stream("GET", f"/api/audits/{audit_id}/progress") as stream:
        if stream.is_error:
            stream.read()
            raise _refused(stream)
        name = ""
        for line in stream.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data" and name == "progress":
                yield Job.model_validate_json(value)


def _ask(client: httpx.Client, method: str, path: str, **body: Any) -> Any:
    response = client.request(method, path, **body)
    if response.is_error or response.is_redirect:
        raise _refused(response)
    try:
        return response.json()
    except json.JSONDecodeError as error:
        raise BadInput(f"--server {client.base_url}: its answer is not Refusalscope's; check the address") from error


def _fetch(client: httpx.Client, path: str) -> bytes:
    response = client.get(path)
    if response.is_error:
        raise _refused(response)
    return response.content


def _refused(response: httpx.Response) -> BadInput:
    try:
        return BadInput(Problem.model_validate_json(response.content).detail)
    except ValidationError:
        return BadInput(
            f"--server: it answered {response.status_code} to {response.request.url.path}; check the address"
        )


@contextmanager
def _left_running(server: str, audit: AuditSummary) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"left running on {server}: see {server.rstrip('/')}/audits/{audit.id}") from None
