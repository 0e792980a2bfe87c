"""What is said when something is missing or went wrong. Values in, components out; every text is shown as text."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from frontend.api_client import ApiProblem
from frontend.components.readers import OWNERS
from frontend.format import plural
from frontend.url_state import audits_path

SHOWN = 20  # problems of single lines that are listed


def empty_state(title: str, text: str, *actions: Any) -> Any:
    """Nothing is here yet: what would be, and the next step."""
    return dmc.Paper(
        dmc.Stack(
            [dmc.Title(title, order=3), dmc.Text(text, c="dimmed", maw=560, ta="center"), dmc.Group(list(actions))],
            align="center",
            gap="sm",
        ),
        withBorder=True,
        p="xl",
        radius="md",
    )


def error_alert(problem: ApiProblem | str, *, title: str = "This did not work") -> Any:
    """One line on what to change, and for files the lines at fault."""
    if isinstance(problem, str):
        return dmc.Alert(problem, title=title, color="red", variant="light")
    body: list[Any] = [dmc.Text(problem.detail, size="sm")]
    if len(problem.errors) > 1 or any(str(error.get("problem")) not in problem.detail for error in problem.errors):
        rows = [html.Li(_line(error)) for error in problem.errors[:SHOWN]]
        body.append(html.Ul(rows, className="problems"))
        if len(problem.errors) > SHOWN:
            body.append(dmc.Text(f"and {plural(len(problem.errors) - SHOWN, 'more problem')}", size="sm", c="dimmed"))
    return dmc.Alert(body, title=problem.title or title, color="red", variant="light")


def warning_alert(text: str, *, title: str | None = None) -> Any:
    return dmc.Alert(text, title=title, color="yellow", variant="light")


def error_page(title: str, text: str) -> Any:
    """In place of a page that cannot be shown."""
    return dmc.Stack(
        [dmc.Title(title, order=1), dmc.Text(text), dmc.Anchor("All audits", href=audits_path(), className=OWNERS)],
        maw=640,
        py="xl",
    )


def page_of_problem(problem: ApiProblem) -> Any:
    return error_page(problem.title, problem.detail)


def _line(error: dict[str, Any]) -> str:
    """`line 3, column prompt: is empty`, with whichever parts are known."""
    where = [f"{name} {error[name]}" for name in ("file", "line", "column", "field") if error.get(name) is not None]
    problem = str(error.get("problem", "is not as expected"))
    return f"{', '.join(where)}: {problem}" if where else problem
