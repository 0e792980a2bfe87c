"""docs/method.md says what the code does: its effort table and the thresholds it quotes."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from backend.audit.refusal import onset_tokens
from backend.audit.spec import EFFORTS, AuditSettings, Effort
from backend.audit.stages import cascade, controls, direction, interactions
from backend.prompts import borrow

PAGE = (Path(__file__).parents[2] / "docs" / "method.md").read_text("utf-8")
PROSE = " ".join(PAGE.split())


def shown(value: object) -> str:
    return f"{value[0]} to {value[-1]}" if isinstance(value, tuple) else str(value)


def test_the_effort_table_is_the_code_s() -> None:
    table = {
        row[1]: [cell.strip() for cell in row[2].split("|")]
        for row in re.finditer(r"^\| `(\w+)` \|((?:[^|\n]*\|){3}[^|\n]*)\|$", PAGE, re.MULTILINE)
    }
    efforts = [AuditSettings(effort=effort).amounts for effort in EFFORTS]

    assert set(table) == {field.name for field in fields(Effort)}
    for setting, cells in table.items():
        assert cells[:3] == [shown(getattr(effort, setting)) for effort in efforts], setting
        assert cells[3], f"{setting} is not explained"


@pytest.mark.parametrize(
    "sentence",
    [
        f"KL is at most {direction.KL_LIMIT} nats",
        f"`l` is below {direction.DEPTH_LIMIT} of the model's layers",
        f"among the {cascade.REFUSAL_RANK} best of each layer",
        f"whose total effect exceeds {cascade.SMALLEST_PUSH} nats",
        f"where the direct effect is below {cascade.SMALLEST_DIRECT_EFFECT} nats",
        f"between {interactions.MASK_RATES[0]} and {interactions.MASK_RATES[1]}",
        f"when that mean is at least {onset_tokens.SMALLEST_MASS} over refused prompts",
        f"at least {onset_tokens.SMALLEST_SHARE} of refused and complied together",
        f"{onset_tokens.SMOOTHING} added to each",
        "push the score below -{:g}, -{:g} and -{:g} nats".format(*controls.MARGINS),
        f"fewer than {borrow.SUPPORT['discovery']} discovery or {borrow.SUPPORT['validation']} validation prompts",
        f"`K` = {', '.join(str(k) for k in Effort().k_sweep)}, until",
    ],
)
def test_thresholds_quoted_are_the_code_s(sentence: str) -> None:
    assert sentence in PROSE
