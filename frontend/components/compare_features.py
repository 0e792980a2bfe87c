"""The features behind refusal in two audits, edges and pairs that both have. Values in, components out."""

from typing import Any

import dash_mantine_components as dmc

from backend.api.schemas import ComparedAudit
from frontend.components.compare_tables import difference_words
from frontend.components.figure_table import figure_cell, figure_table
from frontend.components.section import columns, panel
from frontend.format import DASH, count, figure_text, number, percent, plural
from frontend.terms import term_help
from frontend.url_state import feature_path

NOT_LISTED = "not listed"
MOST_NAMED = 30  # features named on a line


def compared_features(found: ComparedAudit, reference: str) -> Any:
    """`reference` is its id, to link to its features."""
    features, other = found.features, found.audit.id
    parts: list[Any] = []
    if features.note:
        parts.append(dmc.Alert(features.note[:1].upper() + features.note[1:] + ".", color="gray", variant="light"))
    if features.jaccard is not None:
        parts.append(columns(_pools(found, reference, other), _connections(found)))
    elif features.dictionary != "different":
        parts.append(dmc.Text("No test prompt flips by minimal sets in both: no sets to compare.", c="dimmed"))
    if features.pairs:
        rows = [_row(pair, reference, other) for pair in features.pairs]
        head = [
            "Feature",
            "Sets, reference",
            "Sets, other",
            term_help("effect", "Effect, reference"),
            "Effect, other",
            term_help("cosine", "Cosine"),
            term_help("coverage", "Coverage"),
        ]
        shown = len(features.pairs)
        title = f"Features in minimal sets: {plural(found.n_features, 'feature')}" + (
            f", the {shown} in most sets" if shown < found.n_features else ""
        )
        parts.append(panel(figure_table(head, rows, min_width=900), title=title))
    return dmc.Stack(parts, gap="md")


def _pools(found: ComparedAudit, reference: str, other: str) -> Any:
    features = found.features
    shared = len(features.pooled_a) - len(features.only_a)
    return panel(
        dmc.Text(
            [
                f"Over {plural(features.n_prompts, 'test prompt')} that flip in both, minimal sets hold"
                f" {plural(len(features.pooled_a), 'feature')} in the reference and {len(features.pooled_b)} in the"
                f" other, {shared} of them the same: ",
                term_help("jaccard of pools", "Jaccard"),
                f" {number(features.jaccard)}. Prompt by prompt: {figure_text(features.jaccard_by_prompt)}.",
            ],
            size="sm",
        ),
        _named("Only in the reference", features.only_a, reference),
        _named("Only in the other", features.only_b, other),
        title="Minimal sets of the same prompts",
    )


def _named(label: str, features: tuple[str, ...], audit_id: str) -> Any:
    if not features:
        return dmc.Text(f"{label}: none.", size="sm", c="dimmed")
    names = [
        dmc.Anchor(name, href=feature_path(audit_id, name.removesuffix(" (B)")), size="sm")
        for name in features[:MOST_NAMED]
    ]
    more = len(features) - len(names)
    rest = dmc.Text(f"and {more} more", size="sm", c="dimmed") if more else None
    return dmc.Group([dmc.Text(f"{label}:", size="sm"), *names, rest], gap="xs")


def _connections(found: ComparedAudit) -> Any:
    links = found.connections
    rows = [
        [
            f"{one.features[0]} with {one.features[1]}",
            f"{one.kind_a} {difference_words(one.a, share=False)}",
            f"{one.kind_b} {difference_words(one.b, share=False)}",
        ]
        for one in links.pairs
    ]
    words = (
        f"Cascade edges: {count(links.n_edges_a)} in the reference, {count(links.n_edges_b)} in the other,"
        f" {count(len(links.edges))} in both. Measured pairs: {links.n_pairs_a} and {links.n_pairs_b},"
        f" {len(links.pairs)} in both."
    )
    table = figure_table(["Pair", "Reference", "Other"], rows, min_width=420, words=(0, 1, 2)) if rows else None
    return panel(dmc.Text(words, size="sm"), table, title="Edges and interactions")


def _row(pair: Any, reference: str, other: str) -> list[Any]:
    return [
        _name(pair, reference, other),
        _sets(pair.a),
        _sets(pair.b),
        figure_cell(pair.a.effect) if pair.a else DASH,
        figure_cell(pair.b.effect) if pair.b else DASH,
        _both(number(pair.a.cosine) if pair.a else DASH, number(pair.b.cosine) if pair.b else DASH),
        _both(
            percent(pair.a.coverage.value) if pair.a else DASH,
            percent(pair.b.coverage.value) if pair.b else DASH,
        ),
    ]


def _name(pair: Any, reference: str, other: str) -> Any:
    links = [
        dmc.Anchor(side.id, href=feature_path(audit, side.id), size="sm", **{"aria-label": f"{side.id} in the {where}"})
        for side, audit, where in ((pair.a, reference, "reference"), (pair.b, other, "other audit"))
        if side is not None and not (where == "other audit" and pair.a is not None and pair.a.id == side.id)
    ]
    alike = dmc.Text(f"cosine {number(pair.similarity)}", size="xs", c="dimmed") if pair.similarity else None
    return dmc.Group([*links, alike], gap="xs")


def _sets(side: Any) -> str:
    return NOT_LISTED if side is None else count(side.in_minimal_sets)


def _both(a: str, b: str) -> str:
    return f"{a} / {b}"
