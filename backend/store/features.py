"""Features of a finished audit, and the prompts where each matters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, exists, func, select
from sqlalchemy.orm import Session, defer

from backend.audit.results import Feature, PromptResult
from backend.reports.report_json import plain
from backend.store.paging import Order, RowPage, read_page
from backend.store.tables import FeaturePromptRow, FeatureRow, PromptResultRow

LINE = defer(FeatureRow.record, raiseload=True)  # a list reads its columns alone
SORTABLE = (
    "layer", "rank", "cosine", "density", "activation_harmful", "activation_benign", "coverage_harmful",
    "coverage_benign", "effect", "in_minimal_sets", "woken",
)  # fmt: skip
ORDER = Order(
    {**{name: getattr(FeatureRow, name) for name in SORTABLE}, "index": FeatureRow.number},
    default="in_minimal_sets",
    ties=(FeatureRow.layer, FeatureRow.number),
    default_descending=True,
)
PROMPTS = Order(
    {
        "activation": FeaturePromptRow.activation,
        "effect": FeaturePromptRow.effect,
        "in_minimal_set": FeaturePromptRow.in_minimal_set,
        "woke": FeaturePromptRow.woke,
    },
    default="activation",
    ties=(FeaturePromptRow.prompt_id,),
    default_descending=True,
)


@dataclass(frozen=True)
class FeaturePrompt:
    """A prompt where a feature matters."""

    prompt_id: str
    text: str
    label: str
    category: str | None
    split: str
    activation: float  # largest over in-scope prompt tokens; 0 when dormant
    effect: float | None  # drop in s when it alone is ablated; None: not tried
    in_minimal_set: bool  # of a confirmed one
    woke: bool


@dataclass(frozen=True)
class Context:
    """A prompt's tokens with one feature's activation on each; out of scope tokens have 0."""

    prompt_id: str
    label: str
    tokens: list[str]
    classes: list[str]
    activations: list[float]


def feature_row(audit_id: str, feature: Feature) -> Mapping[str, Any]:
    """The row of one reported feature."""
    layer, _, number = feature.id.partition(":")
    record = plain(feature)
    figures = ("activation_harmful", "activation_benign", "coverage_harmful", "coverage_benign", "effect")
    return {
        "audit_id": audit_id,
        "feature": feature.id,
        "layer": int(layer),
        "number": int(number),
        **{name: record[name] for name in ("rank", "cosine", "density", "in_minimal_sets", "woken", "neuronpedia_id")},
        **{name: record[name]["value"] for name in figures},
        "record": record,
    }


def feature_prompt_rows(audit_id: str, result: PromptResult, reported: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    """One prompt's rows for the reported features that were active, tried alone, in a confirmed set, or woke."""
    strongest = {name: max(value for _, value in places) for name, places in result.activations.items() if places}
    before = plain(result.baseline.score)  # rounded as in report.json, so that an imported audit has equal rows
    effects = {single.feature: plain(before - plain(single.score)) for single in result.single_effects}
    in_sets = {name for found in result.minimal_sets if found.confirmed for name in found.features}
    rounds = result.cascade.rounds if result.cascade else ()
    woken = {one.feature for cascade_round in rounds for one in cascade_round.woken}
    for name in sorted(reported & (strongest.keys() | effects.keys() | in_sets | woken)):
        yield {
            "audit_id": audit_id,
            "feature": name,
            "prompt_id": result.id,
            "activation": plain(strongest.get(name, 0.0)),
            "effect": effects.get(name),
            "in_minimal_set": name in in_sets,
            "woke": name in woken,
        }


