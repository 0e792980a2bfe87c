"""Looking into component trees as a reader would: by their words and their links."""

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def parts(tree: Any) -> Iterator[Any]:
    """Every component and every text of a tree, in reading order; what tooltips say is not on the page."""
    if isinstance(tree, (list, tuple)):
        for one in tree:
            yield from parts(one)
    elif isinstance(tree, Component):
        yield tree
        said = ("leftSection", "children") if tree._type == "Tooltip" else ("title", "label", "leftSection", "children")
        for name in said:
            yield from parts(getattr(tree, name, None))
    elif isinstance(tree, (str, int, float)) and not isinstance(tree, bool):
        yield str(tree)


def words(tree: Any) -> str:
    """All that is written in it; texts without a space between, as a browser shows inline ones."""
    return "".join(part for part in parts(tree) if isinstance(part, str))


def links(tree: Any) -> list[str]:
    return [part.href for part in parts(tree) if getattr(part, "href", None)]


def by_id(tree: Any, component_id: str) -> Component:
    return next(part for part in parts(tree) if getattr(part, "id", None) == component_id)
