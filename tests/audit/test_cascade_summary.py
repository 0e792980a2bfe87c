"""The cascade over prompts, by hand: what is counted, over what, and what stays out."""

from dataclasses import replace

import pytest
import torch

from backend.audit.candidates import ActivationTable
from backend.audit.cascade_summary import LISTED_WOKEN, summarise_cascade
from backend.audit.results import (
    CascadeSummary,
    Edge,
    LayerCascade,
    PromptResult,
    SelfRepair,
    Suppression,
)
from backend.audit.splits import of_split
from backend.audit.stats.rates import wilson
from tests.audit.cascade_values import first_round, prompt, woken


def table(active: dict[str, list[int]], n_features: int = 8) -> ActivationTable:
    """By prompt, the features of layer 2 that are active on it."""
    rows = torch.zeros(len(active), n_features)
    for row, indices in enumerate(active.values()):
        rows[row, indices] = 1.0
    return ActivationTable(tuple(active), {2: rows}, {2: torch.zeros(n_features)})


def summarise(results: list[PromptResult], tabled: ActivationTable | None = None) -> CascadeSummary:
    return summarise_cascade(of_split(results, "test"), tabled or table({r.id: [] for r in results}), seed=0)


def test_woken_less_the_draws_of_the_same_prompt() -> None:
    results = [
        prompt("a", first_round(("2:1", "2:2", "2:3"), {"2:1": 2})),  # 3 - 0.5
        prompt("b", first_round((), {"2:1": 4, "2:2": 2})),  # 0 - 1.5
    ]
    found = summarise(results)
    assert found.woken_difference.value == pytest.approx((2.5 - 1.5) / 2)
    assert found.woken_difference.n == 2
    assert found.woken.value == 1.5
    assert found.woken_random.value == 1.0
    assert found.woken_difference.split == "test"


def test_the_interval_of_the_difference_resamples_families() -> None:
    apart = [prompt(f"p{i}", first_round(("2:1",) * (i % 2), {})) for i in range(8)]
    together = [replace(r, family="one") for r in apart]
    assert summarise(apart).woken_difference.low is not None
    assert summarise(together).woken_difference.low is None


def test_a_feature_s_prompts_are_those_where_it_was_dormant() -> None:
    results = [prompt(f"p{i}", first_round(("2:1",), {"2:3": 1})) for i in range(3)]
    results += [prompt(f"q{i}", first_round((), {})) for i in range(2)]
    dormant = {f"p{i}": [] for i in range(3)} | {"q0": [1], "q1": []}
    found = {f.feature: f for f in summarise(results, table(dormant)).woken_features}
    assert set(found) == {"2:1"}  # 2:3 never woke in a round
    assert found["2:1"].n_prompts == 4
    assert found["2:1"].woken == replace(wilson(3, 4), split="test")
    assert found["2:1"].woken_random.value == 0.0
    assert found["2:1"].p == pytest.approx(1 / 125)
    assert found["2:1"].q == pytest.approx(2 / 125)  # two features are screened
    assert summarise(results, table(dormant)).n_woken_screened == 2


def test_prompts_outside_the_table_tell_nothing_of_dormancy() -> None:
    results = [prompt(f"p{i}", first_round(("2:1",), {})) for i in range(5)]
    found = summarise(results, table({f"p{i}": [] for i in range(3)})).woken_features
    assert [f.n_prompts for f in found] == [3]


def test_the_list_is_short_but_q_counts_every_feature_screened() -> None:
    names = tuple(f"2:{i}" for i in range(LISTED_WOKEN + 20))
    results = [prompt(f"p{i}", first_round(names, {})) for i in range(2)]
    found = summarise(results, table({r.id: [] for r in results}, len(names)))
    assert len(found.woken_features) == LISTED_WOKEN
    assert found.n_woken_screened == len(names)
    assert [f.q for f in found.woken_features] == pytest.approx([1 / 25] * LISTED_WOKEN)


def test_reports_from_before_the_draws_were_kept_screen_nothing() -> None:
    old = replace(first_round(("2:1",), {}), random_draws=0, woken_random={}, woke=())
    found = summarise([prompt(f"p{i}", old) for i in range(3)])
    assert (found.woken_features, found.n_woken_screened) == ((), 0)


