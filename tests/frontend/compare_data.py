"""Comparisons as the API gives them, made from small reports, for tests of pages and figures."""

from backend.api import schemas as wire
from backend.api.views import compared_audit
from backend.audit.comparison import compare_all
from backend.audit.results import Edge, Figure, Report
from tests.compared_reports import feature, pair, prompt, report
from tests.frontend.wire_values import audit

HOSTILE = "<img src=x onerror=hostile()>"
RATE = Figure(0.5, 0.25, 0.75, 8)


def reports(n: int = 2) -> list[Report]:
    """Eight prompts: the first audit flips all, each later one fewer; a prompt that only the first has."""
    return [
        report(
            [prompt(f"p{i}", features=("1:5",) if i >= 3 * side else (), score=3.0 - side) for i in range(8)]
            + ([prompt(HOSTILE)] if side == 0 else []),
            subject=f"subject {side}",
            flipped=RATE,
            r2=Figure(0.9 - 0.3 * side, 0.8 - 0.3 * side, 0.95 - 0.3 * side, 80),
            features=[feature("1:5", 8 - side)],
            pairs=[pair("1:5", "2:6")],
            edges=[Edge("1:5", "2:6", -1.0)],
        )
        for side in range(n)
    ]


def comparison(n: int = 2, outcome: wire.ComparedOutcome = "flipped_minimal", name: str = HOSTILE) -> wire.Comparison:
    found = compare_all(reports(n))
    sides = [audit(id=f"a{side}", name=f"{name} {side}", subject=f"subject {side}") for side in range(n)]
    return wire.Comparison(
        outcome=outcome,
        reference=sides[0],
        others=[compared_audit(one, outcome, side) for one, side in zip(found.comparisons, sides[1:], strict=True)],
        figures=list(found.rows),
    )
