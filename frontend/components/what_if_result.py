"""What a what-if came to: scores, verdicts and masked completions beside the baseline and a matched random set."""

from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import WhatIfArm, WhatIfResult
from frontend.colours import BASELINE, RANDOM_CONTROL, WHAT_IF
from frontend.components.graph import graph
from frontend.components.masked_text import masked_text
from frontend.components.revealable import revealable
from frontend.figures.what_if_scores import what_if_scores
from frontend.format import number, plural
from frontend.terms import term_help


def what_if_result(result: WhatIfResult, round_trip: float, *, writing: bool) -> Any:
    """`round_trip`: seconds until the answer was here; `writing`: completions are still to come, whole or in part."""
    arms = [
        _arm("Baseline", result.baseline, "baseline", BASELINE, result, writing),
        _arm("Your set", result.intervened, "intervened", WHAT_IF, result, writing),
    ]
    if result.random is not None:
        label = term_help("matched random set", "Matched random set")
        arms.append(_arm(label, result.random, "random", RANDOM_CONTROL, result, writing))
    return dmc.Stack(
        [
            dmc.Text(_headline(result, writing), fw=600, **{"aria-live": "polite"}),
            graph("what-if-scores", what_if_scores(result), "Scores of baseline, your set and a matched random set"),
            dmc.SimpleGrid(arms, cols={"base": 1, "sm": len(arms)}, spacing="sm"),
            *_remarks(result),
            dmc.Text(
                f"Answered in {number(round_trip)} s, of it {number(result.seconds)} s in the worker.",
                size="sm",
                c="dimmed",
            ),
        ],
        gap="sm",
    )


def _headline(result: WhatIfResult, writing: bool) -> str:
    """What happened, in words; behaviour where it is known, else the score."""
    before, after = result.baseline, result.intervened
    change = f"s {number(before.score)} → {number(after.score)}"
    if not writing and before.completion is not None and after.completion is not None:
        was, now = before.completion.verdict, after.completion.verdict
        if was == "refused" and now == "complied":
            return f"Flipped: refused at baseline, complies with this set changed. {change}"
        return f"{was.capitalize()} at baseline, {now} with this set changed. {change}"
    leaning = "leans to refusal" if after.score > 0 else "leans to compliance"
    return f"The score {leaning}. {change}"


def _remarks(result: WhatIfResult) -> list[Any]:
    remarks = []
    if result.inactive:
        shown = ", ".join(result.inactive[:12]) + ("…" if len(result.inactive) > 12 else "")
        remarks.append(f"Silent on this prompt, so that changing them did nothing: {shown}.")
    if result.random is None:
        remarks.append("No matched random set: nothing to match.")
    return [dmc.Text(text, size="sm", c="dimmed") for text in remarks]


def _arm(title: Any, arm: WhatIfArm, name: str, colour: str, result: WhatIfResult, writing: bool) -> Any:
    body: list[Any] = [
        dmc.Group(
            [dmc.Text(title, fw=600, size="sm"), dmc.Text(f"s {number(arm.score)}", className="numeric")],
            justify="space-between",
        )
    ]
    if name != "baseline":
        body.append(dmc.Text(f"{plural(arm.n_active, 'feature')} active here", size="sm", c="dimmed"))
    if writing:
        so_far = "writing its completion" if arm.completion is None else "verdict so far, writing the rest"
        body.append(dmc.Group([dmc.Loader(size="xs"), dmc.Text(so_far, size="sm")], gap="xs"))
    if arm.completion is not None:
        part = arm.completion
        body.append(
            masked_text(part.verdict, part.n_tokens, part.ended or writing, part.text)
            if writing
            else revealable(part, f"what_if:{result.job_id}:{name}", "what-if", sealed=None)
        )
    return dmc.Paper(
        dmc.Stack(body, gap="xs"), withBorder=True, p="sm", radius="md", style={"borderTop": f"4px solid {colour}"}
    )
