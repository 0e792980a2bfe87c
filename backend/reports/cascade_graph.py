"""Cascades of one or many prompts as one layered graph: features by round, and who woke whom. Pure; knows results."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from backend.audit.results import Cascade, Restored

Did = Literal["ablated", "pushes", "woke"]


@dataclass(frozen=True)
class CascadeNode:
    """One feature in one column: ablated in round `column` + 1, or woken by the rounds before it."""

    feature: str
    column: int  # 0 is what the first round ablates, k what woke after round k or was first ablated after it
    did: Did  # ablated: active by itself; pushes: woke, and ablating it too lowers s on average; woke: woke, and not so
    n_prompts: int
    effect: float | None
    """Mean drop in s. Ablated: when it is ablated alone. Woken: when it is ablated too, where that was tried, else its
    direct effect. None when there is none."""


@dataclass(frozen=True)
class CascadeLink:
    """Ablating the source changes the target's activation by this much, mean over the prompts that show it."""

    source: str
    target: str
    column: int  # of the source; the target stands in the one after
    n_prompts: int
    change: float


@dataclass(frozen=True)
class CascadeGraph:
    n_prompts: int
    nodes: tuple[CascadeNode, ...]  # by column, most prompts first
    links: tuple[CascadeLink, ...]  # most prompts first


@dataclass(frozen=True)
class CascadeStory:
    """What a prompt's graph is made of."""

    baseline_score: float
    cascade: Cascade
    single_effects: tuple[Restored, ...]


@dataclass
class _Seen:
    """A feature in a column, over prompts."""

    n: int = 0
    tried: list[float] = field(default_factory=list)  # effects of its own ablation
    direct: list[float] = field(default_factory=list)


@dataclass
class _Graph:
    ablated: dict[tuple[int, str], _Seen] = field(default_factory=lambda: defaultdict(_Seen))
    woken: dict[tuple[int, str], _Seen] = field(default_factory=lambda: defaultdict(_Seen))
    links: dict[tuple[int, str, str], list[float]] = field(default_factory=lambda: defaultdict(list))


def cascade_graph(stories: Iterable[CascadeStory]) -> CascadeGraph:
    """The graph summed over prompts. A feature that woke and is ablated next is one node, not two."""
    graph, n_prompts = _Graph(), 0
    for story in stories:
        n_prompts += 1
        _add(story, graph)
    nodes = [CascadeNode(f, column, "ablated", s.n, _mean(s.tried)) for (column, f), s in graph.ablated.items()]
    nodes += [_woken_node(column, feature, seen) for (column, feature), seen in graph.woken.items()]
    links = [
        CascadeLink(source, target, column, len(changes), sum(changes) / len(changes))
        for (column, source, target), changes in graph.links.items()
    ]
    return CascadeGraph(
        n_prompts=n_prompts,
        nodes=tuple(sorted(nodes, key=lambda node: (node.column, -node.n_prompts, node.feature, node.did))),
        links=tuple(sorted(links, key=lambda link: (-link.n_prompts, link.column, link.source, link.target))),
    )


def _add(story: CascadeStory, graph: _Graph) -> None:
    alone = {line.feature: story.baseline_score - line.score for line in story.single_effects}
    columns: dict[str, int] = {}  # where a feature that is ablated by now stands
    woken_before: set[str] = set()
    for number, step in enumerate(story.cascade.rounds):
        for feature in step.ablated:
            columns[feature] = number
            if feature not in woken_before:
                seen = graph.ablated[number, feature]
                seen.n += 1
                seen.tried += [alone[feature]] if feature in alone else []
        woken_before = {woken.feature for woken in step.woken}
        for woken in step.woken:
            seen = graph.woken[number + 1, woken.feature]
            seen.n += 1
            seen.direct.append(woken.direct_effect)
            seen.tried += [] if woken.total_effect is None else [woken.total_effect]
        for edge in step.edges:
            if columns.get(edge.source) == number and edge.target in woken_before:
                graph.links[number, edge.source, edge.target].append(edge.change)


def _woken_node(column: int, feature: str, seen: _Seen) -> CascadeNode:
    tried = _mean(seen.tried)
    did: Did = "pushes" if tried is not None and tried > 0 else "woke"
    return CascadeNode(feature, column, did, seen.n, _mean(seen.direct) if tried is None else tried)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
