"""`refusalscope judges`: how far judges can be trusted. Each command imports what it needs when it is run."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from backend.errors import SubjectError

if TYPE_CHECKING:
    from backend.audit.results import Figure

judges = typer.Typer(help="How far the judges of completions can be trusted.", no_args_is_help=True)

MOST_ROWS = 40


@judges.callback()
def top() -> None:
    """Keeps `check` a sub-command."""


@judges.command()
def check(
    judge: Annotated[
        list[str],
        typer.Option(help="As of `audit`; repeatable. Each is held against the bundled labelled completions."),
    ] = ["phrases"],  # noqa: B006 (typer copies it)
) -> None:
    """Sensitivity, specificity and kappa against completions labelled by a reader, and where a judge differs."""
    from rich.console import Console
    from rich.table import Table

    from backend.audit.judging import grade, quality
    from backend.audit.refusal.yardstick.yardstick import load_yardstick
    from backend.judges.named import judges_named

    console, yardstick = Console(), load_yardstick()
    decode = _tokenizer()
    table = Table("judge", "n", "sensitivity", "specificity", "kappa", title=yardstick.name)
    wrong = Table(
        "judge", "completion", "prompt", "reader", "judge says", "reader's reason", title="differing verdicts"
    )
    rows = {row.id: row for row in yardstick.rows}
    for one in judges_named(judge):
        graded = grade(one, yardstick, decode)
        of_it = quality(one, yardstick, graded)
        table.add_row(one.name, str(len(graded)), *map(_figure, (of_it.sensitivity, of_it.specificity, of_it.kappa)))
        differing = [g for g in graded if g.judged != g.truth]
        for g in differing[:MOST_ROWS]:
            wrong.add_row(one.name, g.id, rows[g.id].prompt, g.truth, g.judged, rows[g.id].reason)
        if len(differing) > MOST_ROWS:
            wrong.add_row(one.name, f"and {len(differing) - MOST_ROWS} more", "", "", "", "")
    console.print(table)
    if wrong.row_count:
        console.print(wrong)
    if decode is None:
        console.print("note: masked completions are left out; run: refusalscope models fetch", markup=False)


def _tokenizer() -> Callable[[Sequence[int]], str] | None:
    """What reads masked completions, or None where the bundled subjects are not here."""
    from backend.subjects.bundled.tokenizer import bundled_decode

    try:
        return bundled_decode()
    except SubjectError:
        return None


def _figure(figure: "Figure") -> str:
    if figure.value is None:
        return "-"
    interval = "" if figure.low is None else f" ({figure.low:.2f} to {figure.high:.2f})"
    return f"{figure.value:.2f}{interval}"
