"""How an audit's time is told from another's: stage by stage, under the names that audits give their stages."""

import json
from importlib.resources import files

import pytest

from backend.api.estimates import BY_HARMFUL, BY_PROMPT, Pace
from backend.store.tables import AuditRow


def test_stages_are_those_that_an_audit_times() -> None:
    examples = [folder / "report.json" for folder in files("backend").joinpath("examples").iterdir()]
    timed = [json.loads(example.read_text("utf-8"))["manifest"]["timings"]["seconds"] for example in examples]
    assert timed
    for seconds in timed:
        assert {*BY_PROMPT, *BY_HARMFUL} <= set(seconds)


@pytest.mark.parametrize(
    ("n_prompts", "n_harmful", "expected"),
    [
        (20, 10, 63.0),
        (40, 10, 63.0 + 1 + 4 + 32),  # as long again for what is done with every prompt
        (20, 20, 63.0 + 16),
    ],
)
def test_each_stage_grows_with_its_own_prompts(n_prompts: int, n_harmful: int, expected: float) -> None:
    seconds = dict(zip(("baseline", "direction", "candidates", "interactions", "prompts", "evidence"),
                       (1.0, 2.0, 4.0, 8.0, 16.0, 32.0), strict=True))  # fmt: skip
    assert Pace(AuditRow(), seconds, 20, 10, None).scaled(n_prompts, n_harmful) == expected