def test_claimed_backups_count_once_a_family_in_the_interval() -> None:
    tried = tuple(woken(f"2:{i}", confirmed=i > 0) for i in range(4))
    later = first_round((), {}, woken=(*tried, woken("2:7")))  # 2:7 was not tried
    results = [prompt(name, first_round((), {}), later) for name in ("a", "b")]
    assert summarise(results).backups_confirmed == replace(wilson(1.5, 2), split="test")
    one_family = [replace(r, family="one") for r in results]
    assert summarise(one_family).backups_confirmed == replace(wilson(0.75, 1), split="test")
    assert summarise([prompt("a", first_round((), {}))]).backups_confirmed.n == 0


def test_whole_layers_and_the_woken_share() -> None:
    depths = [1, 3, None]
    shares = [0.5, None, 0.1]
    results = [
        prompt(
            f"p{i}",
            first_round((), {}),
            layer_cascade=LayerCascade((1, 2, 3)[: depth or 3], (1,) * 3, (0.0,) * 3, depth),
            self_repair=SelfRepair(1.0, 1.0, 1.0, 1.0, 0.0, 0.0, share),
        )
        for i, (depth, share) in enumerate(zip(depths, shares, strict=True))
    ]
    found = summarise(results)
    assert found.layer_depth.value == 2.0
    assert found.layer_depth.n == 2
    assert found.layer_flipped == replace(wilson(2, 3), split="test")
    assert found.woken_share.value == pytest.approx(0.3)
    assert found.woken_share.n == 2


def test_influence_by_pair_of_layers_and_its_mean_over_all_later_ones() -> None:
    rows = (
        Suppression("1:0", 3, 1.0, 0.9, 2),
        Suppression("1:0", 1, 0.0, 0.1, 4),
        Suppression("1:5", 3, 0.0, 0.3, 2),
        Suppression("2:0", 2, 0.5, 0.4, 4),
    )
    found = summarise([prompt("a", first_round((), {}), suppression=rows)])
    influence = {(i.upstream, i.downstream): i for i in found.influence}
    assert list(influence) == [(1, 2), (1, 4), (2, 4)]
    assert influence[1, 2].share_deactivated.value == 0.5
    assert influence[1, 2].mean_drop.value == pytest.approx(0.6)
    assert influence[1, 4].share_deactivated.value == 0.0
    assert influence[2, 4].mean_drop.value == pytest.approx(0.4)
    # By source: 3/4, 0 and 1/2 of the features in any later layer.
    assert found.share_deactivated.value == pytest.approx((0.75 + 0.0 + 0.5) / 3)
    assert found.mean_drop.value == pytest.approx(((3 * 0.9 + 0.1) / 4 + 0.3 + 0.4) / 3)


def test_old_suppression_keeps_its_mean_and_has_no_pairs_of_layers() -> None:
    rows = (Suppression("1:0", 4, 0.75, 0.7), Suppression("2:0", 2, 0.25, 0.3))
    found = summarise([prompt("a", first_round((), {}), suppression=rows)])
    assert found.share_deactivated.value == 0.5
    assert found.influence == ()


def test_edges_and_listed_woken_features() -> None:
    edges = (Edge("1:0", "2:1", 1.0), Edge("1:0", "2:2", -5.0))
    results = [
        prompt("a", first_round(("2:1",), {}, edges=edges), first_round(("2:1",), {})),
        prompt("b", first_round(("2:1",), {}, edges=edges[:1])),
    ]
    found = summarise(results)
    assert found.edges == (Edge("1:0", "2:1", 1.0), Edge("1:0", "2:2", -5.0))
    assert found.woken_by_layer == {"2": 2}
    assert found.woken_by_position_class == {"instruction": 2}


def test_other_splits_and_prompts_without_a_search_stay_out() -> None:
    inside = prompt("a", first_round(("2:1",), {}))
    unsearched = replace(inside, id="b", controls=None)
    elsewhere = prompt("c", first_round((), {}), split="discovery")
    assert summarise([inside, unsearched, elsewhere]).woken == summarise([inside]).woken
    assert summarise([]).n_woken_screened == 0
