"""A grid whose rows are all in the page: sorted and moved about in by the browser alone. Knows no API."""

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
from dash import html

from frontend.components.paged_grid import THEME

PERCENT = {"function": "params.value == null ? '–' : d3.format('.0%')(params.value)"}
TWO_DECIMALS = {"function": "params.value == null ? '–' : d3.format('.2f')(params.value)"}
SIGNED = {"function": "params.value == null ? '–' : d3.format('+.2f')(params.value)"}


ROW, HEAD, MOST_HEIGHT = 42, 68, 560  # pixels


def local_grid(grid_id: str, columns: list[dict[str, Any]], rows: Sequence[dict[str, Any]], *, label: str) -> Any:
    """Columns and rows as `paged_grid` has them; every column is sortable but those of links. As high as it must be."""
    grid = dag.AgGrid(
        id=grid_id,
        columnDefs=columns,
        rowData=list(rows),
        defaultColDef={
            "cellDataType": False,
            "sortable": True,
            "resizable": True,
            "suppressHeaderMenuButton": True,
            "minWidth": 90,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
        },
        getRowId="params.data.id",
        dangerously_allow_code=False,
        style={"height": f"{min(MOST_HEIGHT, HEAD + ROW * len(rows))}px", "width": "100%"},
        dashGridOptions={"theme": THEME, "enableCellTextSelection": True, "tooltipShowDelay": 300},
    )
    return html.Div(grid, role="region", **{"aria-label": label})
