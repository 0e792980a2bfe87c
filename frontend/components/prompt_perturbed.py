"""One prompt under every perturbation: verdict, score, which refusal features stay, whether the set still flips."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import Perturbation, PerturbedPrompt, PromptResult, Stability
from frontend.colours import BASELINE, RANDOM_CONTROL
from frontend.components.badges import verdict_badge
from frontend.components.completions import arm_panel
from frontend.components.section import columns, panel, table_head
from frontend.figures.stability import PLACEBO, perturbation_name
from frontend.format import DASH, number, plural
from frontend.terms import term_help
from frontend.url_state import feature_path

NAMED = 6  # lost features by name


def prompt_perturbed(story: PromptResult, stability: Stability | None, audit_id: str, *, sealed: str | None) -> Any:
    known = {one.name: one for one in stability.perturbations} if stability is not None else {}
    rows = [_row(one, story.baseline.score, known.get(one.perturbation), audit_id) for one in story.perturbed]
    head = table_head(
        term_help("perturbation"),
        "s",
        "change, nats",
        "verdict",
        term_help("jaccard", "Jaccard"),
        "features lost",
        "set still flips",
        numeric=(1, 2, 4),
    )
    table = dmc.TableScrollContainer(dmc.Table([head, dmc.TableTbody(rows)]), minWidth=860, type="native")
    return dmc.Stack([panel(table), _completions(story, known, sealed)], gap="md")


def _row(one: PerturbedPrompt, baseline: float, known: Perturbation | None, audit_id: str) -> Any:
    lost: list[Any] = [dmc.Anchor(name, href=feature_path(audit_id, name), size="sm") for name in one.lost[:NAMED]]
    if len(one.lost) > NAMED:
        lost.append(dmc.Text(f"and {len(one.lost) - NAMED} more", size="sm", c="dimmed"))
    kept = dmc.Text(f"{plural(len(one.kept), 'feature')} kept", size="sm", c="dimmed")
    flips = DASH if one.set_flips is None else "yes" if one.set_flips else "no"
    if one.set_score is not None:
        flips += f" (s {number(one.set_score)})"
    return dmc.TableTr(
        [
            dmc.TableTd(_name(one.perturbation, known)),
            dmc.TableTd(number(one.score), className="numeric"),
            dmc.TableTd(number(one.score - baseline), className="numeric"),
            dmc.TableTd(verdict_badge(one.response.verdict) if one.response is not None else DASH),
            dmc.TableTd(number(one.jaccard), className="numeric"),
            dmc.TableTd(dmc.Group([*lost, kept], gap="xs")),
            dmc.TableTd(flips),
        ]
    )


def _name(name: str, known: Perturbation | None) -> Any:
    parts: list[Any] = [html.Strong(perturbation_name(name)), " "]
    if known is None:
        return html.Div(parts)
    if known.kind == PLACEBO:
        parts.append(dmc.Badge("control", variant="outline", color="gray"))
    return html.Div([html.Div(parts), html.Div(known.description, className="arm-words")])


def _completions(story: PromptResult, known: dict[str, Perturbation], sealed: str | None) -> Any:
    shown = []
    for place, one in enumerate(story.perturbed):
        if one.response is None:
            continue
        kind = known[one.perturbation].kind if one.perturbation in known else ""
        colour = RANDOM_CONTROL if kind == PLACEBO else BASELINE
        title = perturbation_name(one.perturbation)
        shown.append(arm_panel(title, one.score, one.response, f"perturbed-{place}", colour, sealed=sealed))
    if not shown:
        return None
    return html.Details([html.Summary("Completions under perturbation"), columns(*shown)])
