"""A Plotly figure on a page: it fills its width, is described for those who do not see it, and can be saved."""

from typing import Any

import plotly.graph_objects as go
from dash import dcc, html


def graph(graph_id: Any, figure: go.Figure, description: str) -> Any:
    """`description` says in a sentence what the figure shows. Text and lines take their colours from theme.css."""
    name = graph_id if isinstance(graph_id, str) else "figure"
    config = {
        "responsive": True,
        "displaylogo": False,
        "displayModeBar": "hover",
        "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "svg", "filename": name},
    }
    size = {"width": "100%", "height": f"{figure.layout.height}px"}  # responsive drawings forget the figure's height
    drawing = dcc.Graph(id=graph_id, figure=figure, config=config, responsive=True, style=size)
    return html.Figure(drawing, role="img", className="graph", **{"aria-label": description})
