"""Bringing in a report.json made on the command line or another server. The API says whether it is one."""

from base64 import b64decode
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, dcc, html, no_update

from frontend.api_client import ApiProblem
from frontend.components.icon import icon
from frontend.components.messages import error_alert
from frontend.page import Ui
from frontend.shell import LOCATION
from frontend.url_state import audit_path

_FILE, _ERROR = "report-import", "report-import-error"


def report_import() -> Any:
    button = dmc.Button("Import report.json", variant="default", leftSection=icon("upload"))
    return dcc.Upload(button, id=_FILE, accept=".json,application/json", multiple=False)


def report_import_error() -> Any:
    """Where it says what is wrong with the file."""
    return html.Div(id=_ERROR, **{"aria-live": "polite"})


def register_report_import(ui: Ui) -> None:
    @ui.callback(
        Output(_ERROR, "children"), Output(LOCATION, "href"), Input(_FILE, "contents"), prevent_initial_call=True
    )
    async def bring_in(contents: str | None) -> Any:
        if contents is None:
            return no_update, no_update
        try:
            audit = await ui.api.import_report(b64decode(contents.partition(",")[2]))
        except ApiProblem as problem:
            return error_alert(problem), no_update
        return None, audit_path(audit.id)
