"""A part of a page under its own heading, with an address (#id) of its own."""

from collections.abc import Collection
from typing import Any

import dash_mantine_components as dmc
from dash import html


def section(section_id: str, title: str, *parts: Any, about: Any = None) -> Any:
    """`about`, a sentence or components, says what one sees."""
    head: list[Any] = [dmc.Title(title, order=2, size="h3")]
    if about is not None:
        head.append(dmc.Text(about, size="sm", c="dimmed", maw=820))
    return html.Section(dmc.Stack([*head, *parts], gap="sm"), id=section_id, className="section")


def panel(*parts: Any, title: Any = None) -> Any:
    """A framed box, for one figure or one table."""
    head = [dmc.Text(title, fw=600, size="sm")] if title is not None else []
    return dmc.Paper(dmc.Stack([*head, *parts], gap="xs"), withBorder=True, p="sm", radius="md", className="panel")


def columns(*parts: Any, wide: int = 2) -> Any:
    """Side by side where there is room, below one another on a phone."""
    return dmc.SimpleGrid(list(parts), cols={"base": 1, "md": wide}, spacing="md")


def contents(links: dict[str, str]) -> Any:
    """Links to the sections of a long page: id -> title."""
    items = [html.A(title, href=f"#{section_id}") for section_id, title in links.items()]
    return html.Nav(items, className="contents", **{"aria-label": "On this page"})


def table_head(*headings: Any, numeric: Collection[int] = ()) -> Any:
    """The first row of a table; the headings at the places `numeric` stand right, above their numbers."""
    cells = [
        dmc.TableTh(heading, className="numeric" if place in numeric else None)
        for place, heading in enumerate(headings)
    ]
    return dmc.TableThead(dmc.TableTr(cells))
