"""Where every number comes from: hashes to compare, settings, notes, and the command that runs it again."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import AuditDetail
from frontend.components.copyable import copyable
from frontend.components.section import panel
from frontend.format import duration

SHOWN_HASH = 12  # characters; the copy button gives all


def manifest_panels(manifest: Mapping[str, Any], detail: AuditDetail) -> Any:
    rerun = str(manifest.get("command") or "")
    seconds = manifest.get("timings", {}).get("seconds", {})
    times = [(stage, duration(taken)) for stage, taken in seconds.items()]
    return dmc.Stack(
        [
            panel(copyable(rerun, shown=rerun, label="Copy the command"), title="Run it again") if rerun else None,
            _notes(manifest.get("notes", ())),
            html.Div(
                [
                    panel(
                        _table([("schema", detail.schema_version), *_pairs(manifest.get("subject", {}))]),
                        title="Subject",
                    ),
                    panel(_table(_sae_rows(manifest.get("saes", {}))), title="Sparse autoencoders"),
                    panel(
                        _table([*_pairs(manifest.get("prompts", {})), *_pairs(manifest.get("judge", {}), "judge ")]),
                        title="Prompts and judge",
                    ),
                    panel(
                        _table([("seed", manifest.get("seed")), *_pairs(manifest.get("settings", {}))]),
                        title="Settings",
                    ),
                    panel(_table(_pairs(manifest.get("code", {}))), title="Code"),
                    panel(
                        _table(
                            [
                                *_pairs(manifest.get("device", {})),
                                ("started", manifest.get("timings", {}).get("started")),
                                *times,
                            ]
                        ),
                        title="Device and time by stage",
                    ),
                ],
                className="manifest",
            ),
        ],
        gap="md",
    )


def _notes(notes: Any) -> Any:
    if not notes:
        return None
    return panel(dmc.List([dmc.ListItem(str(note)) for note in notes], size="sm"), title="What you should know")


def _pairs(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested values as flat rows: `amounts.k_sweep`."""
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows.extend(_pairs(value, f"{prefix}{name}: "))
        else:
            rows.append((f"{prefix}{name}", value))
    return rows


def _sae_rows(saes: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """A row a layer: width, architecture, hash."""
    rows: list[tuple[str, Any]] = []
    for layer in saes.get("layers", ()):
        key = str(layer)
        about = ", ".join(str(saes[part][key]) for part in ("architecture", "d_sae") if key in saes.get(part, {}))
        rows.append((f"layer {layer} ({about})" if about else f"layer {layer}", saes.get("sha256", {}).get(key)))
    return rows


def _table(rows: list[tuple[str, Any]]) -> Any:
    body = [
        dmc.TableTr([dmc.TableTd(name.replace("_", " ")), dmc.TableTd(_value(value), className="breakable")])
        for name, value in rows
        if value is not None
    ]
    return dmc.Table(dmc.TableTbody(body), className="facts")


def _value(value: Any) -> Any:
    if isinstance(value, str) and len(value) == 64 and all(c in "0123456789abcdef" for c in value):
        return copyable(value, shown=value[:SHOWN_HASH] + "…", label="Copy the whole hash")
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
