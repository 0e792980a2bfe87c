"""The dashboard as a Dash app on a FastAPI server: shell, pages, error handling. Knows no backend but the API.

Every callback is async (a sync one would hold up the event loop) and every error is logged and told to the reader.
"""

from pathlib import Path

import httpx
from dash import Dash
from fastapi import FastAPI

from frontend import shell
from frontend.api_client import ApiClient
from frontend.page import Ui
from frontend.pages import (
    audits,
    cascade,
    compare,
    feature,
    features,
    interactions,
    new_audit,
    overview,
    prompt,
    prompts,
    stability,
    verification,
)

PAGES = (
    audits, new_audit, overview, verification, stability, cascade, interactions, prompts, prompt, features, feature,
    compare,
)  # fmt: skip


def create_ui(server: FastAPI, http: httpx.AsyncClient) -> Dash:
    """The dashboard on `server`, asking the API through `http`, whose base URL is the server's own.

    Requests through `http` are made within the reader's own request, and the server must take them for the reader's.

    The server must call GET / once in its lifespan: Dash sets itself up on its first request, and until then deep
    links get a page without scripts. Dash also answers any path that no route claims, so that /api needs its own 404.
    """
    app = Dash(
        "refusalscope",
        server=server,
        assets_folder=str(Path(__file__).parent / "assets"),
        title=shell.PRODUCT,
        update_title=None,
        serve_locally=True,
        compress=False,  # the server compresses
        suppress_callback_exceptions=True,  # pages come and go
        on_error=shell.tell_error,
        index_string=shell.INDEX,
    )
    ui = Ui(app, ApiClient(http))
    for page in PAGES:
        page.register(ui)
    app.layout = shell.layout()
    shell.register(ui)
    return app