def list_features(
    session: Session,
    audit_id: str,
    *,
    layer: int | None = None,
    in_sets: bool | None = None,
    woke: bool | None = None,
    text: str | None = None,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[FeatureRow]:
    """Features, those in most minimal sets first.

    in_sets: whether a minimal set holds it; woke: whether it woke in a cascade; text: part of layer:index.
    """
    rows = select(FeatureRow).options(LINE).where(FeatureRow.audit_id == audit_id)
    if layer is not None:
        rows = rows.where(FeatureRow.layer == layer)
    if in_sets is not None:
        rows = rows.where(FeatureRow.in_minimal_sets > 0 if in_sets else FeatureRow.in_minimal_sets == 0)
    if woke is not None:
        rows = rows.where(FeatureRow.woken > 0 if woke else FeatureRow.woken == 0)
    if text:
        rows = rows.where(FeatureRow.feature.contains(text, autoescape=True))
    return read_page(session, rows, ORDER, sort=sort, descending=descending, cursor=cursor, limit=limit)


def get(session: Session, audit_id: str, feature: str) -> FeatureRow | None:
    """One feature with its record."""
    return session.get(FeatureRow, (audit_id, feature))


def list_prompts(
    session: Session,
    audit_id: str,
    feature: str,
    *,
    label: str | None = None,
    split: str | None = None,
    in_minimal_set: bool | None = None,
    woke: bool | None = None,
    sort: str | None = None,
    descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> RowPage[FeaturePrompt]:
    """Prompts where a feature matters, strongest activation first."""
    about, prompt = FeaturePromptRow, PromptResultRow
    rows = (
        select(
            about.prompt_id, prompt.text, prompt.label, prompt.category, prompt.split,
            about.activation, about.effect, about.in_minimal_set, about.woke,
        )
        .join(prompt, and_(prompt.audit_id == about.audit_id, prompt.prompt_id == about.prompt_id))
        .where(about.audit_id == audit_id, about.feature == feature)
    )  # fmt: skip
    if label is not None:
        rows = rows.where(prompt.label == label)
    if split is not None:
        rows = rows.where(prompt.split == split)
    if in_minimal_set is not None:
        rows = rows.where(about.in_minimal_set == in_minimal_set)
    if woke is not None:
        rows = rows.where(about.woke == woke)
    return read_page(
        session, rows, PROMPTS, sort=sort, descending=descending, cursor=cursor, limit=limit, item=FeaturePrompt
    )


def contexts(session: Session, audit_id: str, feature: str, limit: int = 10) -> list[Context]:
    """The prompts where it is most active, token by token."""
    about, prompt = FeaturePromptRow, PromptResultRow
    strongest = (  # chosen before any story is opened
        select(about.prompt_id, about.activation)
        .where(about.audit_id == audit_id, about.feature == feature, about.activation > 0)
        .order_by(about.activation.desc(), about.prompt_id)
        .limit(limit)
        .subquery()
    )
    rows = (
        select(prompt.prompt_id, prompt.label, prompt.story["tokens"], prompt.story["activations"][feature])
        .join(strongest, strongest.c.prompt_id == prompt.prompt_id)
        .where(prompt.audit_id == audit_id)
        .order_by(strongest.c.activation.desc(), prompt.prompt_id)
    )
    return [_context(*row) for row in session.execute(rows)]


def categories(session: Session, audit_id: str, feature: str) -> dict[str, float]:
    """Of harmful prompts by category ("": none): the share where it is active, largest first.

    Empty when the audit kept no activations, as in a report of schema 1.0.
    """
    about, prompt = FeaturePromptRow, PromptResultRow
    kept = select(exists().where(about.audit_id == audit_id, about.activation > 0))
    if not session.scalar(kept):
        return {}
    active = select(about.prompt_id).where(about.audit_id == audit_id, about.feature == feature, about.activation > 0)
    share = func.sum(case((prompt.prompt_id.in_(active), 1.0), else_=0.0)) / func.count()
    named = func.coalesce(prompt.category, "")
    rows = (
        select(named, share)
        .where(prompt.audit_id == audit_id, prompt.label == "harmful")
        .group_by(named)
        .order_by(share.desc(), named)
    )
    return {category: float(value) for category, value in session.execute(rows)}


def _context(prompt_id: str, label: str, tokens: Mapping[str, Any], places: Sequence[Sequence[Any]]) -> Context:
    activations = [0.0] * len(tokens["texts"])
    for position, value in places:
        activations[position] = value
    return Context(prompt_id, label, tokens["texts"], tokens["classes"], activations)
