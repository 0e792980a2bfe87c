"""Features, edges and pairs of two reports side by side, under the names that both can use.

A feature is the same in both where the layer's SAE is the same, by hash; elsewhere where a decoder match says so.
Knows results; loads no SAE.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.audit.comparison_measures import is_flipped, pooled
from backend.audit.comparison_results import (
    Connections,
    DecoderMatch,
    EdgePair,
    FeatureComparison,
    FeaturePair,
    FeatureSide,
    InteractionPair,
)
from backend.audit.comparison_tables import Pair, in_test
from backend.audit.results import Feature, Report
from backend.audit.stats.bootstrap import cluster_bootstrap


def sae_hashes(report: Report) -> dict[int, str]:
    """SHA-256 of the SAE of each audited layer, as far as the manifest tells."""
    told: Any = report.manifest.saes.get("sha256")
    return {int(k): v for k, v in told.items() if str(k).isdecimal()} if isinstance(told, dict) else {}


def other_layers(a: Report, b: Report) -> tuple[int, ...]:
    """Layers that both audited with different SAEs."""
    of_a, of_b = sae_hashes(a), sae_hashes(b)
    return tuple(sorted(layer for layer in of_a.keys() & of_b.keys() if of_a[layer] != of_b[layer]))


@dataclass(frozen=True)
class Names:
    """Features of B by A's names, where they can be compared."""

    shared: frozenset[int]  # layers of the same SAE
    matched: frozenset[int]
    partners: Mapping[str, tuple[str, float]]  # B's feature -> (A's, cosine), of matched layers

    @classmethod
    def of(cls, a: Report, b: Report, matches: Sequence[DecoderMatch]) -> "Names":
        of_a, of_b = sae_hashes(a), sae_hashes(b)
        return cls(
            frozenset(layer for layer in of_a.keys() & of_b.keys() if of_a[layer] == of_b[layer]),
            frozenset(match.layer for match in matches),
            {f"{m.layer}:{j}": (f"{m.layer}:{i}", cosine) for m in matches for i, j, cosine in m.pairs},
        )

    def comparable(self, feature: str) -> bool:
        return _layer(feature) in self.shared | self.matched

    def in_a(self, feature: str) -> str | None:
        """A's name of a feature of B; None when A's dictionary has no such feature."""
        if _layer(feature) in self.shared:
            return feature
        return self.partners[feature][0] if feature in self.partners else None

    def renamed(self, features: Iterable[str]) -> frozenset[str]:
        """B's features by A's names; what A does not have is marked, for A may use its number for another."""
        return frozenset(self.in_a(f) or f"{f} (B)" for f in features if self.comparable(f))


def compare_features(
    a: Report, b: Report, pairs: Sequence[Pair], matches: Sequence[DecoderMatch], seed: int
) -> FeatureComparison:
    """matches: decoder matches of layers whose SAEs differ; without one, their features have no counterpart."""
    names = Names.of(a, b, matches)
    flipped = [(p, q) for p, q in in_test(pairs) if is_flipped(p) and is_flipped(q)]
    pools = [
        (p.family, frozenset(f for f in pooled(p) if names.comparable(f)), names.renamed(pooled(q))) for p, q in flipped
    ]
    either = [(family, x, y) for family, x, y in pools if x | y]
    pooled_a = frozenset(f for _, x, _ in either for f in x)
    pooled_b = frozenset(f for _, _, y in either for f in y)
    return FeatureComparison(
        dictionary=_kind(a, b, names),
        note=_note(a, b, names),
        shared_layers=tuple(sorted(names.shared)),
        matched_layers=tuple(sorted(names.matched)),
        unmatched_a=_unmatched([(m.n_a, len(m.pairs)) for m in matches]),
        unmatched_b=_unmatched([(m.n_b, len(m.pairs)) for m in matches]),
        pairs=_feature_pairs(a, b, names),
        n_prompts=len(either),
        pooled_a=_ordered(pooled_a),
        pooled_b=_ordered(pooled_b),
        only_a=_ordered(pooled_a - pooled_b),
        only_b=_ordered(pooled_b - pooled_a),
        jaccard=_jaccard(pooled_a, pooled_b) if either else None,
        jaccard_by_prompt=cluster_bootstrap(
            [_jaccard(x, y) for _, x, y in either], [f for f, _, _ in either], seed=seed
        ),
    )


