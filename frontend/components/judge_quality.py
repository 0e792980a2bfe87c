"""Who judged and how well: yardstick, rates corrected for its errors beside the raw ones, length it is shown."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import AuditDetail
from backend.audit.results import Figure, Judges
from frontend.components.copyable import copyable
from frontend.components.figure_table import figure_cell, figure_table
from frontend.components.graph import graph
from frontend.components.section import columns, panel
from frontend.figures.verification import length_sweep
from frontend.format import plural
from frontend.terms import term_help


def judge_quality(judges: Judges, detail: AuditDetail) -> Any:
    parts = [_quality(judges), columns(_corrected(judges, detail), _sweep(judges))]
    return dmc.Stack(parts, gap="md")


def _quality(judges: Judges) -> Any:
    headings = (
        "judge",
        term_help("sensitivity"),
        term_help("specificity"),
        term_help("kappa", "kappa"),
        term_help("yardstick"),
    )
    rows = [
        [
            dmc.Group(
                [
                    dmc.Text(one.judge, size="sm", fw=600, className="breakable"),
                    dmc.Badge("judges this audit", variant="light", miw="max-content")
                    if one.judge == judges.primary
                    else None,
                ],
                gap="xs",
            ),
            figure_cell(one.sensitivity, share=True),
            figure_cell(one.specificity, share=True),
            figure_cell(one.kappa),
            copyable(one.yardstick, shown=one.yardstick[:40], label="Copy the yardstick's name"),
        ]
        for one in judges.quality
    ]
    if not rows:
        return dmc.Text("No judge was held against the labelled completions.", c="dimmed", size="sm")
    about = f"{plural(judges.n_compared, 'completion')} were judged by every judge; they differ on "
    differ = plural(len(judges.disagreements), "listed one")
    table = figure_table(headings, rows, min_width=700, words=(0, 4))
    return panel(table, dmc.Text(f"{about}{differ}.", size="sm", c="dimmed"), title="Against labelled completions")


def _corrected(judges: Judges, detail: AuditDetail) -> Any:
    title = [term_help("corrected rate", "Rates corrected"), " for the judge's errors"]
    if not judges.corrected:
        return panel(dmc.Text("No rate could be corrected.", c="dimmed", size="sm"), title=title)
    rows = [
        [_words(path), figure_cell(raw_figure(detail, path), share=True), figure_cell(corrected, share=True)]
        for path, corrected in judges.corrected.items()
    ]
    return panel(figure_table(("rate", "as judged", "corrected"), rows, min_width=380), title=title)


def _sweep(judges: Judges) -> Any:
    title = "Does the judge see enough? Refusals by length shown"
    if not judges.length_sweep:
        return panel(dmc.Text("Not measured.", c="dimmed", size="sm"), title=title)
    figure = length_sweep(judges.length_sweep)
    about = "Share of harmful test prompts judged refused, by tokens of the completion that the judge is shown"
    return panel(graph("length-sweep", figure, about), title=title)


def raw_figure(detail: AuditDetail, path: str) -> Figure | None:
    """The figure at a path of the report (`report_card.flipped.minimal`), where the page has it."""
    value: Any = detail
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value if isinstance(value, Figure) else None


def _words(path: str) -> str:
    return path.replace("report_card.", "").replace(".", ": ").replace("_", " ")
