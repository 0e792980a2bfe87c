"""What a page is: a path, and an async function from path and query to a titled view. Knows no page and no API route.

See "How to add a page" in CONTRIBUTING.md.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from dash import ClientsideFunction, Dash
from dash.development.base_component import Component

from frontend.api_client import ApiClient

Query = Mapping[str, str]


@dataclass(frozen=True)
class View:
    """A page as it is shown: the words of the browser's title, and what stands in the main area."""

    title: str
    body: Component | list[Component]


Layout = Callable[..., Awaitable[View]]
"""`async def layout(query, **path_variables) -> View`; path variables come decoded, and never out of the query."""


@dataclass(frozen=True)
class Route:
    pattern: re.Pattern[str]
    layout: Layout


@dataclass(frozen=True)
class Ui:
    """What `register(ui)` of a page module gets: the Dash app to hang callbacks on, the API, and the routes."""

    app: Dash
    api: ApiClient
    routes: list[Route] = field(default_factory=list)

    def page(self, path: str, layout: Layout) -> None:
        """Show `layout` at `path`, e.g. `/audits/{audit_id}/prompts`; a variable never spans a slash."""
        self.routes.append(Route(_pattern(path), layout))

    def callback(self, *arguments: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """`Dash.callback` for async functions alone: a sync one would hold up every other request while it runs."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            if not inspect.iscoroutinefunction(function):
                raise TypeError(f"callback {function.__name__}: make it async")
            return self.app.callback(*arguments, **options)(function)

        return decorate

    def clientside(self, name: str, *arguments: Any, **options: Any) -> None:
        """Call `dash_clientside.refusalscope.NAME` of assets/ (the security policy forbids inline scripts)."""
        self.app.clientside_callback(ClientsideFunction("refusalscope", name), *arguments, **options)


def match(routes: list[Route], pathname: str) -> tuple[Layout, dict[str, str]] | None:
    """The layout for a path and its variables, decoded; fixed paths win over those with variables."""
    path = pathname.rstrip("/") or "/"
    for route in sorted(routes, key=lambda route: route.pattern.groups):
        found = route.pattern.fullmatch(path)
        if found:
            return route.layout, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    return re.compile("".join(f"(?P<{part}>[^/]+)" if i % 2 else re.escape(part) for i, part in enumerate(parts)))