def compare_connections(a: Report, b: Report, matches: Sequence[DecoderMatch]) -> Connections:
    """Edges and measured pairs that both reports have; the counts are of those among comparable features."""
    names = Names.of(a, b, matches)
    edges_a = {(e.source, e.target): e.change for e in a.cascade.edges if _both(names, e.source, e.target)}
    edges_b = {
        (names.in_a(e.source), names.in_a(e.target)): e.change
        for e in b.cascade.edges
        if _both(names, e.source, e.target)
    }
    pairs_a = {frozenset((p.a, p.b)): p for p in a.interactions.pairs if _both(names, p.a, p.b)}
    pairs_b = {frozenset((names.in_a(p.a), names.in_a(p.b))): p for p in b.interactions.pairs if _both(names, p.a, p.b)}
    return Connections(
        edges=tuple(EdgePair(*edge, change, edges_b[edge]) for edge, change in edges_a.items() if edge in edges_b),
        n_edges_a=len(edges_a),
        n_edges_b=len(edges_b),
        pairs=tuple(
            InteractionPair(
                (p.a, p.b),
                p.measured.kind,
                pairs_b[ends].measured.kind,
                p.measured.interaction,
                pairs_b[ends].measured.interaction,
            )
            for ends, p in pairs_a.items()
            if ends in pairs_b
        ),
        n_pairs_a=len(pairs_a),
        n_pairs_b=len(pairs_b),
    )


def _feature_pairs(a: Report, b: Report, names: Names) -> tuple[FeaturePair, ...]:
    """Features in a confirmed minimal set of either report."""
    of_a = {f.id: f for f in a.features if names.comparable(f.id)}
    listed = [f for f in b.features if names.comparable(f.id)]
    of_b = {name: f for f in listed if (name := names.in_a(f.id)) is not None}
    cosines = dict(names.partners.values())
    pairs = [FeaturePair(_side(of_a.get(name)), _side(of_b.get(name)), cosines.get(name)) for name in {**of_a, **of_b}]
    pairs += [FeaturePair(None, _side(f), None) for f in listed if names.in_a(f.id) is None]
    key = [(_most(pair), pair) for pair in pairs if _most(pair) > 0]
    return tuple(pair for _, pair in sorted(key, key=lambda one: (-one[0], _place(one[1]))))


def _side(feature: Feature | None) -> FeatureSide | None:
    if feature is None:
        return None
    return FeatureSide(feature.id, feature.in_minimal_sets, feature.effect, feature.cosine, feature.coverage_harmful)


def _most(pair: FeaturePair) -> int:
    return max(side.in_minimal_sets for side in (pair.a, pair.b) if side is not None)


def _place(pair: FeaturePair) -> tuple[int, int, str]:
    side = pair.a or pair.b
    return _order(side.id) if side is not None else (0, 0, "")


def _kind(a: Report, b: Report, names: Names) -> Any:
    if not names.shared and not names.matched:
        return "different"
    if names.matched:
        return "matched"
    return "shared" if set(names.shared) == sae_hashes(a).keys() == sae_hashes(b).keys() else "partly shared"


def _note(a: Report, b: Report, names: Names) -> str:
    unmatched = [layer for layer in other_layers(a, b) if layer not in names.matched]
    one_alone = sorted(sae_hashes(a).keys() ^ sae_hashes(b).keys())
    parts = []
    if not sae_hashes(a) or not sae_hashes(b):
        parts.append("a report does not tell which SAEs it used: features cannot be compared")
    if unmatched:
        parts.append(
            f"dictionaries differ at {_layers(unmatched)}; match them by direction with `refusalscope compare "
            "--match-features`"
        )
    if one_alone:
        parts.append(f"{_layers(one_alone)}: audited in one of the two only")
    return "; ".join(parts)


def _layers(layers: Sequence[int]) -> str:
    return ("layer " if len(layers) == 1 else "layers ") + ", ".join(str(layer) for layer in layers)


def _unmatched(layers: Sequence[tuple[int, int]]) -> float | None:
    """Share of features without a partner, over (features, matches) of each layer."""
    total = sum(n for n, _ in layers)
    return 1 - sum(matched for _, matched in layers) / total if total else None


def _both(names: Names, one: str, other: str) -> bool:
    return names.comparable(one) and names.comparable(other)


def _jaccard(x: frozenset[str], y: frozenset[str]) -> float:
    return len(x & y) / len(x | y)


def _ordered(features: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(features, key=_order))


def _order(feature: str) -> tuple[int, int, str]:
    layer, _, index = feature.removesuffix(" (B)").partition(":")
    return int(layer), int(index), feature


def _layer(feature: str) -> int:
    return int(feature.partition(":")[0])
