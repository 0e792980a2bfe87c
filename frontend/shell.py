"""What stands around every page: header, navigation, theme switch, notices, and the router. Knows no page.

Pages are chosen here and not by `dash.pages`, whose patterns span slashes, whose query parameters override path
variables, and which needs inline scripts that the content-security policy forbids.
"""

import logging
from time import time
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, html, no_update, set_props

from frontend.api_client import ApiClient, ApiProblem
from frontend.components.icon import icon
from frontend.components.messages import error_page, page_of_problem
from frontend.components.readers import BY_LINK, LINK_READERS, OWNERS
from frontend.page import Ui, View, match
from frontend.url_state import audits_path, new_audit_path, read_query

PRODUCT = "Refusalscope"
NOTICES = "notices"
LOCATION = "location"
LEAVE = "/share/leave"
_PAGE, _TITLE, _ADDRESS, _AGAIN = "page", "page-title", "page-address", "page-again"
_BURGER, _SHELL, _NAVBAR = "burger", "shell", "navbar"

INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        {%favicon%}
        {%css%}
    </head>
    <body>
        {%app_entry%}
        <footer>
            {%config%}
            {%scripts%}
            {%renderer%}
        </footer>
    </body>
</html>"""

THEME = {
    "primaryColor": "blue",
    "primaryShade": {"light": 8, "dark": 8},  # white on it is legible
    "fontFamily": "system-ui, -apple-system, sans-serif",
    "headings": {
        "sizes": {
            "h1": {"fontSize": "1.75rem", "lineHeight": "1.25"},
            "h2": {"fontSize": "1.35rem", "lineHeight": "1.3"},
            "h3": {"fontSize": "1.1rem", "lineHeight": "1.35"},
        }
    },
}

log = logging.getLogger(__name__)


def layout() -> Any:
    """The frame, with an empty page."""
    return dmc.MantineProvider(
        [
            dcc.Location(id=LOCATION, refresh="callback-nav"),
            dcc.Store(id=_TITLE),
            dcc.Store(id=_ADDRESS),
            dcc.Store(id=_AGAIN),
            dmc.NotificationContainer(id=NOTICES, position="top-right", autoClose=8000),
            html.A("Skip to content", href="#main", className="skip-link"),
            dmc.AppShell(
                [
                    dmc.AppShellHeader(_header()),
                    dmc.AppShellNavbar(_links("nav-narrow"), id=_NAVBAR, p="md"),
                    dmc.AppShellMain(html.Main(id="main", tabIndex=-1, children=html.Div(id=_PAGE))),
                ],
                id=_SHELL,
                header={"height": 56},
                navbar={"width": 240, "breakpoint": "sm", "collapsed": {"mobile": True, "desktop": True}},
                padding="md",
            ),
        ],
        defaultColorScheme="auto",
        theme=THEME,
    )


def register(ui: Ui) -> None:
    # The address bar and not the location's own properties: filters are put there behind its back.
    ui.clientside(
        "read_address",
        Output(_ADDRESS, "data"),
        Input(LOCATION, "pathname"),
        Input(LOCATION, "search"),
        Input(_AGAIN, "data"),
    )

    @ui.callback(Output(_PAGE, "children"), Output(_TITLE, "data"), Input(_ADDRESS, "data"), prevent_initial_call=True)
    async def route(address: dict[str, str]) -> tuple[Any, str]:
        view = await shown(ui, address["pathname"], address["search"])
        return view.body, f"{view.title} · {PRODUCT}"

    @ui.callback(
        Output(_SHELL, "className"),
        Input(_ADDRESS, "data"),
        State(_SHELL, "className"),
        prevent_initial_call=True,
    )
    async def who(address: dict[str, str], known: str | None) -> Any:
        return no_update if known else await reader(ui.api)

    ui.clientside("show_title", Input(_TITLE, "data"))
    ui.clientside("toggle_navigation", Output(_SHELL, "navbar"), Output(_NAVBAR, "style"), Input(_BURGER, "opened"))
    ui.clientside("close_navigation", Output(_BURGER, "opened"), Input(LOCATION, "pathname"))


async def shown(ui: Ui, pathname: str, search: str) -> View:
    """The page at an address; what cannot be shown says why in its place."""
    found = match(ui.routes, pathname)
    if found is None:
        return View("Not found", error_page("There is no such page", f"Nothing is at {pathname}."))
    page, variables = found
    try:
        return await page(read_query(search), **variables)
    except ApiProblem as problem:
        return View(problem.title, page_of_problem(problem))
    except Exception:
        log.exception("page layout failed: %s", page.__module__)
        return View("Error", error_page("This page could not be shown", "The server's log has the reason."))


async def reader(api: ApiClient) -> str:
    """The shell's class for who reads: the list of audits is closed to whoever came by a link."""
    try:
        await api.audits(limit=1)
    except ApiProblem as problem:
        return BY_LINK if problem.status == 403 else "owner"
    return "owner"


def tell(message: str, *, title: str | None = None, colour: str = "blue") -> None:
    """Show a notice beside whatever the running callback returns."""
    said = f"{title}: {message}"  # as its id: what is on the screen already is not shown twice
    notice = {"action": "show", "id": said, "message": message, "title": title, "color": colour}
    set_props(NOTICES, {"sendNotifications": [notice]})


def show_again() -> None:
    """Show the present page anew once the running callback has returned: what it shows has changed on the server."""
    set_props(_AGAIN, {"data": time()})


def tell_error(error: Exception) -> None:
    """What an error in a callback comes to: a notice, and a traceback in the log unless the API said no."""
    if isinstance(error, ApiProblem):
        tell(error.detail, title=error.title, colour="red")
        return
    log.error("callback failed", exc_info=error)
    tell("The server's log has the reason.", title="Something went wrong", colour="red")


def _header() -> Any:
    """What a link does not open stands there for owners alone; its reader is told what it is, and how to leave it."""
    name = {"fw": 700, "fz": "lg"}
    brand = dmc.Anchor(PRODUCT, href=audits_path(), underline="never", c="inherit", className=OWNERS, **name)
    by_link = [
        dmc.Text(PRODUCT, className=LINK_READERS, **name),
        dmc.Text("read-only link", size="sm", c="dimmed", className=LINK_READERS),
    ]
    return dmc.Group(
        [
            dmc.Box(
                dmc.Burger(id=_BURGER, opened=False, size="sm", **{"aria-label": "Navigation"}),
                hiddenFrom="sm",
                className=OWNERS,
            ),
            brand,
            *by_link,
            html.Nav(
                dmc.Group(_links("nav-wide"), gap=4), className=f"wide-navigation {OWNERS}", **{"aria-label": "Main"}
            ),
            dmc.Box(flex=1),
            dmc.Anchor("API", href="/api/docs", refresh=True, size="sm", visibleFrom="sm", className=OWNERS),
            dmc.Anchor("Leave", href=LEAVE, refresh=True, size="sm", className=LINK_READERS),
            dmc.ColorSchemeToggle(
                id="color-scheme",
                lightIcon=icon("sun"),
                darkIcon=icon("moon"),
                variant="subtle",
                color="gray",
                size="lg",
                **{"aria-label": "Light or dark"},
            ),
        ],
        h="100%",
        px="md",
        gap="md",
        wrap="nowrap",
    )


def _links(prefix: str) -> list[Any]:
    return [
        dmc.NavLink(label="Audits", href=audits_path(), id=f"{prefix}-audits", active="exact", w="auto"),
        dmc.NavLink(label="New audit", href=new_audit_path(), id=f"{prefix}-new", active="exact", w="auto"),
    ]
