"""A new audit: which model, which prompts, how hard; what it will take; and the start."""

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, html, no_update

from backend.api.schemas import AuditRequest
from frontend.api_client import ApiProblem
from frontend.components import audit_form as form
from frontend.components.audit_form import Choices
from frontend.components.estimate_card import estimate_card
from frontend.components.icon import icon
from frontend.components.messages import error_alert
from frontend.components.prompt_picker import MOST_SETS, prompt_picker, register_prompt_picker
from frontend.components.subject_picker import register_subject_picker, subject_picker
from frontend.components.url_store import register_url_store, url_store
from frontend.page import Query, Ui, View
from frontend.shell import LOCATION, tell
from frontend.url_state import audit_path

_URL, _ESTIMATE, _START, _RERUN, _ERROR = "new-url", "new-estimate", "new-start", "new-rerun", "new-error"
_FORM = {
    "subject": form.SUBJECT,
    "prompts": form.PROMPTS,
    "effort": form.EFFORT,
    "layers": form.LAYERS,
    "onset": form.ONSET,
    "seed": form.SEED,
    "device": form.DEVICE,
    "dtype": form.DTYPE,
}


def register(ui: Ui) -> None:
    async def layout(query: Query) -> View:
        subjects = (await ui.api.subjects(limit=200)).items
        sets = (await ui.api.prompt_sets(limit=MOST_SETS)).items
        choices = form.choices_of_query(query, subjects, sets)
        layers = next((one.layers for one in subjects if one.id == choices.subject), None)
        hard = [form.effort_input(choices.effort), form.layers_input(layers, choices.layers), form.more_inputs(choices)]
        parts = [
            _part("Model", subject_picker(subjects, choices.subject)),
            _part("Prompts", prompt_picker(sets, choices.prompts)),
            _part("How hard", hard),
        ]
        return View("New audit", _page(parts))

    ui.page("/audits/new", layout)
    register_url_store(ui, _URL)
    register_subject_picker(ui)
    register_prompt_picker(ui)
    _register_layers(ui)
    _register_start(ui)


def _page(parts: list[Any]) -> Any:
    start = dmc.Paper(
        dmc.Stack(
            [
                dmc.Title("What it will take", order=2, size="h4"),
                html.Div(id=_ESTIMATE, **{"aria-live": "polite"}),
                dmc.Checkbox(id=_RERUN, label="Run it again all the same", display="none"),
                dmc.Button("Start audit", id=_START, leftSection=icon("play"), disabled=True, fullWidth=True),
                html.Div(id=_ERROR),
            ]
        ),
        withBorder=True,
        p="md",
        radius="md",
        className="beside",
    )
    both = html.Div([dmc.Stack(parts, gap="md"), start], className="form-and-summary")
    return dmc.Stack([url_store(_URL), dmc.Title("New audit", order=1), both])


def _part(title: str, content: list[Any]) -> Any:
    head = dmc.Title(title, order=2, size="h4")
    return dmc.Paper(dmc.Stack([head, *content], gap="sm"), withBorder=True, p="md", radius="md")


def _register_layers(ui: Ui) -> None:
    @ui.callback(
        Output(form.LAYERS, "data"),
        Output(form.LAYERS, "disabled"),
        Output(form.LAYERS, "value"),
        Input(form.SUBJECT, "value"),
        State(form.LAYERS, "value"),
    )
    async def layers_of(subject_id: str | None, chosen: list[str] | None) -> Any:
        """Another model has other layers; those it shares stay chosen."""
        subject = await ui.api.subject(subject_id) if subject_id else None
        layers = [str(layer) for layer in (subject.layers if subject else None) or ()]
        return layers, not layers, [layer for layer in chosen or () if layer in layers]


def _register_start(ui: Ui) -> None:
    inputs = {name: Input(component, "value") for name, component in _FORM.items()}

    @ui.callback(
        Output(_ESTIMATE, "children"),
        Output(_START, "disabled"),
        Output(_RERUN, "display"),
        Output(_URL, "data"),
        inputs={**inputs, "sink": Input(form.SINK, "checked")},
    )
    async def estimate(**values: Any) -> Any:
        choices = _choices(values)
        spec = choices.spec()
        if spec is None:
            words = "Choose a model and prompts to see how long it takes."
            return dmc.Text(words, size="sm", c="dimmed"), True, "none", choices.query()
        try:
            expected = await ui.api.estimate(spec)
        except ApiProblem as problem:
            return error_alert(problem), True, "none", choices.query()
        rerun = "none" if expected.answered_by is None else "block"
        return estimate_card(expected, await ui.api.ready()), False, rerun, choices.query()

    states = {name: State(component, "value") for name, component in _FORM.items()}

    @ui.callback(
        Output(LOCATION, "href", allow_duplicate=True),
        Output(_ERROR, "children"),
        inputs={
            "clicks": Input(_START, "n_clicks"),
            **states,
            "sink": State(form.SINK, "checked"),
            "name": State(form.NAME, "value"),
            "rerun": State(_RERUN, "checked"),
        },
        running=[(Output(_START, "loading"), True, False)],
        prevent_initial_call=True,
    )
    async def start(clicks: int | None, name: str | None, rerun: bool | None, **values: Any) -> Any:
        spec = _choices(values).spec()
        if not clicks or spec is None:
            return no_update, no_update
        try:
            request = AuditRequest(spec=spec, name=(name or "").strip() or None, rerun=bool(rerun))
            submitted = await ui.api.submit(request)
        except ApiProblem as problem:
            return no_update, error_alert(problem)
        if submitted.reused:
            tell(submitted.detail, title="The answer is known")
        return audit_path(submitted.audit.id), None


def _choices(values: dict[str, Any]) -> Choices:
    """The form's values as inputs give them: layers are texts, an emptied number is an empty text."""
    return Choices(
        subject=values["subject"],
        prompts=values["prompts"],
        effort=values["effort"],
        layers=tuple(int(layer) for layer in values["layers"] or ()),
        onset=values["onset"],
        sink=bool(values["sink"]),
        seed=values["seed"] if isinstance(values["seed"], int) else 0,
        device=values["device"],
        dtype=values["dtype"],
    )
