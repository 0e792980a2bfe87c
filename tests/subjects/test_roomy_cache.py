"""The cache with room is the library's, to the last bit, and does not copy what it holds."""

from copy import copy

import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from backend.subjects.roomy_cache import ROOM, RoomyLayer, roomy


def states(rows: int, tokens: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 2, tokens, 4, generator=random), torch.randn(rows, 2, tokens, 6, generator=random)


STEPS = st.lists(st.one_of(st.integers(1, 3), st.just("copy"), st.lists(st.integers(0, 4), min_size=1)), max_size=12)
"""Tokens that are taken up, a copy, or rows that are selected."""


@given(STEPS)
def test_it_holds_what_the_library_s_does(steps: list[int | str | list[int]]) -> None:
    roomy_one, plain, rows = RoomyLayer(), DynamicLayer(), 5
    for n, step in enumerate([2, *steps]):
        if isinstance(step, list):
            selected = torch.tensor([row % rows for row in step])
            rows = len(step)
            for layer in (roomy_one, plain):
                layer.batch_select_indices(selected)
        elif step == "copy":  # as a prefix is resumed from, by several rows
            before = roomy_one.keys.clone()
            other = copy(roomy_one)
            other.keys, other.values = (t.expand(rows, -1, -1, -1) for t in (roomy_one.keys, roomy_one.values))
            other.update(*states(rows, 1, 99))
            assert torch.equal(roomy_one.keys, before)
        elif isinstance(step, int):
            found, expected = roomy_one.update(*states(rows, step, n)), plain.update(*states(rows, step, n))
            for one, other_one in zip(found, expected, strict=True):
                assert torch.equal(one, other_one)
        assert roomy_one.get_seq_length() == plain.get_seq_length()
        assert torch.equal(roomy_one.keys, plain.keys)
        assert torch.equal(roomy_one.values, plain.values)


def test_one_more_token_copies_nothing_until_the_room_is_used_up() -> None:
    layer = RoomyLayer()
    layer.update(*states(2, 5, 0))
    places = [layer.update(*states(2, 1, n))[0].data_ptr() for n in range(2 * ROOM)]
    assert len(set(places)) == 2
    assert layer.get_seq_length() == 5 + 2 * ROOM


def test_rows_that_go_are_overwritten_by_the_last_and_the_others_stay_where_they_are() -> None:
    layer = RoomyLayer()
    layer.update(*states(5, 3, 0))
    before = layer.update(*states(5, 1, 1))[0].clone()
    place = layer.keys.data_ptr()
    layer.batch_select_indices(torch.tensor([0, 4, 2]))
    assert layer.keys.data_ptr() == place
    assert torch.equal(layer.keys, before[[0, 4, 2]])
    layer.update(*states(3, 1, 2))
    assert layer.keys.data_ptr() == place


def test_sliding_windows_stay_the_library_s() -> None:
    cache = DynamicCache()
    cache.layers = [DynamicLayer(), DynamicSlidingWindowLayer(4)]
    kinds = [type(layer) for layer in roomy(cache).layers]
    assert kinds == [RoomyLayer, DynamicSlidingWindowLayer]
