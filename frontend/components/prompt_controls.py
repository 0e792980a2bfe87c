"""Everything one prompt's minimal set is held against, and what single features do."""

from typing import Any

import dash_mantine_components as dmc

from backend.audit.results import Controls, PromptResult, RandomControl
from frontend.components.graph import graph
from frontend.components.section import columns, panel
from frontend.figures.controls import controls_strip, single_effects
from frontend.format import number
from frontend.terms import term_help

NO_RANDOM = "No random control: no set to match, or a quick audit, which draws random sets for test prompts alone."


def prompt_controls(story: PromptResult, controls: Controls) -> Any:
    minimal = story.minimal_sets[0] if story.minimal_sets else None
    words = [_random_words(controls.random)] if controls.random else [NO_RANDOM]
    return columns(
        panel(
            graph(
                "controls-strip",
                controls_strip(story.baseline.score, minimal, controls),
                "Scores under the minimal set, matched random sets, direction, FM-extended set and probe's set",
            ),
            dmc.Text(
                ["Filled marks flipped: a completion complied. ", *words, " ", term_help("matched random set"), "."],
                size="sm",
                c="dimmed",
            ),
            title="The minimal set beside its controls",
        ),
        panel(
            graph(
                "single-effects",
                single_effects(story.baseline.score, story.single_effects, minimal.features if minimal else ()),
                "Score with one active candidate alone ablated",
            )
            if story.single_effects
            else dmc.Text("No candidate was active here.", c="dimmed", size="sm"),
            dmc.Text(
                "From the baseline to the score with this one ablated; blue: in the minimal set.", size="sm", c="dimmed"
            ),
            title=["Single features: ", term_help("effect"), " of each alone"],
        ),
    )


def _random_words(random: RandomControl) -> str:
    return (
        f"{random.n_flipped} of {random.n_draws} random draws flipped ({random.n_generated} had a score low enough"
        f" for a completion); empirical p {number(random.p, 3)}."
    )
