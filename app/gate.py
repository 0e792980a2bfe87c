"""`refusalscope gate`, and `--gate` of an audit: a report held against what must be shown. Wiring and a table only."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.report import read_audit
from app.report_card import figure_cells
from backend.audit.results import Report
from backend.errors import GateFailed
from backend.reports.figure_paths import is_share
from backend.reports.gate import Checked, Gate, check_gate, read_gate

COLOURS = {"passed": "green", "failed": "red", "undecided": "yellow"}


def run(*, audit: str, file: Path, data: Path | None, database: str | None) -> None:
    """Raises BadInput for a wrong gate or audit, GateFailed when a condition is not met."""
    gate = read_gate(file, "FILE")
    enforce(Console(), gate, read_audit(audit, data, database))


def enforce(console: Console, gate: Gate, report: Report) -> None:
    """Print every condition with its verdict; raise GateFailed when one is not met."""
    checked = check_gate(gate, report)
    console.print(_table(checked, gate.file))
    unmet = [one for one in checked if not one.passes]
    if unmet:
        names = ", ".join(f"{one.name} {one.verdict}" for one in unmet)
        raise GateFailed(f"gate {gate.file}: {len(unmet)} of {len(checked)} conditions not met: {names}")


def _table(checked: Sequence[Checked], file: str) -> Table:
    table = Table("condition", title=Text(f"gate {file}"), title_justify="left")
    for name in ("found", "95 % interval", "n"):
        table.add_column(name, justify="right")
    table.add_column("wanted")
    table.add_column("verdict")
    for one in checked:
        cells = (one.answer, "", "")
        if one.figure is not None:
            cells = figure_cells(one.figure, 3 if is_share(one.name) else 2)
        verdict = one.verdict if one.passes or one.verdict != "undecided" else "undecided: not met"
        table.add_row(Text(one.name), *cells, one.bound, Text(verdict, style=COLOURS[one.verdict]))
    return table
