"""View state that the reader adjusts (filters, sort) on its way into the URL. Knows no page."""

from typing import Any

from dash import Input, dcc

from frontend.page import Ui


def url_store(store_id: str) -> Any:
    """A store whose data, a query made by `url_state.write_query`, replaces the query of the page's address."""
    return dcc.Store(id=store_id)


def register_url_store(ui: Ui, store_id: str) -> None:
    """Without a new entry in the history and without showing the page anew."""
    ui.clientside("replace_query", Input(store_id, "data"), prevent_initial_call=True)
