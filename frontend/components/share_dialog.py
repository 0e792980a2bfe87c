"""Giving an audit to others: files to save, and read-only links that are made, listed and withdrawn.

`share_actions` go to the right of an audit's header; a reader who came by such a link gets none of them.
"""

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, callback_context, dcc, html, no_update

from backend.api.schemas import AuditDetail, CreatedLink, Link, NewLink
from frontend.components.copyable import copyable
from frontend.components.icon import icon
from frontend.format import DASH, ago, moment, shortened
from frontend.page import Ui
from frontend.shell import LOCATION
from frontend.url_state import download_path

FILES = (
    ("report.html", "Report (HTML)", "one file that opens from disk"),
    ("report.json", "Report (JSON)", "every number"),
    ("prompts.csv", "Prompts (CSV)", "a line a prompt"),
    ("features.csv", "Features (CSV)", "a line a feature"),
)
LONGEST, DEFAULT_DAYS = 366, 7
LISTED = 100

_AUDIT, _OPEN, _BOX, _LIST, _MADE = "share-audit", "share-open", "share-box", "share-list", "share-made"
_LABEL, _DAYS, _CREATE, _REVOKE = "share-label", "share-days", "share-create", "share-revoke"


def share_actions(detail: AuditDetail) -> list[Any]:
    """Export menu, share button and its dialog, for the header of a finished audit."""
    if detail.read_only or detail.audit.state != "done":
        return []
    share = dmc.Button("Share", id=_OPEN, variant="default", leftSection=icon("link"))
    return [_export_menu(detail.audit.id), share, dcc.Store(id=_AUDIT, data=detail.audit.id), _dialog()]


def register_share_dialog(ui: Ui) -> None:
    @ui.callback(
        Output(_BOX, "opened"),
        Output(_LIST, "children"),
        Output(_MADE, "children"),
        Input(_OPEN, "n_clicks"),
        State(_AUDIT, "data"),
        prevent_initial_call=True,
    )
    async def open_dialog(clicks: int | None, audit_id: str) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        return True, await _listed(ui, audit_id), None

    @ui.callback(
        Output(_MADE, "children", allow_duplicate=True),
        Output(_LIST, "children", allow_duplicate=True),
        Output(_LABEL, "value"),
        Input(_CREATE, "n_clicks"),
        State(_LABEL, "value"),
        State(_DAYS, "value"),
        State(_AUDIT, "data"),
        State(LOCATION, "href"),
        prevent_initial_call=True,
    )
    async def create(clicks: int | None, label: str | None, days: Any, audit_id: str, here: str) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        if not isinstance(days, int | float) or not 0 < days <= LONGEST:
            return dmc.Text(f"Days: give a number from 1 to {LONGEST}.", c="red", size="sm"), no_update, no_update
        made = await ui.api.create_link(audit_id, NewLink(label=(label or "").strip()[:120], days=days))
        return created_link(made, here), await _listed(ui, audit_id), ""

    @ui.callback(
        Output(_LIST, "children", allow_duplicate=True),
        Input({"type": _REVOKE, "link": ALL}, "n_clicks"),
        State(_AUDIT, "data"),
        prevent_initial_call=True,
    )
    async def revoke(clicks: list[int | None], audit_id: str) -> Any:
        if not any(clicks):
            return no_update
        await ui.api.revoke_link(callback_context.triggered_id["link"])
        return await _listed(ui, audit_id)


def created_link(made: CreatedLink, here: str) -> Any:
    """The address of a new link, the only time it is shown. `here`: the page's own address, whose origin it gets."""
    words = dmc.Text("Copy it now: it is not kept, and will not be shown again.", size="sm")
    url = address_here(made.url, here)
    address = copyable(url, shown=url, label="Copy link")
    return dmc.Alert(dmc.Stack([words, address], gap="xs"), title="Link created", color="teal", variant="light")


def address_here(url: str, here: str) -> str:
    """`url` as the reader reaches this server: the server's own name for itself may be another."""
    origin = urlsplit(here)
    return urlsplit(url)._replace(scheme=origin.scheme, netloc=origin.netloc).geturl()


def link_table(links: Sequence[Link], now: float) -> Any:
    """Every link of the audit with what became of it."""
    if not links:
        return dmc.Text("No links yet.", size="sm", c="dimmed")
    head = dmc.TableThead(dmc.TableTr([dmc.TableTh(name) for name in ("Label", "Expires", "Last used", "State", "")]))
    table = dmc.Table([head, dmc.TableTbody([_row(link, now) for link in links])], verticalSpacing="xs")
    return dmc.TableScrollContainer(table, minWidth=520, type="native")


def link_state(link: Link, now: float) -> str:
    if link.revoked is not None:
        return "revoked"
    return "expired" if link.expires <= now else "active"


def _row(link: Link, now: float) -> Any:
    state = link_state(link, now)
    label = shortened(link.label) or "unnamed"
    revoke = dmc.Button(
        "Revoke",
        id={"type": _REVOKE, "link": link.id},
        size="compact-xs",
        variant="default",
        **{"aria-label": f"Revoke the link {label}"},
    )
    cells = [
        dmc.Text(label, size="sm", className="breakable"),
        moment(link.expires),
        DASH if link.last_used is None else ago(link.last_used, now),
        dmc.Badge(state, color="teal" if state == "active" else "gray", variant="light", miw="max-content"),
        revoke if state == "active" else None,
    ]
    return dmc.TableTr([dmc.TableTd(cell) for cell in cells])


async def _listed(ui: Ui, audit_id: str) -> Any:
    return link_table((await ui.api.links(audit_id, limit=LISTED)).items, time.time())


def _export_menu(audit_id: str) -> Any:
    items = [
        dmc.MenuItem(
            [dmc.Text(label, size="sm"), dmc.Text(about, size="xs", c="dimmed")],
            href=download_path(audit_id, file),
            refresh=True,  # a file, not a page of ours
        )
        for file, label, about in FILES
    ]
    button = dmc.Button("Export", variant="default", leftSection=icon("download"))
    return dmc.Menu([dmc.MenuTarget(button), dmc.MenuDropdown(items)], position="bottom-end")


def _dialog() -> Any:
    about = (
        "Whoever has the link can read the overview, prompts and features of this audit until it expires, and nothing "
        "else: they start nothing, reveal nothing and see no other audit."
    )
    form = dmc.Group(
        [
            dmc.TextInput(
                id=_LABEL,
                label="For whom or what",
                placeholder="optional",
                inputProps={"maxLength": 120},
                flex=1,
                miw=180,
            ),
            dmc.NumberInput(
                id=_DAYS,
                label="Days",
                value=DEFAULT_DAYS,
                min=1,
                max=LONGEST,
                allowDecimal=False,
                clampBehavior="blur",
                w=100,
            ),
            dmc.Button("Create link", id=_CREATE),
        ],
        align="end",
        gap="sm",
    )
    body = [dmc.Text(about, size="sm"), form, html.Div(id=_MADE, **{"aria-live": "polite"}), html.Div(id=_LIST)]
    return dmc.Modal(dmc.Stack(body), id=_BOX, title="Share by read-only link", opened=False, size="lg")
