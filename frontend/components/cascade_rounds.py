"""One prompt's cascade round by round: what was ablated, what woke, what that did, beside its random control."""

from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import CascadeGraph
from backend.audit.results import Cascade, CascadeRound, LayerCascade, PromptResult, SelfRepair, Suppression
from frontend.components.cascade_evidence import GRAPH
from frontend.components.graph import graph
from frontend.components.section import columns, panel, table_head
from frontend.figures.cascade_graph import cascade_graph, cascade_scores
from frontend.figures.self_repair import self_repair
from frontend.format import number, percent, plural
from frontend.terms import term_help
from frontend.url_state import feature_path

OUTCOMES = {
    "flipped": "The score flipped",
    "exhausted": "Nothing more woke, and the score did not flip",
    "round limit": "The rounds ran out before the score flipped",
}


def cascade_rounds(story: PromptResult, cascade: Cascade, graph_of: CascadeGraph | None, audit_id: str) -> Any:
    """`graph_of`: the same rounds as a layered graph."""
    outcome = OUTCOMES.get(cascade.outcome, cascade.outcome)
    after = f" after {plural(len(cascade.rounds), 'round')}."
    return dmc.Stack(
        [
            dmc.Text([outcome, after]),
            columns(
                panel(
                    graph(GRAPH, cascade_graph(graph_of), "Ablated and woken features by round")
                    if graph_of is not None
                    else None,
                    title="Size: effect. Lines: ablating the one wakes the other. Click a feature to open it",
                ),
                panel(
                    graph(
                        "cascade-scores",
                        cascade_scores(story.baseline.score, cascade, story.layer_cascade),
                        "Score after each cascade round, of single features and of whole layers",
                    ),
                    _layers(story.layer_cascade),
                    title=term_help("refusal score", "Score after each round"),
                ),
            ),
            *[_round(step, number_, audit_id) for number_, step in enumerate(cascade.rounds, start=1)],
            columns(_repair(story.self_repair), _suppression(cascade.suppression, audit_id)),
        ],
        gap="md",
    )


def _layers(layers: LayerCascade | None) -> Any:
    if layers is None:
        return None
    after = "never flipped" if layers.depth is None else f"flipped after {plural(layers.depth, 'layer')}"
    order = ", ".join(str(layer) for layer in layers.layers)
    return dmc.Text(
        [term_help("whole layer", "Whole layers"), f" in the order {order}: {after}."], size="sm", c="dimmed"
    )


def _round(step: CascadeRound, number_: int, audit_id: str) -> Any:
    ablated = [dmc.Anchor(name, href=feature_path(audit_id, name), fw=600) for name in step.ablated]
    control = (
        ""
        if step.n_woken_random is None
        else f", beside {number(step.n_woken_random, 1)} under matched random ablation (mean)"
    )
    facts = (
        f"Score {number(step.score)}. {plural(step.n_woken, 'dormant feature')} woke{control};"
        f" {step.n_pushing} of those tried push towards refusal."
    )
    body: list[Any] = [dmc.Group([dmc.Text("Ablated:", size="sm"), *ablated], gap="xs"), dmc.Text(facts, size="sm")]
    if step.woken:
        body.append(_woken_table(step, audit_id))
    if step.edges:
        body.append(dmc.Group([dmc.Text("Edges:", size="sm"), *[_edge(edge) for edge in step.edges]], gap="xs"))
    return panel(*body, title=f"Round {number_}")


def _woken_table(step: CascadeRound, audit_id: str) -> Any:
    headings = (
        "woke",
        term_help("activation"),
        term_help("position class", "where"),
        term_help("direct effect"),
        term_help("total effect"),
        term_help("backup", "backup, confirmed"),
        term_help("woken beyond random", "woke at random (draws)"),
    )
    rows = [
        dmc.TableTr(
            [
                dmc.TableTd(dmc.Anchor(one.feature, href=feature_path(audit_id, one.feature), size="sm")),
                dmc.TableTd(number(one.activation), className="numeric"),
                dmc.TableTd(one.position_class.replace("_", "-")),
                dmc.TableTd(f"{number(one.direct_effect, 3)} nats", className="numeric"),
                dmc.TableTd(
                    "not tried" if one.total_effect is None else f"{number(one.total_effect, 3)} nats",
                    className="numeric",
                ),
                dmc.TableTd("not tried" if one.confirmed is None else "yes" if one.confirmed else "no"),
                dmc.TableTd(
                    f"{step.woken_random.get(one.feature, 0)} of {step.random_draws}" if step.random_draws else "–"
                ),
            ]
        )
        for one in step.woken
    ]
    head = table_head(*headings, numeric=(1, 3, 4))
    return dmc.TableScrollContainer(dmc.Table([head, dmc.TableTbody(rows)]), minWidth=620, type="native")


def _edge(edge: Any) -> Any:
    return dmc.Code(f"{edge.source} → {edge.target} {edge.change:+.1f}")


def _repair(repair: SelfRepair | None) -> Any:
    title = term_help("self-repair", "Self-repair of the first minimal set")
    if repair is None:
        return panel(dmc.Text("Not measured: there is no minimal set.", c="dimmed", size="sm"), title=title)
    compensation = (
        "not given, the direct effect is too small to divide by"
        if repair.compensation is None
        else number(repair.compensation)
    )
    norm = "" if repair.norm_share is None else f", of it {number(repair.norm_share)} by the final norm"
    woken = "" if repair.woken_share is None else f", {number(repair.woken_share)} by newly active features"
    return panel(
        graph("self-repair", self_repair(repair), "Direct and total effect of the set, final norm live and frozen"),
        dmc.Text([term_help("compensation", "Compensation"), f": {compensation}{norm}{woken}."], size="sm", c="dimmed"),
        title=title,
    )


def _suppression(rows: tuple[Suppression, ...], audit_id: str) -> Any:
    title = term_help("suppression", "Suppression of later refusal features")
    if not rows:
        return panel(dmc.Text("No active refusal feature has others after it.", c="dimmed", size="sm"), title=title)
    body = [
        dmc.TableTr(
            [
                dmc.TableTd(dmc.Anchor(row.source, href=feature_path(audit_id, row.source), size="sm")),
                dmc.TableTd(f"{row.n_downstream}", className="numeric"),
                dmc.TableTd(percent(row.share_deactivated), className="numeric"),
                dmc.TableTd(percent(row.mean_drop), className="numeric"),
            ]
        )
        for row in rows
    ]
    head = table_head("ablated", "active later", "silenced", "mean drop", numeric=(1, 2, 3))
    return panel(dmc.Table([head, dmc.TableTbody(body)]), title=title)
