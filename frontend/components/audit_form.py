"""The form of a new audit: its inputs with what they mean, and the spec that their values make. Asks nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import html

from backend.api.schemas import AuditSpec, PromptSet, Subject
from frontend.page import Query
from frontend.terms import TERMS, term_help
from frontend.url_state import choice, names, whole, write_query

SUBJECT, PROMPTS, EFFORT, LAYERS, ONSET = "new-subject", "new-prompts", "new-effort", "new-layers", "new-onset"
SINK, SEED, DEVICE, DTYPE, NAME = "new-sink", "new-seed", "new-device", "new-dtype", "new-name"
FIRST_SUBJECT, FIRST_PROMPTS = "smollm2-135m-sft", "bundled:demo"  # what a first audit is of
EFFORTS = {
    "quick": "A first look: fewer prompts searched, search orders, ablation masks and cascade rounds. Minutes for two "
    "dozen prompts.",
    "standard": "What a report should rest on.",
    "thorough": "Every refused prompt searched, and wider; narrower intervals. Several times the time of standard.",
}
ONSETS = {
    "calibrated": "Calibrated: found in the subject's own refusals",
    "surrogate": "Surrogate: the single token of “I”, as in the paper",
}
DEVICES = {"auto": "Automatic", "cpu": "CPU", "cuda": "GPU (cuda)"}
DTYPES = {"auto": "Automatic: float32 on the CPU", "float32": "float32", "bfloat16": "bfloat16"}


@dataclass(frozen=True)
class Choices:
    """The values of the form, as its inputs hold them."""

    subject: str | None
    prompts: str | None
    effort: str = "standard"
    layers: tuple[int, ...] = ()  # empty: every layer with an SAE
    onset: str = "calibrated"
    sink: bool = False
    seed: int = 0
    device: str = "auto"
    dtype: str = "auto"

    def spec(self) -> AuditSpec | None:
        """What to audit; None until there are a subject and prompts."""
        if not self.subject or not self.prompts:
            return None
        return AuditSpec.model_validate(
            {
                "subject": self.subject,
                "prompt_set": self.prompts,
                "effort": self.effort,
                "layers": sorted(self.layers) or None,
                "seed": self.seed,
                "onset": self.onset,
                "include_sink": self.sink,
                "device": self.device,
                "dtype": self.dtype,
            }
        )

    def query(self) -> str:
        """The same as the address's query; defaults are left out."""
        plain = Choices(None, None)
        given = {
            name: value
            for name in ("effort", "onset", "seed", "device", "dtype")
            if (value := getattr(self, name)) != getattr(plain, name)
        }
        return write_query(subject=self.subject, prompts=self.prompts, layers=self.layers, sink=self.sink, **given)


def choices_of_query(query: Query, subjects: Sequence[Subject], sets: Sequence[PromptSet]) -> Choices:
    """What a link asks for, as far as it exists here; else what a first audit is of."""
    known_subjects, known_sets = [one.id for one in subjects], [one.id for one in sets]
    return Choices(
        subject=_first(known_subjects, query.get("subject"), FIRST_SUBJECT),
        prompts=_first(known_sets, query.get("prompts"), FIRST_PROMPTS),
        effort=choice(query, "effort", EFFORTS, "standard"),
        layers=tuple(int(layer) for layer in names(query, "layers") if layer.isascii() and layer.isdecimal()),
        onset=choice(query, "onset", ONSETS, "calibrated"),
        sink=query.get("sink") == "1",
        seed=whole(query, "seed", 0) or 0,
        device=choice(query, "device", DEVICES, "auto"),
        dtype=choice(query, "dtype", DTYPES, "auto"),
    )


def subject_input(subjects: Sequence[Subject], chosen: str | None) -> Any:
    data = [{"value": one.id, "label": one.id + ("" if one.ready else " (not ready)")} for one in subjects]
    return dmc.Select(
        id=SUBJECT, label="Model with its SAEs", data=data, value=chosen, searchable=True, allowDeselect=False
    )


def prompts_input(sets: Sequence[PromptSet], chosen: str | None) -> Any:
    return dmc.Select(
        id=PROMPTS,
        label="Prompt set",
        placeholder="choose one",
        data=prompt_set_options(sets),
        value=chosen,
        searchable=True,
        allowDeselect=False,
    )


def prompt_set_options(sets: Sequence[PromptSet]) -> list[dict[str, str]]:
    """Options of the prompt-set input: name, size and where it came from."""
    return [{"value": one.id, "label": f"{one.name} · {one.n_own:,} prompts · {one.kind}"} for one in sets]


def layers_input(layers: Sequence[int] | None, chosen: Sequence[int]) -> Any:
    return dmc.MultiSelect(
        id=LAYERS,
        label="Layers",
        description="Leave empty for every layer with an SAE",
        data=[str(layer) for layer in layers or ()],
        value=[str(layer) for layer in chosen],
        clearable=True,
        disabled=not layers,
    )


def effort_input(chosen: str) -> Any:
    radios = [
        dmc.Radio(label=name.capitalize(), value=name, description=words, mb="xs") for name, words in EFFORTS.items()
    ]
    return dmc.RadioGroup(radios, id=EFFORT, value=chosen, label=term_help("effort", "Effort"))


def more_inputs(choices: Choices) -> Any:
    """Options most audits leave alone, folded."""
    return html.Details(
        [
            html.Summary("More options"),
            dmc.SimpleGrid(
                [
                    dmc.Select(
                        id=ONSET,
                        label="Refusal onset",
                        description=TERMS["onset tokens"],
                        data=options(ONSETS),
                        value=choices.onset,
                        allowDeselect=False,
                    ),
                    dmc.NumberInput(
                        id=SEED,
                        label="Seed",
                        description=TERMS["seed"],
                        value=choices.seed,
                        min=0,
                        max=2**31 - 1,
                        allowDecimal=False,
                        debounce=300,
                    ),
                    dmc.Select(
                        id=DEVICE,
                        label="Device",
                        description=TERMS["device"],
                        data=options(DEVICES),
                        value=choices.device,
                        allowDeselect=False,
                    ),
                    dmc.Select(
                        id=DTYPE,
                        label="Precision",
                        description=TERMS["dtype"],
                        data=options(DTYPES),
                        value=choices.dtype,
                        allowDeselect=False,
                    ),
                    dmc.Checkbox(
                        id=SINK,
                        label="Also try each set with the attention sink in scope",
                        description=TERMS["attention sink"],
                        checked=choices.sink,
                    ),
                    dmc.TextInput(
                        id=NAME,
                        label="Name",
                        description="Yours, to find it again",
                        placeholder="optional",
                        inputProps={"maxLength": 120},
                    ),
                ],
                cols={"base": 1, "sm": 2},
                mt="sm",
            ),
        ],
        open=choices.query() != Choices(choices.subject, choices.prompts, choices.effort, choices.layers).query(),
    )


def _first(known: Sequence[str], *wanted: str | None) -> str | None:
    """The first that is known."""
    return next((one for one in wanted if one in known), None)


def options(words: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in words.items()]
