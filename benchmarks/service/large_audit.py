"""A finished audit of many prompts and features, made of the rows of a real report under new ids. For timing alone."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

from backend.audit.results import Feature, PromptResult, Report
from backend.reports.report_json import report_from_json, report_to_json
from backend.store import audits
from backend.store.database import Database


def seed_large_audit(data: Path, report: bytes, prompts: int, features: int) -> str:
    """The audit's id. Prompts keep the ids of the features that they name, so those appear on very many."""
    real = report_from_json(report.decode())
    large = replace(
        real, prompts=tuple(islice(_prompts(real), prompts)), features=tuple(islice(_features(real), features))
    )
    database = Database.open(None, data)
    try:
        with database.transaction() as session:
            audit = audits.create(
                session,
                name=f"{prompts} prompts, {features} features",
                origin="import",
                subject_id=str(real.manifest.subject["id"]),
                prompt_set="seeded for a benchmark",
                prompt_set_id=None,
                n_prompts=prompts,
                spec={"subject": str(real.manifest.subject["id"]), "prompt_set": "seeded", "effort": "quick"},
                spec_sha256="",
                created=time.time(),
            )
            kept = database.artifacts.put(session, report_to_json(real).encode(), "application/json")
            audits.store_report(session, audit.id, large, now=time.time(), report_sha256=kept)
        return audit.id
    finally:
        database.close()


def _prompts(real: Report) -> Iterator[PromptResult]:
    for copy in count():
        for prompt in real.prompts:
            yield replace(prompt, id=f"{prompt.id}-{copy}") if copy else prompt


def _features(real: Report) -> Iterator[Feature]:
    beyond = 1 + max(int(feature.id.partition(":")[2]) for feature in real.features)
    for copy in count():
        for feature in real.features:
            layer, _, number = feature.id.partition(":")
            yield replace(feature, id=f"{layer}:{copy * beyond + int(number)}")
