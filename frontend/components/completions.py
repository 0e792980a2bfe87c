"""What the model said, at baseline and under each intervention, side by side; masked unless a refusal."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.audit.results import Arm, PromptResult, Response
from frontend.colours import BASELINE, DIRECTION, FACTORISATION_MACHINE, LINEAR_PROBE, MINIMAL_SET
from frontend.components.revealable import revealable
from frontend.components.section import columns
from frontend.components.unaudited import why_unaudited
from frontend.format import number
from frontend.terms import term_help


def completions(story: PromptResult, *, sealed: str | None) -> Any:
    """Baseline beside the first minimal set; the other arms behind a fold."""
    baseline = arm_panel(
        term_help("baseline", "Baseline"),
        story.baseline.score,
        story.baseline.response,
        "baseline",
        BASELINE,
        sealed=sealed,
    )
    if story.controls is None:
        return dmc.Stack([baseline, dmc.Text(why_unaudited(story), size="sm", c="dimmed")], gap="sm")
    first = story.minimal_sets[0] if story.minimal_sets else None
    beside = (
        arm_panel(
            term_help("minimal set", "Minimal set ablated"),
            first.score,
            first.response,
            "minimal",
            MINIMAL_SET,
            sealed=sealed,
        )
        if first
        else dmc.Text("No minimal set: nothing flipped the score.", c="dimmed")
    )
    others = [
        arm_panel(name, arm.score, arm.response, place, colour, sealed=sealed)
        for name, arm, place, colour in _arms(story)
        if arm.response is not None
    ]
    parts: list[Any] = [columns(baseline, beside)]
    if others:
        parts.append(
            html.Details(
                [html.Summary("Under the direction, the FM-extended set and the probe's set"), columns(*others)]
            )
        )
    return dmc.Stack(parts, gap="md")


def arm_panel(title: Any, score: float, response: Response, place: str, colour: str, *, sealed: str | None) -> Any:
    """One completion under its arm's colour, with the score."""
    return dmc.Paper(
        dmc.Stack(
            [
                dmc.Group(
                    [dmc.Text(title, fw=600), dmc.Text(f"s {number(score)}", className="numeric", size="sm")],
                    justify="space-between",
                ),
                revealable(response, response.tokens, place, sealed=sealed),
            ],
            gap="xs",
        ),
        withBorder=True,
        p="md",
        radius="md",
        style={"borderTop": f"4px solid {colour}"},
    )


def _arms(story: PromptResult) -> list[tuple[Any, Arm, str, str]]:
    controls = story.controls
    if controls is None:
        return []
    arms = [
        (term_help("direction", "Direction ablated"), controls.direction, "direction", DIRECTION),
        (term_help("factorisation machine", "FM-extended set"), controls.fm_extended, "fm", FACTORISATION_MACHINE),
        (term_help("linear probe", "Linear probe's set"), controls.linear_probe, "probe", LINEAR_PROBE),
        ("Minimal set, sink in scope", controls.with_sink, "sink", MINIMAL_SET),
    ]
    return [(name, arm, place, colour) for name, arm, place, colour in arms if arm is not None]
