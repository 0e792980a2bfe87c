"""docs/method.md says what the code does: its effort table and the thresholds it quotes."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from backend.audit import benign_values, candidates, verify
from backend.audit.refusal import onset_tokens
from backend.audit.spec import EFFORTS, AuditSettings, Effort
from backend.audit.stages import cascade, controls, direction, interactions, self_repair, stability
from backend.audit.stages.verification import arms, figures, side_effects, sufficiency, transfer
from backend.prompts import borrow
from backend.prompts.perturbations.registry import ALL

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
        f"among the {candidates.REFUSAL_RANK} best of each layer",
        f"among the {candidates.REFUSAL_RANK} best of each layer; their **Jaccard**",
        f"comply on at least {100 * stability.SPOKEN_SHARE:g} % of up to {stability.SPOKEN_PROMPTS} benign prompts",
        f"whose total effect exceeds {cascade.SMALLEST_PUSH} nats",
        f"where the direct effect is below {self_repair.SMALLEST_DIRECT_EFFECT} nats",
        f"between {interactions.MASK_RATES[0]} and {interactions.MASK_RATES[1]}",
        f"when that mean is at least {onset_tokens.SMALLEST_MASS} over refused prompts",
        f"at least {onset_tokens.SMALLEST_SHARE} of refused and complied together",
        f"{onset_tokens.SMOOTHING} added to each",
        "push the score below -{:g}, -{:g} and -{:g} nats".format(*controls.MARGINS),
        f"fewer than {borrow.SUPPORT['discovery']} discovery or {borrow.SUPPORT['validation']} validation prompts",
        f"of discovery and validation ({benign_values.MOST_BENIGN} at most)",
        f"with `q <= {figures.FALSE_DISCOVERIES}` counted",
        f"generated where `s > {sufficiency.SCREEN:g}`",
        f"the refusal features (the {candidates.REFUSAL_RANK} best of each layer)",
        f"features that hold {verify.HELD:.0%} of the claimed sets".replace("%", " %"),
        f"over the first {side_effects.FIRST_TOKENS} tokens of the subject's own answer",
        f"at which {transfer.HALF:.0%} and {transfer.MOST:.0%} do".replace("%", " %"),
        f"`f' = {arms.SIGN_FLIP:g} f`",
        f"`K` = {', '.join(str(k) for k in Effort().k_sweep)}, until",
    ],
)
def test_thresholds_quoted_are_the_code_s(sentence: str) -> None:
    assert sentence in PROSE


@pytest.mark.parametrize("perturbation", [*(one.name for one in ALL), *(one.name for one in stability.WEIGHTS)])
def test_every_perturbation_is_told(perturbation: str) -> None:
    assert f"`{perturbation}`" in PAGE
