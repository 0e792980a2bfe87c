"""A prompt's minimal sets: features, certificate, what it takes to flip; others of equal power beside the first."""

from typing import Any

import dash_mantine_components as dmc

from backend.audit.results import MinimalSet, PromptResult
from frontend.components.badges import verdict_badge
from frontend.components.graph import graph
from frontend.components.section import columns, panel
from frontend.figures.ablation_curve import ablation_curve, certificate, sweep
from frontend.format import number, plural
from frontend.terms import term_help
from frontend.url_state import feature_path

CURVE_NOT_IN_REPORT = "The curve is not in this report: it was made before it was recorded. Run it again."


def minimal_sets(story: PromptResult, audit_id: str) -> Any:
    parts: list[Any] = []
    if not story.minimal_sets:
        parts.append(dmc.Text("No candidate set took the score below 0: a result, counted in every rate."))
    else:
        first = story.minimal_sets[0]
        parts += [set_line(first, audit_id), columns(_certificate(first), _curve(story, first))]
    parts.append(
        columns(
            panel(
                graph(
                    "k-sweep",
                    sweep(story.baseline.score, story.sweep, story.k),
                    "Score with the K best candidates of every layer ablated together",
                ),
                dmc.Text(_sweep_words(story), size="sm", c="dimmed"),
                title=["Sweep: the best ", term_help("candidate", "candidates"), " of every layer together"],
            ),
            _others(story, audit_id),
        )
    )
    return dmc.Stack(parts, gap="md")


def set_line(found: MinimalSet, audit_id: str) -> Any:
    """One set on a line: its features as links, score, verdict, how often the search ended in it."""
    features = [dmc.Anchor(name, href=feature_path(audit_id, name), fw=600) for name in found.features]
    words = f"s {number(found.score)}, {plural(found.orders, 'removal order')}"
    if found.margin > 0:
        words += f", margin {found.margin:g} nats"
    return dmc.Group(
        [
            *features,
            verdict_badge(found.response.verdict),
            dmc.Text(
                [term_help("confirmed" if found.confirmed else "unconfirmed"), f", {words}"], size="sm", c="dimmed"
            ),
        ],
        gap="sm",
    )


def _certificate(found: MinimalSet) -> Any:
    bar = f"−{found.margin:g}" if found.margin else "0"
    return panel(
        graph("certificate", certificate(found), "Score with all ablated, and with each feature alone restored"),
        dmc.Text(
            f"Filled: all ablated. Open: this feature restored. At or above {bar}, the set does not flip without it.",
            size="sm",
            c="dimmed",
        ),
        title=term_help("certificate", "Certificate: each feature restored alone"),
    )


def _curve(story: PromptResult, found: MinimalSet) -> Any:
    title = "Curve: its features ablated one after another"
    if not story.ablation_curve:
        return panel(dmc.Text(CURVE_NOT_IN_REPORT, c="dimmed", size="sm"), title=title)
    figure = ablation_curve(story.baseline.score, story.ablation_curve, found.margin)
    return panel(
        graph("ablation-curve", figure, "Score as the features of the set are ablated one after another"),
        dmc.Text("Largest effect alone first.", size="sm", c="dimmed"),
        title=title,
    )


def _others(story: PromptResult, audit_id: str) -> Any:
    others = story.minimal_sets[1:]
    body: list[Any] = [set_line(found, audit_id) for found in others]
    if not body:
        body = [dmc.Text("None: every removal order that ended in a set ended in this one.", c="dimmed", size="sm")]
    body.append(dmc.Text(f"The search took {plural(story.n_evaluations, 'score')}.", c="dimmed", size="sm"))
    return panel(*body, title="Other sets of equal power (redundancy)")


def _sweep_words(story: PromptResult) -> str:
    if story.k is None:
        lowest = min((step.score for step in story.sweep), default=None)
        return f"Did not flip within the sweep; the lowest score reached is {number(lowest)}."
    return f"K {story.k} is the first that takes the score below 0."
