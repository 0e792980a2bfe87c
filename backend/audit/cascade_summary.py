"""The cascade over prompts: depth, what wakes beside its random control, backups, influence between layers.

Pure functions of results and of the activation table; knows no engine.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import torch

from backend.audit.candidates import ActivationTable
from backend.audit.headline import Measure, headline, over_prompts
from backend.audit.results import (
    NOTHING_MEASURED,
    CascadeRound,
    CascadeSummary,
    Edge,
    Figure,
    Influence,
    PromptResult,
    Suppression,
    WokenFeature,
)
from backend.audit.splits import TestRows, marked
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.audit.stats.rates import wilson
from backend.audit.woken_features import Trial, screen_woken
from backend.subjects.sparse_autoencoder import FeatureId

LISTED_EDGES = 100
LISTED_WOKEN = 100


def summarise_cascade(results: TestRows[PromptResult], table: ActivationTable, seed: int) -> CascadeSummary:
    """The cascade over the headline prompts. The table says which features were dormant on which prompt."""
    rows = [r for r in headline(results) if r.cascade is not None and r.cascade.rounds]
    screened = screen_woken(_trials(rows, table))
    by_layer, by_class = _woken_counts(rows)

    def median(measure: Measure) -> Figure:
        return over_prompts(rows, measure, "median", seed)

    def mean(measure: Measure) -> Figure:
        return over_prompts(rows, measure, "mean", seed)

    summary = CascadeSummary(
        depth=median(lambda r: r.cascade.depth if r.cascade else None),
        flipped=wilson(sum(r.cascade is not None and r.cascade.depth is not None for r in rows), len(rows)),
        woken=mean(lambda r: float(_first(r).n_woken)),
        woken_random=mean(lambda r: _first(r).n_woken_random),
        pushing=mean(lambda r: float(sum(one.n_pushing for one in _rounds(r)))),
        woken_by_layer=by_layer,
        woken_by_position_class=by_class,
        compensation=median(lambda r: r.self_repair.compensation if r.self_repair else None),
        norm_share=median(lambda r: r.self_repair.norm_share if r.self_repair else None),
        share_deactivated=mean(lambda r: _suppressed(r, "share_deactivated")),
        mean_drop=mean(lambda r: _suppressed(r, "mean_drop")),
        edges=_edges(rows),
        woken_difference=mean(_difference),
        woken_features=_listed(screened),
        n_woken_screened=len(screened),
        backups_confirmed=_confirmed(rows),
        woken_share=median(lambda r: r.self_repair.woken_share if r.self_repair else None),
        layer_depth=median(lambda r: r.layer_cascade.depth if r.layer_cascade else None),
        layer_flipped=_layer_flipped(rows),
        influence=_influence(rows, seed),
    )
    return marked(summary, "test")


def _rounds(result: PromptResult) -> tuple[CascadeRound, ...]:
    return result.cascade.rounds if result.cascade is not None else ()


def _first(result: PromptResult) -> CascadeRound:
    return _rounds(result)[0]


def _difference(result: PromptResult) -> float | None:
    first = _first(result)
    return None if first.n_woken_random is None else first.n_woken - first.n_woken_random


def _woken_counts(rows: Sequence[PromptResult]) -> tuple[dict[str, int], dict[str, int]]:
    """Listed woken features, once a prompt, by layer and by position class."""
    by_layer: Counter[str] = Counter()
    by_class: Counter[str] = Counter()
    for result in rows:
        for woken in {w.feature: w for one in _rounds(result) for w in one.woken}.values():
            by_layer[woken.feature.partition(":")[0]] += 1
            by_class[woken.position_class] += 1
    return dict(sorted(by_layer.items(), key=lambda item: int(item[0]))), dict(sorted(by_class.items()))


def _edges(rows: Sequence[PromptResult]) -> tuple[Edge, ...]:
    """The most frequent edges, by mean change."""
    changes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for edge in (e for r in rows for one in _rounds(r) for e in one.edges):
        changes[edge.source, edge.target].append(edge.change)
    ranked = sorted(changes.items(), key=lambda item: (-len(item[1]), -abs(sum(item[1])), item[0]))
    return tuple(Edge(s, t, sum(c) / len(c)) for (s, t), c in ranked[:LISTED_EDGES])


def _trials(rows: Sequence[PromptResult], table: ActivationTable) -> dict[str, list[Trial]]:
    """Every feature that woke in a first round or in one of its random draws, with all tabled prompts where it was
    dormant at baseline."""
    row_of = {prompt_id: i for i, prompt_id in enumerate(table.ids)}
    tabled = [r for r in rows if r.id in row_of and _first(r).random_draws]
    names = sorted({name for r in tabled for name in _first(r).woken_random}, key=FeatureId.parse)
    trials: dict[str, list[Trial]] = {name: [] for name in names}
    if not names:
        return trials
    by_layer: dict[int, list[FeatureId]] = defaultdict(list)
    for feature in map(FeatureId.parse, names):
        by_layer[feature.layer].append(feature)
    table_rows = torch.tensor([row_of[r.id] for r in tabled])
    for layer, features in by_layer.items():
        dormant = (table.by_layer[layer][table_rows][:, [f.index for f in features]] == 0).tolist()
        for result, silent in zip(tabled, dormant, strict=True):
            first = _first(result)
            woke = frozenset(first.woke)
            for feature, is_dormant in zip(features, silent, strict=True):
                name = str(feature)
                if is_dormant or name in first.woken_random:
                    in_draws = first.woken_random.get(name, 0)
                    trials[name].append(Trial(result.id, result.family, name in woke, in_draws, first.random_draws))
    return trials


def _listed(screened: Sequence[WokenFeature]) -> tuple[WokenFeature, ...]:
    """The first of those that some first round woke."""
    return tuple([f for f in screened if f.woken.value][:LISTED_WOKEN])


def _confirmed(rows: Sequence[PromptResult]) -> Figure:
    """Share of claimed backups that re-ablation confirms. Wilson's interval at n = families with a claim: the claims of
    one family, often the same feature round after round, go together."""
    claims = [(r.family, w.confirmed) for r in rows for one in _rounds(r) for w in one.woken if w.confirmed is not None]
    if not claims:
        return NOTHING_MEASURED
    families = len({family for family, _ in claims})
    return wilson(families * sum(confirmed for _, confirmed in claims) / len(claims), families)


def _layer_flipped(rows: Sequence[PromptResult]) -> Figure:
    depths = [r.layer_cascade.depth for r in rows if r.layer_cascade is not None]
    return wilson(sum(depth is not None for depth in depths), len(depths))


def _suppressed(result: PromptResult, field: str) -> float | None:
    """Mean over ablated features of a share over all refusal features active in any later layer."""
    by_source: dict[str, list[Suppression]] = defaultdict(list)
    for one in result.cascade.suppression if result.cascade is not None else ():
        by_source[one.source].append(one)
    means = [
        sum(one.n_downstream * getattr(one, field) for one in of_source) / sum(one.n_downstream for one in of_source)
        for of_source in by_source.values()
    ]
    return sum(means) / len(means) if means else None


def _influence(rows: Sequence[PromptResult], seed: int) -> tuple[Influence, ...]:
    """By pair of layers: the mean over prompts of each prompt's mean over the features ablated in the upstream one."""
    pairs: dict[tuple[int, int], dict[str, list[Suppression]]] = defaultdict(lambda: defaultdict(list))
    for result in rows:
        for one in result.cascade.suppression if result.cascade is not None else ():
            if one.downstream is not None:
                pairs[FeatureId.parse(one.source).layer, one.downstream][result.id].append(one)
    families = {r.id: r.family for r in rows}

    def over_prompts(by_prompt: dict[str, list[Suppression]], field: str) -> Figure:
        values = [sum(getattr(one, field) for one in found) / len(found) for found in by_prompt.values()]
        return cluster_bootstrap(values, [families[prompt] for prompt in by_prompt], "mean", seed=seed)

    return tuple(
        Influence(
            upstream=upstream,
            downstream=downstream,
            share_deactivated=over_prompts(by_prompt, "share_deactivated"),
            mean_drop=over_prompts(by_prompt, "mean_drop"),
        )
        for (upstream, downstream), by_prompt in sorted(pairs.items())
    )
