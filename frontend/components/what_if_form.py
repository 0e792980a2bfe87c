"""The fields of a what-if: which features, what they are set to, where. Knows no route."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc

from backend.api.schemas import InterventionSpec
from backend.audit.results import PromptResult
from frontend.components.icon import icon
from frontend.terms import term_help
from frontend.what_if_state import MODES, SCOPES

TICKED, TYPED, MODE, SCALE, SCOPE = "what-if-ticked", "what-if-typed", "what-if-mode", "what-if-scale", "what-if-scope"
RUN, MINIMAL, CLEAR, OFFERED = "what-if-run", "what-if-minimal", "what-if-clear", "what-if-offered"
MOST_CHIPS = 60


def what_if_form(story: PromptResult, intervention: InterventionSpec) -> Any:
    """The fields as `intervention` sets them; what this prompt does not offer to tick stands among the typed ones."""
    minimal = minimal_of(story)
    offered = offered_features(story)
    chosen = list(intervention.features)
    return dmc.Stack(
        [
            dcc.Store(id=OFFERED, data={"offered": offered, "minimal": minimal}),
            dmc.Group(
                [
                    dmc.Text("Features", fw=600, size="sm"),
                    dmc.Button(
                        "The minimal set", id=MINIMAL, size="compact-sm", variant="default", disabled=not minimal
                    ),
                    dmc.Button("None", id=CLEAR, size="compact-sm", variant="default"),
                ],
                gap="xs",
            ),
            _chips(offered, minimal, [name for name in chosen if name in offered]),
            dmc.TagsInput(
                id=TYPED,
                label="Any other, as layer:index",
                value=[name for name in chosen if name not in offered],
                placeholder="21:1130, then Enter",
                splitChars=[",", " "],
                acceptValueOnBlur=True,
                clearable=True,
                size="sm",
            ),
            dmc.Group(
                [
                    dmc.Select(
                        id=MODE,
                        label=term_help("ablation", "Set activations to"),
                        data=[{"value": value, "label": words} for value, words in MODES.items()],
                        value=intervention.mode,
                        allowDeselect=False,
                        size="sm",
                        w=230,
                    ),
                    dmc.NumberInput(
                        id=SCALE,
                        label="Factor",
                        value=intervention.scale,
                        min=-10,
                        max=10,
                        step=0.5,
                        size="sm",
                        w=110,
                        disabled=intervention.mode != "scale",
                    ),
                ],
                align="end",
            ),
            dmc.CheckboxGroup(
                dmc.Group(
                    [dmc.Checkbox(label=words, value=name, size="xs") for name, words in SCOPES.items()], gap="md"
                ),
                id=SCOPE,
                label=term_help("scope", "At which tokens"),
                value=list(intervention.scope),
                size="sm",
            ),
            dmc.Group([dmc.Button("Run", id=RUN, leftSection=icon("play")), _masked_note()]),
        ],
        gap="sm",
    )


def offered_features(story: PromptResult) -> list[str]:
    """What can be ticked: the minimal sets, single effects by how far each lowers the score, then what fires most."""
    peaks = {name: max(value for _, value in pairs) for name, pairs in story.activations.items() if pairs}
    ranked = [
        *(name for found in story.minimal_sets for name in found.features),
        *(line.feature for line in sorted(story.single_effects, key=lambda line: line.score)),
        *sorted(peaks, key=lambda name: -peaks[name]),
    ]
    return list(dict.fromkeys(ranked))[:MOST_CHIPS]


def minimal_of(story: PromptResult) -> list[str]:
    """The features of the first minimal set; none where there is no set."""
    return list(story.minimal_sets[0].features) if story.minimal_sets else []


def _chips(offered: Sequence[str], minimal: Sequence[str], ticked: Sequence[str]) -> Any:
    if not offered:
        note = dmc.Text("This report lists no feature of this prompt: type some below.", size="sm", c="dimmed")
        return dmc.Stack([note, dmc.ChipGroup([], id=TICKED, multiple=True, value=[])], gap=0)
    chips = [
        dmc.Chip(f"{name} ●" if name in minimal else name, value=name, size="xs", variant="outline") for name in offered
    ]
    return dmc.ChipGroup(dmc.Group(chips, gap=6), id=TICKED, multiple=True, value=list(ticked))


def _masked_note() -> Any:
    return dmc.Text(["Completions are ", term_help("masked"), "."], size="sm", c="dimmed")
