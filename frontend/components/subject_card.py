"""A subject as far as one must know it before an audit: is it here, and do its SAEs fit it. Values to components."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import CheckFigures, LayerCheck, Subject
from frontend.components.messages import warning_alert
from frontend.format import DASH, moment, number, percent
from frontend.terms import term_help


def subject_card(subject: Subject) -> Any:
    """Description, readiness and check figures; the button that runs the check stands below it."""
    parts: list[Any] = [dmc.Text(subject.description, size="sm")]
    if not subject.ready:
        parts.append(warning_alert(subject.problem or "Its files are not here.", title="Not ready"))
    if subject.layers:
        layers = ", ".join(map(str, subject.layers))
        parts.append(dmc.Text([term_help("layer", "Layers"), f" with an SAE: {layers}"], size="sm"))
    if subject.check is None:
        parts.append(
            dmc.Text("Not checked yet: the check measures how well the SAEs fit the model.", size="sm", c="dimmed")
        )
    else:
        parts.append(check_table(subject.check))
    return dmc.Stack(parts, gap="xs")


def check_table(check: CheckFigures) -> Any:
    """The figures of `models check`, a row a layer, and what they say."""
    head = dmc.TableThead(
        dmc.TableTr(
            [
                dmc.TableTh(term_help("layer")),
                dmc.TableTh(term_help("fvu", "Unexplained (FVU)"), className="numeric"),
                dmc.TableTh(term_help("l0", "L0"), className="numeric"),
                dmc.TableTh("Dead features", className="numeric"),
                dmc.TableTh("Mean norm", className="numeric"),
            ]
        )
    )
    table = dmc.Table([head, dmc.TableTbody([_row(layer) for layer in check.layers])], horizontalSpacing="sm")
    verdict = "The SAEs fit the model." if check.ok else "The SAEs do not fit: figures of an audit would mean little."
    when = dmc.Text(f"{verdict} Checked on {check.n_texts:,} texts, {moment(check.checked)}.", size="sm", c="dimmed")
    return dmc.Stack([dmc.TableScrollContainer(table, minWidth=420), when, findings_alert(check)], gap="xs")


def findings_alert(check: CheckFigures) -> Any:
    """Everything that the check found wrong, problems before warnings; nothing when all is well."""
    if not check.findings:
        return None
    ranked = sorted(check.findings, key=lambda finding: finding["level"] != "problem")
    lines = html.Ul([html.Li(f"{finding['level']}: {finding['text']}") for finding in ranked], className="problems")
    return dmc.Alert(lines, title=f"{len(ranked)} found", color="yellow", variant="light")


def _row(layer: LayerCheck) -> Any:
    expected = "" if layer.expected_norm is None else f" (expected {number(layer.expected_norm, 1)})"
    cells = [
        DASH if layer.fvu is None else number(layer.fvu, 3),
        number(layer.l0, 1),
        percent(layer.dead_share, 1),
        number(layer.mean_norm, 1) + expected,
    ]
    return dmc.TableTr([dmc.TableTd(str(layer.layer)), *(dmc.TableTd(cell, className="numeric") for cell in cells)])
