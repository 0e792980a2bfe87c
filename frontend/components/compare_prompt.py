"""One prompt in two audits, side by side: verdicts, scores, minimal set, depth, arms, masked completions."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import AuditDetail, PromptDetail
from backend.audit.results import PromptResult, Response
from frontend.colours import BASELINE, DIRECTION, MINIMAL_SET
from frontend.components.badges import outcome_badge, verdict_badge
from frontend.components.minimal_sets import set_line
from frontend.components.revealable import NOT_KEPT, revealable
from frontend.components.section import columns, panel
from frontend.components.unaudited import why_unaudited
from frontend.format import count, number, percent, shortened
from frontend.terms import term_help
from frontend.url_state import prompt_path

SIDES = ("reference", "other")


def prompt_beside(details: tuple[AuditDetail, AuditDetail], prompts: tuple[PromptDetail, PromptDetail]) -> Any:
    """Left the reference, right the other; below one another on a phone."""
    text = shortened(prompts[0].story.text, 400)
    sides = [_side(side, detail, found) for side, detail, found in zip(SIDES, details, prompts, strict=True)]
    return dmc.Stack([dmc.Text(html.Span(text, dir="auto"), fw=600, className="breakable"), columns(*sides)], gap="sm")


def _side(side: str, detail: AuditDetail, found: PromptDetail) -> Any:
    line, story = found.line, found.story
    sealed = None if detail.has_completions else NOT_KEPT
    controls = story.controls
    rows: list[tuple[Any, Any]] = [
        (term_help("verdict", "Verdict at baseline"), verdict_badge(line.verdict)),
        (term_help("refusal score"), number(line.score)),
        (term_help("split"), line.split),
    ]
    if controls is not None:
        rows += [
            ("Outcome", outcome_badge(line.outcome)),
            ("Smallest K that flips the score", count(line.k)),
            (term_help("depth", "Cascade rounds until flip"), count(line.depth)),
            (term_help("flipped by random sets", "Random sets that flip"), percent(line.random_flips)),
            (term_help("direction", "Direction ablated"), _arm(controls.direction.score, controls.direction.flipped)),
        ]
        if controls.fm_extended is not None:
            fm = controls.fm_extended
            rows.append((term_help("factorisation machine", "FM-extended set"), _arm(fm.score, fm.flipped)))
    first = story.minimal_sets[0] if story.minimal_sets else None
    texts = [("Baseline", story.baseline.response, "baseline", BASELINE)]
    if first is not None:
        texts.append(("Minimal set ablated", first.response, "minimal", MINIMAL_SET))
    if controls is not None and controls.direction.response is not None:
        texts.append(("Direction ablated", controls.direction.response, "direction", DIRECTION))
    return panel(
        dmc.Table(
            dmc.TableTbody([dmc.TableTr([dmc.TableTd(name), dmc.TableTd(value)]) for name, value in rows]),
            className="facts",
        ),
        set_line(first, detail.audit.id) if first is not None else _no_set(story),
        *(_completion(name, text, f"{side}-{arm}", colour, detail, sealed) for name, text, arm, colour in texts),
        dmc.Anchor("The whole story of this prompt", href=prompt_path(detail.audit.id, line.id), size="sm"),
        title=[f"{side.capitalize()}: ", html.Span(detail.audit.name, className="breakable")],
    )


def _no_set(story: PromptResult) -> Any:
    return dmc.Text(why_unaudited(story) or "No minimal set: nothing flipped the score.", size="sm", c="dimmed")


def _arm(score: float, flipped: bool) -> str:
    return f"s {number(score)}, {'flipped' if flipped else 'not flipped'}"


def _completion(name: str, text: Response, place: str, colour: str, detail: AuditDetail, sealed: str | None) -> Any:
    return html.Div(
        [
            dmc.Text(name, fw=600, size="sm"),
            revealable(text, text.tokens, place, sealed=sealed, audit_id=detail.audit.id),
        ],
        className="compared-completion",
        style={"borderLeftColor": colour},
    )
