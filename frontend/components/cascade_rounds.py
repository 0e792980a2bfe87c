"""One prompt's cascade round by round: what was ablated, what woke, what that did, beside its random control."""

from typing import Any

import dash_mantine_components as dmc

from backend.audit.results import Cascade, CascadeRound, PromptResult, SelfRepair, Suppression, Woken
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


def cascade_rounds(story: PromptResult, cascade: Cascade, audit_id: str) -> Any:
    outcome = OUTCOMES.get(cascade.outcome, cascade.outcome)
    after = f" after {plural(len(cascade.rounds), 'round')}."
    return dmc.Stack(
        [
            dmc.Text([outcome, after]),
            columns(
                panel(
                    graph("cascade-graph", cascade_graph(cascade), "Ablated and woken features by round and layer"),
                    title="Filled: ablated. Open: woke. Lines: ablating the one changes the other",
                ),
                panel(
                    graph(
                        "cascade-scores",
                        cascade_scores(story.baseline.score, cascade),
                        "Score after each cascade round",
                    ),
                    title=term_help("refusal score", "Score after each round"),
                ),
            ),
            *[_round(step, number_, audit_id) for number_, step in enumerate(cascade.rounds, start=1)],
            columns(_repair(story.self_repair), _suppression(cascade.suppression, audit_id)),
        ],
        gap="md",
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
        body.append(_woken_table(step.woken, audit_id))
    if step.edges:
        body.append(dmc.Group([dmc.Text("Edges:", size="sm"), *[_edge(edge) for edge in step.edges]], gap="xs"))
    return panel(*body, title=f"Round {number_}")


def _woken_table(woken: tuple[Woken, ...], audit_id: str) -> Any:
    headings = (
        "woke",
        term_help("activation"),
        term_help("position class", "where"),
        term_help("direct effect"),
        term_help("total effect"),
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
            ]
        )
        for one in woken
    ]
    head = table_head(*headings, numeric=(1, 3, 4))
    return dmc.TableScrollContainer(dmc.Table([head, dmc.TableTbody(rows)]), minWidth=460, type="native")


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
    return panel(
        graph("self-repair", self_repair(repair), "Direct and total effect of the set, final norm live and frozen"),
        dmc.Text([term_help("compensation", "Compensation"), f": {compensation}{norm}."], size="sm", c="dimmed"),
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
