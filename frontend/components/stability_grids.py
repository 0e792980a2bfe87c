"""Rows and columns of the stability grids: features by keep rate, prompts by perturbation. Knows no route."""

from collections.abc import Sequence
from typing import Any

from backend.api.schemas import PerturbedLine
from backend.audit.results import FeatureStability, Figure, Perturbation
from frontend.components.local_grid import PERCENT, SIGNED, TWO_DECIMALS
from frontend.figures.stability import PLACEBO, perturbation_name
from frontend.format import DASH, figure_interval
from frontend.terms import TERMS
from frontend.url_state import feature_path, prompt_path

LINK = {"field": "link", "cellRenderer": "Link", "pinned": "left", "width": 120, "sortable": False}
INTERVAL = {"headerName": "95 % interval", "type": "rightAligned", "width": 200, "sortable": False}

FEATURE_COLUMNS: list[dict[str, Any]] = [
    {**LINK, "headerName": "Feature"},
    {"field": "layer", "headerName": "Layer", "type": "rightAligned", "width": 100},
    {"field": "n_prompts", "headerName": "Prompts", "type": "rightAligned", "width": 120, "sort": "desc"},
    {
        "field": "kept", "headerName": "Keep rate", "type": "rightAligned", "width": 130, "valueFormatter": PERCENT,
        "headerTooltip": TERMS["keep rate"],
    },
    {**INTERVAL, "field": "kept_interval"},
    {
        "field": "placebo", "headerName": "Under the placebo", "type": "rightAligned", "width": 170,
        "valueFormatter": PERCENT, "headerTooltip": TERMS["placebo"],
    },
    {**INTERVAL, "field": "placebo_interval"},
]  # fmt: skip

PROMPT_COLUMNS: list[dict[str, Any]] = [
    {**LINK, "headerName": "Prompt"},
    {"field": "perturbation", "headerName": "Perturbation", "width": 220, "headerTooltip": TERMS["perturbation"]},
    {"field": "split", "headerName": "Split", "width": 110, "headerTooltip": TERMS["split"]},
    {"field": "verdict", "headerName": "Verdict", "width": 120, "headerTooltip": TERMS["verdict"]},
    {
        "field": "score_change", "headerName": "Change in s (nats)", "type": "rightAligned", "width": 170,
        "valueFormatter": SIGNED, "headerTooltip": TERMS["refusal score"],
    },
    {
        "field": "jaccard", "headerName": "Jaccard", "type": "rightAligned", "width": 120,
        "valueFormatter": TWO_DECIMALS, "headerTooltip": TERMS["jaccard"],
    },
    {"field": "n_lost", "headerName": "Features lost", "type": "rightAligned", "width": 140},
    {"field": "set_flips", "headerName": "Set still flips", "width": 140, "headerTooltip": TERMS["minimal set"]},
]  # fmt: skip


def feature_rows(features: Sequence[FeatureStability], audit_id: str) -> list[dict[str, Any]]:
    return [
        {
            "id": one.feature,
            "link": {"href": feature_path(audit_id, one.feature), "text": one.feature},
            "layer": _layer(one.feature),
            "n_prompts": one.n_prompts,
            "kept": one.keep_rate.value,
            "kept_interval": _interval(one.keep_rate),
            "placebo": one.keep_rate_placebo.value,
            "placebo_interval": _interval(one.keep_rate_placebo),
        }
        for one in features
    ]


def prompt_rows(
    lines: Sequence[PerturbedLine], perturbations: Sequence[Perturbation], audit_id: str
) -> list[dict[str, Any]]:
    control = {one.name for one in perturbations if one.kind == PLACEBO}
    return [
        {
            "id": f"{place}",
            "link": {"href": prompt_path(audit_id, line.prompt_id) + "#perturbed", "text": line.prompt_id},
            "perturbation": perturbation_name(line.perturbation)
            + (" (control)" if line.perturbation in control else ""),
            "split": line.split,
            "verdict": line.verdict or DASH,
            "score_change": line.score_change,
            "jaccard": line.jaccard,
            "n_lost": line.n_lost,
            "set_flips": DASH if line.set_flips is None else "yes" if line.set_flips else "no",
        }
        for place, line in enumerate(lines)
    ]


def _interval(rate: Figure) -> str:
    if rate.low is None:
        return DASH if rate.value is None else f"none, n {rate.n:,}"
    return f"{figure_interval(rate, share=True)}, n {rate.n:,}"


def _layer(feature: str) -> int | None:
    layer = feature.partition(":")[0]
    return int(layer) if layer.isdecimal() else None
