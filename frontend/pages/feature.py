"""One feature of a finished audit: how it points, when it fires, what it does, and where that matters."""

import asyncio
from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, html, no_update

from backend.api.schemas import AuditDetail, FeatureDetail, FeaturePrompt, Page
from backend.audit.results import Feature
from frontend.components.audit_header import audit_header
from frontend.components.feature_contexts import feature_contexts
from frontend.components.feature_prompt_grid import DEFAULT_SORT, SORTS, feature_prompt_columns, feature_prompt_row
from frontend.components.figure_card import figure_card
from frontend.components.graph import graph
from frontend.components.paged_grid import Request, paged_grid, register_paged_grid, sort_of
from frontend.components.section import columns, panel, section
from frontend.components.url_store import register_url_store, url_store
from frontend.figures.feature_figures import activation_by_kind, active_by_category, coverage_by_kind, logit_lens
from frontend.format import number, percent, plural
from frontend.page import Query, Ui, View
from frontend.terms import term_help
from frontend.url_state import audit_path, choice, feature_of_path, write_query

GRID, URL = "feature-prompts-grid", "feature-prompts-url"
NOT_IN_REPORT = "Not in this report: it was made before these were recorded. Run the audit again to have them."


def register(ui: Ui) -> None:
    async def layout(query: Query, audit_id: str, feature: str) -> View:
        name = feature_of_path(feature)
        audit, detail = await asyncio.gather(ui.api.audit(audit_id), ui.api.feature(audit_id, name))
        return View(f"Feature {name} of {audit.audit.name}", feature_page(audit, detail, query))

    async def fetch(request: Request, chosen: Mapping[str, Any]) -> Page[FeaturePrompt]:
        paging = {"cursor": request.cursor, "limit": request.limit, "sort": request.sort}
        return await ui.api.feature_prompts(chosen["audit_id"], chosen["feature"], **paging)

    def row(line: FeaturePrompt, chosen: Mapping[str, Any]) -> dict[str, Any]:
        return feature_prompt_row(line, chosen["audit_id"], chosen["feature"], recorded=chosen["recorded"])

    @ui.callback(Output(URL, "data"), Input(GRID, "getRowsRequest"), prevent_initial_call=True)
    async def address(asked: dict[str, Any] | None) -> Any:
        if asked is None:
            return no_update
        sort = sort_of(asked)
        return write_query(sort=None if sort == DEFAULT_SORT else sort)

    ui.page("/audits/{audit_id}/features/{feature}", layout)
    register_paged_grid(ui, GRID, fetch, row, "prompt")
    register_url_store(ui, URL)


def feature_page(audit: AuditDetail, detail: FeatureDetail, query: Query) -> Any:
    """Everything the audit knows of one feature."""
    feature = detail.feature
    return dmc.Stack(
        [
            audit_header(audit.audit, "features"),
            url_store(URL),
            _head(audit.audit.id, detail),
            _figures(feature),
            columns(
                panel(
                    graph("feature-activation", activation_by_kind(feature), "Activation on both kinds of prompts"),
                    title=[term_help("activation", "Activation"), ": mean of the largest over a prompt's tokens"],
                ),
                panel(
                    graph("feature-coverage", coverage_by_kind(feature), "Coverage of both kinds of prompts"),
                    title=[term_help("coverage", "Coverage"), ": share of prompts where it is active"],
                ),
            ),
            columns(panel(*_lens(feature), title="Tokens it moves"), panel(*_categories(detail), title="Categories")),
            section(
                "contexts",
                "Where it fires most",
                _contexts(detail, audit.audit.id),
                about="Prompts with its strongest activation, token by token; the darker, the stronger.",
            ),
            _prompts(audit.audit.id, detail, query),
        ],
        gap="md",
    )


def _head(audit_id: str, detail: FeatureDetail) -> Any:
    links = [dmc.Anchor(f"Features of layer {detail.layer}", href=audit_path(audit_id, "features", layer=detail.layer))]
    if detail.neuronpedia_url:
        outside = {"target": "_blank", "rel": "noopener noreferrer"}
        links.append(html.A("Neuronpedia (leaves this site)", href=detail.neuronpedia_url, **outside))
    return dmc.Group(
        [
            dmc.Title(f"Feature {detail.feature.id}", order=2),
            dmc.Text(f"layer {detail.layer}, latent {detail.index} of its sparse autoencoder", c="dimmed", size="sm"),
            *links,
        ],
        gap="md",
    )


def _figures(feature: Feature) -> Any:
    rank = "beyond the ranks tried" if feature.rank is None else f"rank {feature.rank} of its layer"
    cards = [
        _plain_card("cosine", "Cosine with the direction", number(feature.cosine), rank),
        figure_card("Effect alone (nats)", feature.effect, term="effect"),
        _plain_card(
            "minimal set",
            "In minimal sets",
            plural(feature.in_minimal_sets, "prompt"),
            f"woke in the cascade of {plural(feature.woken, 'prompt')}",
        ),
        _plain_card("density", "Density", percent(feature.density, 1), "of benign tokens in scope"),
    ]
    return dmc.SimpleGrid(cards, cols={"base": 1, "xs": 2, "md": 4}, spacing="md")


def _plain_card(term: str, label: str, value: str, note: str) -> Any:
    """A count or a property: exact, so that it has no interval."""
    rows = [
        dmc.Text(term_help(term, label), size="sm", c="dimmed"),
        html.Div(value, className="figure-value"),
        dmc.Text(note, size="sm", c="dimmed"),
    ]
    return dmc.Paper(dmc.Stack(rows, gap=4), withBorder=True, p="md", radius="md", h="100%")


def _lens(feature: Feature) -> list[Any]:
    if not feature.promoted and not feature.suppressed:
        return [dmc.Text(NOT_IN_REPORT, size="sm", c="dimmed")]
    words = ["By ", term_help("logit lens"), ": what its decoder vector does to the next token, taken by itself."]
    figure = logit_lens(feature.promoted, feature.suppressed)
    return [dmc.Text(words, size="sm", c="dimmed"), graph("feature-lens", figure, "Tokens by logit lens")]


def _categories(detail: FeatureDetail) -> list[Any]:
    if not detail.categories:
        return [dmc.Text(NOT_IN_REPORT, size="sm", c="dimmed")]
    words = "Share of each category's harmful prompts on which it is active."
    figure = active_by_category(detail.categories)
    return [dmc.Text(words, size="sm", c="dimmed"), graph("feature-categories", figure, words)]


def _contexts(detail: FeatureDetail, audit_id: str) -> Any:
    if detail.contexts:
        return feature_contexts(detail.contexts, audit_id, detail.feature.id)
    silent = detail.categories and not any(detail.categories.values())
    return dmc.Text("Active on no prompt of this audit." if silent else NOT_IN_REPORT, size="sm", c="dimmed")


def _prompts(audit_id: str, detail: FeatureDetail, query: Query) -> Any:
    return section(
        "prompts",
        "Where it matters",
        paged_grid(
            GRID,
            feature_prompt_columns(choice(query, "sort", SORTS, DEFAULT_SORT)),
            label=f"Prompts where feature {detail.feature.id} matters",
            filters={"audit_id": audit_id, "feature": detail.feature.id, "recorded": bool(detail.categories)},
            height="480px",
            options={"tooltipShowDelay": 300},
        ),
        about="Prompts on which it is active, was ablated alone, is in a confirmed minimal set, or woke in a cascade.",
    )
