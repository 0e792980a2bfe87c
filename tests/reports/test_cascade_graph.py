"""Cascades as a layered graph, worked by hand."""

from dataclasses import replace

import pytest

from backend.audit.results import Cascade, CascadeRound, Edge, Restored, Woken
from backend.reports.cascade_graph import CascadeGraph, CascadeLink, CascadeNode, CascadeStory, cascade_graph

FIRST = CascadeRound(
    ablated=("9:1",),
    score=1.0,
    woken=(Woken("12:5", 4.0, "instruction", 0.3, 0.5), Woken("15:2", 1.0, "instruction", 0.2, None)),
    n_woken=2,
    n_pushing=1,
    n_woken_random=0.0,
    edges=(Edge("9:1", "12:5", 4.0), Edge("9:1", "21:3", 2.0)),
)
SECOND = CascadeRound(("12:5", "21:8"), -1.0, (Woken("24:1", 2.0, "system", -0.1, -0.4),), 1, 0, None, ())
STORY = CascadeStory(3.0, Cascade((FIRST, SECOND), 2, "flipped", ()), (Restored("9:1", 1.0),))


def test_one_prompt_by_hand() -> None:
    graph = cascade_graph([STORY])
    assert graph.nodes == (
        CascadeNode("9:1", 0, "ablated", 1, 2.0),  # alone: from 3 to 1
        CascadeNode("12:5", 1, "pushes", 1, 0.5),  # woke, and is ablated next: one node
        CascadeNode("15:2", 1, "woke", 1, 0.2),  # not tried: its direct effect
        CascadeNode("21:8", 1, "ablated", 1, None),  # never woke
        CascadeNode("24:1", 2, "woke", 1, -0.4),
    )
    assert graph.links == (CascadeLink("9:1", "12:5", 0, 1, 4.0),)  # 21:3 did not wake


def test_prompts_add_up_and_effects_are_means() -> None:
    quieter = replace(FIRST, woken=(Woken("12:5", 4.0, "instruction", 0.3, -0.7),), edges=(Edge("9:1", "12:5", 1.0),))
    other = CascadeStory(2.0, Cascade((quieter,), None, "exhausted", ()), (Restored("9:1", 1.0),))
    graph = cascade_graph([STORY, other])
    nodes = {node.feature: node for node in graph.nodes}
    assert graph.n_prompts == 2
    assert nodes["9:1"] == CascadeNode("9:1", 0, "ablated", 2, 1.5)
    assert nodes["12:5"] == CascadeNode("12:5", 1, "woke", 2, pytest.approx(-0.1))  # pushes in one, not on average
    assert graph.links == (CascadeLink("9:1", "12:5", 0, 2, 2.5),)


def test_no_prompt_is_an_empty_graph() -> None:
    assert cascade_graph([]) == CascadeGraph(0, (), ())
