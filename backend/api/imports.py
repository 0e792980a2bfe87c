"""A report.json from anywhere -> an audit of this server. It is a stranger's file until everything in it fits."""

import re
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from pydantic import ValidationError

from backend.api.audit_specs import settled_layers
from backend.api.problem import Unprocessable
from backend.api.schemas import FEATURE_PATTERN, AuditSpec
from backend.audit.results import Report
from backend.reports.report_json import plain, report_from_json, report_to_json
from backend.store import audits, prompt_sets, subjects
from backend.store.artifacts import ArtifactStore
from backend.store.database import Session
from backend.store.tables import AuditRow

MOST_NAME = 200  # characters of a prompt's id


def read_report(content: bytes) -> Report:
    """Raises Unprocessable, naming the place in the file, when it is no report, or one that cannot be kept."""
    try:
        report = report_from_json(content.decode("utf-8"))
        report_to_json(report)
    except UnicodeDecodeError as error:
        raise _unfit("the file", f"byte {error.start} is not UTF-8 text") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        raise _unfit(".".join(map(str, first["loc"])) or "the file", first["msg"]) from None
    except ValueError:
        raise _unfit("the file", "a number in it is not finite") from None
    for place, problem in _misfits(report):
        raise _unfit(place, problem)
    return report


def add_report(
    session: Session,
    artifacts: ArtifactStore,
    content: bytes,
    *,
    origin: Literal["import", "example"],
    name: str | None = None,
    completions: bytes | None = None,
) -> AuditRow:
    """The audit of a report; the same file is kept once.

    Kept is what was read of it and no other byte: whatever else a file holds, words under a name that no report has,
    say, would be given out again with the export. It answers no spec: what was not run here may be looked at, but is
    not handed out as an answer.
    """
    report = read_report(content)
    key = sha256(f"{origin} ".encode() + content).hexdigest()
    known = audits.by_spec(session, key)
    if known is not None:
        return known
    spec = _spec(session, report)
    own = prompt_sets.get(session, spec.prompt_set)
    here = own is not None and own.sha256 == report.manifest.prompts.get("sha256")
    row = audits.create(
        session,
        name=name or f"{spec.subject} on {spec.prompt_set}",
        origin=origin,
        subject_id=spec.subject,
        prompt_set=spec.prompt_set,
        prompt_set_id=spec.prompt_set if here else None,
        n_prompts=len(report.prompts),
        spec=spec.model_dump(),
        spec_sha256=key,
        created=_started(report),
    )
    kept = artifacts.put(session, report_to_json(report).encode(), "application/json")
    texts = artifacts.put(session, completions, "application/octet-stream") if completions is not None else None
    now = time.time()
    return audits.store_report(session, row.id, report, now=now, report_sha256=kept, completions_sha256=texts)


def _spec(session: Session, report: Report) -> AuditSpec:
    """What was asked, as far as the manifest says."""
    manifest = report.manifest
    subject = subjects.get(session, str(manifest.subject.get("id")))
    try:
        return AuditSpec(
            subject=manifest.subject.get("id"),
            prompt_set=manifest.prompts.get("name"),
            effort=manifest.settings.get("effort"),
            layers=settled_layers(manifest.saes.get("layers"), subject.layers if subject is not None else None),
            seed=manifest.seed,
            onset=manifest.settings.get("onset"),
            include_sink=manifest.settings.get("include_sink"),
        )
    except (ValidationError, TypeError) as error:
        problem = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else "does not fit"
        raise _unfit("manifest", f"it does not say what was audited: {problem}") from None


def _started(report: Report) -> float:
    try:
        return datetime.fromisoformat(str(report.manifest.timings.get("started"))).timestamp()
    except (ValueError, OverflowError, OSError):
        return time.time()


def _misfits(report: Report) -> Iterator[tuple[str, str]]:
    """Where a report of the right shape says what cannot be, or what must not be shown."""
    if not report.prompts:
        yield "prompts", "it reports on none"
    for place, names in (("prompts", [p.id for p in report.prompts]), ("features", [f.id for f in report.features])):
        if (twice := _twice(names)) is not None:
            yield place, f"the id {twice[:80]!r} appears twice"
    for number, prompt in enumerate(report.prompts):
        if not 0 < len(prompt.id) <= MOST_NAME:
            yield f"prompts.{number}.id", f"an id has 1 to {MOST_NAME} characters"
    for number, feature in enumerate(report.features):
        if re.fullmatch(FEATURE_PATTERN, feature.id) is None:
            yield f"features.{number}.id", "a feature is called layer:index"
    for number, prompt in enumerate(report.prompts):
        for place in _shown_words(plain(prompt), f"prompts.{number}"):
            yield place, "the words of a completion that is no refusal are masked: set them to null"


def _twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def _shown_words(value: Any, place: str) -> Iterator[str]:
    """Places of responses that show what is to be masked."""
    if isinstance(value, dict):
        if "verdict" in value and value["verdict"] != "refused" and value.get("text") is not None:
            yield f"{place}.text"
        for name, inner in value.items():
            yield from _shown_words(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _shown_words(inner, f"{place}.{number}")


def _unfit(place: str, problem: str) -> Unprocessable:
    detail = f"report.json, {place}: {problem}"
    return Unprocessable(detail, errors=[{"field": place, "problem": problem}])
