"""From prompts to the report card. Pure functions of results; knows no engine.

Headlines come from refused harmful prompts of the test split, every one of them in the denominator.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from backend.audit.candidates import ActivationTable, Candidates
from backend.audit.claimed_sets import claimed_set, claims_of, features_that_hold
from backend.audit.headline import headline, over_prompts
from backend.audit.results import (
    NOTHING_MEASURED,
    Arm,
    Baseline,
    CascadeSummary,
    Feature,
    Figure,
    Flipped,
    Interactions,
    PromptResult,
    RandomControl,
    ReportCard,
)
from backend.audit.splits import TestRows, marked
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.audit.stats.rates import wilson
from backend.prompts.prompt import Prompt
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder

LISTED_RANK = 10  # candidates per layer in the report's features, beside every feature a set or a cascade names


def build_report_card(
    baseline: Baseline,
    results: TestRows[PromptResult],
    interactions: Interactions,
    cascade: CascadeSummary,
    seed: int,
) -> ReportCard:
    """The figures an auditor reads first."""
    rows = headline(results)
    pooled = [frozenset(claimed.features) for _, claimed in claims_of(rows)]
    card = ReportCard(
        refusal_rate=baseline.refusal_rate,
        over_refusal_rate=baseline.over_refusal_rate,
        flipped=Flipped(
            minimal=wilson(len(pooled), len(rows)),
            random=_random_rate([r.controls.random for r in rows if r.controls is not None]),
            direction=_arm_rate([r.controls.direction for r in rows if r.controls is not None]),
            fm_extended=_arm_rate([r.controls.fm_extended for r in rows if r.controls is not None]),
            linear_probe=_arm_rate([r.controls.linear_probe for r in rows if r.controls is not None]),
            with_sink=_arm_rate([r.controls.with_sink for r in rows if r.controls is not None]),
            random_with_sink=_random_rate([r.controls.random_with_sink for r in rows if r.controls is not None]),
        ),
        minimal_set_size=over_prompts(rows, _claimed_size, "median", seed),
        features_for_half=features_to_hold(pooled, 0.5),
        features_for_most=features_to_hold(pooled, 0.9),
        never_flipped=wilson(sum(r.k is None for r in rows), len(rows)),
        depth=cascade.depth,
        woken=cascade.woken,
        woken_random=cascade.woken_random,
        compensation=cascade.compensation,
        r2_heldout=interactions.r2_heldout,
        r2_linear=interactions.r2_linear,
        backup_pairs=sum(p.measured.kind == "backup" for p in interactions.pairs),
        serial_pairs=sum(p.measured.kind == "serial" for p in interactions.pairs),
    )
    return marked(card, "test")


def features_to_hold(sets: Sequence[frozenset[str]], share: float) -> int | None:
    """Smallest m such that the m features found in most sets hold `share` of the sets whole; None without sets."""
    return len(features_that_hold(sets, share)) if sets else None


def summarise_features(
    saes: dict[int, SparseAutoencoder],
    candidates: Candidates,
    table: ActivationTable,
    prompts: Sequence[Prompt],
    results: Sequence[PromptResult],
    seed: int,
) -> tuple[Feature, ...]:
    """Candidates of the first ranks, and every feature that a minimal set holds or a cascade woke to refusal."""
    in_sets: Counter[str] = Counter(f for r in results for f in _in_sets(r, confirmed=True))
    named = {f for r in results for f in _in_sets(r, confirmed=False)}
    woken: Counter[str] = Counter()
    pushing: set[str] = set()
    effects: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for result in results:
        for single in result.single_effects:
            effects[single.feature].append((result.family, result.baseline.score - single.score))
        if result.cascade is not None:
            woken.update({w.feature for one in result.cascade.rounds for w in one.woken})
            pushing |= {f for one in result.cascade.rounds for f in one.ablated}
    listed = {str(f) for f in candidates.top(LISTED_RANK)} | named | pushing
    rows = {prompt_id: i for i, prompt_id in enumerate(table.ids)}
    harmful = [p for p in prompts if p.label == "harmful" and p.id in rows]
    benign = [p for p in prompts if p.label == "benign" and p.id in rows]
    features = []
    for feature in sorted(FeatureId.parse(name) for name in listed):
        name = str(feature)
        on = {
            label: table.of(feature, [rows[p.id] for p in group])
            for label, group in (("harmful", harmful), ("benign", benign))
        }
        tried = effects[name]
        features.append(
            Feature(
                id=name,
                rank=candidates.rank(feature),
                cosine=candidates.cosine(feature),
                density=float(table.density[feature.layer][feature.index]),
                activation_harmful=cluster_bootstrap(on["harmful"], [p.family for p in harmful], seed=seed),
                activation_benign=cluster_bootstrap(on["benign"], [p.family for p in benign], seed=seed),
                coverage_harmful=wilson(sum(x > 0 for x in on["harmful"]), len(harmful)),
                coverage_benign=wilson(sum(x > 0 for x in on["benign"]), len(benign)),
                effect=cluster_bootstrap([e for _, e in tried], [family for family, _ in tried], seed=seed),
                in_minimal_sets=in_sets[name],
                woken=woken[name],
                neuronpedia_id=saes[feature.layer].neuronpedia_id,
            )
        )
    return marked(tuple(features), "all")


def _in_sets(result: PromptResult, *, confirmed: bool) -> set[str]:
    """Features of a prompt's minimal sets, of all of them or of the confirmed ones."""
    return {f for s in result.minimal_sets if s.confirmed or not confirmed for f in s.features}


def _claimed_size(result: PromptResult) -> int | None:
    claimed = claimed_set(result)
    return len(claimed.features) if claimed is not None else None


def _arm_rate(arms: Sequence[Arm | None]) -> Figure:
    """Share flipped; nothing is measured when the arm was not part of the audit."""
    tried = [arm for arm in arms if arm is not None]
    return wilson(sum(arm.flipped for arm in tried), len(tried)) if tried else NOTHING_MEASURED


def _random_rate(controls: Sequence[RandomControl | None]) -> Figure:
    """Mean share of draws that flipped; Wilson's interval at n = prompts, for draws of one prompt go together."""
    tried = [c for c in controls if c is not None and c.n_draws]
    return wilson(sum(c.n_flipped / c.n_draws for c in tried), len(tried)) if tried else NOTHING_MEASURED
