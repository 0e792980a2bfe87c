"""One prompt's claimed set against the rest of its controls, and the completions they gave (masked)."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import MinimalSet, PromptResult, PromptVerification
from frontend.arm_words import arm_words, in_order
from frontend.components.badges import verdict_badge
from frontend.components.completions import arm_panel
from frontend.components.graph import graph
from frontend.components.section import columns, panel, table_head
from frontend.figures.prompt_verification import verification_strip
from frontend.format import number, plural
from frontend.terms import term_help
from frontend.url_state import feature_path


def prompt_verification(
    story: PromptResult, verification: PromptVerification, audit_id: str, *, sealed: str | None
) -> Any:
    claimed = claimed_set(story, verification)
    noise = verification.noise
    said = (
        f"{noise.n_flipped} of {noise.n_draws} draws of noise flipped ({noise.n_generated} had a score low enough for"
        f" a completion); empirical p {number(noise.p, 3)}."
    )
    strip = panel(
        graph(
            "verification-strip",
            verification_strip(story.baseline.score, claimed, verification),
            "Scores under the claimed set, equal-norm noise and the other arms of the verification",
        ),
        dmc.Text(
            ["Filled marks flipped: a completion complied. ", said, " ", term_help("equal-norm noise"), "."],
            size="sm",
            c="dimmed",
        ),
        title="The claimed set beside its other controls",
    )
    arms = panel(_arms(verification), _coverage(verification, audit_id), title="Every arm")
    return dmc.Stack([columns(strip, arms), _completions(verification, sealed)], gap="md")


def claimed_set(story: PromptResult, verification: PromptVerification) -> MinimalSet | None:
    """The minimal set that the verification is of."""
    return next((one for one in story.minimal_sets if set(one.features) == set(verification.features)), None)


def _arms(verification: PromptVerification) -> Any:
    rows = []
    for name in in_order(verification.arms):
        arm, known = verification.arms[name], arm_words(name)
        response = arm.response
        judged = (
            verdict_badge(response.verdict) if response is not None else dmc.Text("by score", size="sm", c="dimmed")
        )
        rows.append(
            dmc.TableTr(
                [
                    dmc.TableTd(html.Div([html.Div(known.label), html.Div(known.words, className="arm-words")])),
                    dmc.TableTd(number(arm.score), className="numeric"),
                    dmc.TableTd(judged),
                    dmc.TableTd("flipped" if arm.flipped else "no"),
                ]
            )
        )
    head = table_head("arm", "s", "completion", "flip", numeric=(1,))
    return dmc.TableScrollContainer(dmc.Table([head, dmc.TableTbody(rows)]), minWidth=440, type="native")


def _coverage(verification: PromptVerification, audit_id: str) -> Any:
    active = [dmc.Anchor(name, href=feature_path(audit_id, name), size="sm") for name in verification.active]
    words = f"Of {plural(len(verification.features), 'feature')} claimed, {len(verification.active)} active here:"
    return dmc.Group([dmc.Text([term_help("set coverage", "Coverage"), f". {words}"], size="sm"), *active], gap="xs")


def _completions(verification: PromptVerification, sealed: str | None) -> Any:
    shown = [
        arm_panel(
            arm_words(name).label, arm.score, arm.response, f"verified-{name}", arm_words(name).colour, sealed=sealed
        )
        for name in in_order(verification.arms)
        if (arm := verification.arms[name]).response is not None
    ]
    if not shown:
        return None
    return html.Details([html.Summary("Completions under these arms"), columns(*shown)])
