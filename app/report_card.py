"""The report card as a table on a terminal: each answer with its figure, interval and n."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from backend.audit.results import Figure, Report
from backend.reports.card_figures import card_figures


def show(console: Console, report: Report, folder: Path) -> None:
    """Print the report card and where its evidence is."""
    card = report.report_card
    subject = report.manifest.subject["id"]
    table = Table(title=f"{subject} on {report.manifest.prompts['name']}, test split", title_justify="left")
    table.add_column("question")
    table.add_column("figure", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("n", justify="right")
    for question, figure, unit in card_figures(card):
        scale, digits = (100.0, 0) if unit == "%" else (1.0, 2)
        table.add_row(question, *figure_cells(figure, digits, scale=scale, unit=unit))
    console.print(table)
    for statement in card.statements:
        console.print(f"{statement.question} {statement.answer}. {statement.text}", markup=False, highlight=False)
    direction = report.direction
    console.print(
        f"refusal direction: layer {direction.layer}, position {direction.position}; "
        f"backup pairs {card.backup_pairs}, serial pairs {card.serial_pairs}; "
        f"{_count(card.features_for_half)} features hold half of the minimal sets, "
        f"{_count(card.features_for_most)} hold 90 %",
        highlight=False,
    )
    for note in report.manifest.notes:
        console.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"report: {folder / 'report.json'}", markup=False, highlight=False, soft_wrap=True)


def figure_cells(figure: Figure, digits: int, *, scale: float = 1.0, unit: str = "") -> tuple[str, str, str]:
    """Value, 95 % interval and n, as every table on a terminal has them."""
    if figure.value is None:
        return "not measured", "", "0"

    def shown(x: float) -> str:
        return f"{x * scale:.{digits}f}"

    value = f"{shown(figure.value)} {unit}".rstrip()
    if figure.low is None or figure.high is None:
        return value, "too few to say", str(figure.n)
    return value, f"{shown(figure.low)} to {shown(figure.high)}", str(figure.n)


def _count(number: int | None) -> str:
    return "no" if number is None else str(number)
