"""What the features grid is filtered by: its controls, and their values from the URL. Knows no route."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import LayerUse
from frontend.url_state import choice, whole

ROLES = {"in_sets": "in minimal sets", "woke": "woke in a cascade"}
"""A choice of what a feature does -> words; each is a filter of the API."""


def filters_of(query: Mapping[str, str]) -> dict[str, Any]:
    """The filters a link asks for; what is not a filter's value is left out."""
    return filters(whole(query, "layer"), choice(query, "role", ROLES, ""), query.get("text"))


def filters(layer: int | str | None, role: str | None, text: str | None) -> dict[str, Any]:
    """As the grid and the address keep them."""
    found = {"layer": int(layer) if layer not in (None, "") else None, "role": role or None}
    found["text"] = (text or "").strip() or None
    return {name: value for name, value in found.items() if value is not None}


def as_api(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The same as arguments of the features route."""
    asked = {name: chosen[name] for name in ("layer", "text") if name in chosen}
    return asked | ({chosen["role"]: "true"} if "role" in chosen else {})


def feature_filters(chosen: Mapping[str, Any], layers: Sequence[LayerUse]) -> Any:
    """A control a filter, each cleared by itself."""
    return dmc.SimpleGrid(
        [
            dmc.Select(
                id=filter_id("layer"),
                label="Layer",
                data=[
                    {"value": str(use.layer), "label": f"{use.layer} ({use.n_candidates:,} features)"} for use in layers
                ],
                value=str(chosen["layer"]) if "layer" in chosen else None,
                placeholder="all",
                clearable=True,
            ),
            dmc.Select(
                id=filter_id("role"),
                label="What it does",
                data=[{"value": value, "label": words} for value, words in ROLES.items()],
                value=chosen.get("role"),
                placeholder="all",
                clearable=True,
            ),
            dmc.TextInput(
                id=filter_id("text"),
                label="Find layer:index",
                value=chosen.get("text", ""),
                placeholder="e.g. 21:1130 or 1130",
                debounce=400,
            ),
        ],
        cols={"base": 1, "xs": 3},
        spacing="sm",
    )


def filter_id(name: str) -> str:
    return f"feature-filter-{name}"
