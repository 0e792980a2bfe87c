"""What-ifs of one prompt: its unchanged completion is generated once, and the answers are the same."""

from collections.abc import Sequence
from typing import Any

import pytest

from backend.api.schemas import WhatIfRequest
from backend.audit.interventions import NO_INTERVENTION
from backend.engine.pauses import go_on
from backend.engine.protocol import Completion, Engine, Pair
from backend.jobs.audit_context import read_audit
from backend.jobs.desk import Desk
from backend.jobs.lease import Lease
from backend.jobs.resident import Residents
from backend.jobs.what_if_job import what_if_job
from backend.store.tables import JobRow
from tests.jobs.conftest import Finished

LIMIT = 12  # tokens


class ListeningEngine:
    """An Engine that lists what it is asked to generate."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.asked: list[tuple[bool, ...]] = []  # of each call: whether nothing was changed, by pair

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def generate(self, pairs: Sequence[Pair], *limits: Any) -> list[Completion]:
        self.asked.append(tuple(pair.intervention == NO_INTERVENTION for pair in pairs))
        return self._engine.generate(pairs, *limits)


@pytest.fixture
def desk(finished: Finished) -> Desk:
    """In this process, its subject loaded by the test that asks."""
    return Desk(finished.service.database, Residents(go_on), "cpu", Lease("job", "me"), go_on)


@pytest.fixture
def asked(finished: Finished, desk: Desk) -> list[tuple[bool, ...]]:
    """Every call of the resident engine's generate from now on."""
    resident = desk.residents.get(read_audit(desk.database, finished.audit_id, "cpu").key)
    engine = ListeningEngine(resident.engine)
    resident.engine = engine  # type: ignore[assignment]
    return engine.asked


def answer(finished: Finished, desk: Desk, n_features: int | None = None, **request: Any) -> dict[str, Any]:
    whole = {"generate": True, "max_new_tokens": LIMIT, **request}
    spec = WhatIfRequest(intervention={"features": finished.features[:n_features]}, **whole)
    job = JobRow(id="job", kind="what_if", args=finished.about(request=spec.model_dump()))
    return {name: value for name, value in what_if_job(desk, job).result.items() if name != "seconds"}


def test_the_unchanged_completion_is_generated_once(
    finished: Finished, desk: Desk, asked: list[tuple[bool, ...]]
) -> None:
    first, second = answer(finished, desk), answer(finished, desk)
    assert asked == [(True, False, False), (False, False)]
    assert second == first
    assert first["token_ids"]["baseline"]
    assert first["baseline"]["completion"]["verdict"] == "refused"


def test_it_is_known_to_another_intervention_and_not_at_another_limit(
    finished: Finished, desk: Desk, asked: list[tuple[bool, ...]]
) -> None:
    first = answer(finished, desk)
    other = answer(finished, desk, 0)  # nothing is ablated, and there is nothing to match
    assert other["baseline"]["completion"] == other["intervened"]["completion"] == first["baseline"]["completion"]
    shorter = answer(finished, desk, max_new_tokens=LIMIT - 5)
    assert len(shorter["token_ids"]["baseline"]) < len(first["token_ids"]["baseline"])
    assert [True in call for call in asked] == [True, True, True]


def test_a_score_alone_generates_nothing(finished: Finished, desk: Desk, asked: list[tuple[bool, ...]]) -> None:
    assert answer(finished, desk, generate=False)["baseline"]["completion"] is None
    answer(finished, desk)
    assert asked == [(True, False, False)]
