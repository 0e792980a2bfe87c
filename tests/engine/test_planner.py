"""Batches: every evaluation once, within the budget, one starting block each."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from backend.engine.planner import Work, merged_starts, pack
from tests.engine.strategies import examples

WORK = st.lists(st.builds(Work, st.integers(0, 4), st.integers(1, 40), st.sampled_from([0, 7])), max_size=60)


def test_by_hand() -> None:
    work = [Work(3, 10), Work(0, 4), Work(3, 12), Work(0, 5), Work(3, 11)]
    # Block 0: rows padded to 5 tokens, 2 x 5 <= 24. Block 3: 2 x 11 <= 24, a third row would make 3 x 12.
    assert pack(work, max_tokens=24) == [[1, 3], [0, 4], [2]]


def test_padding_counts() -> None:
    # 3 + 9 tokens, but two rows padded to 9 are 18.
    assert pack([Work(0, 3), Work(0, 9)], max_tokens=17) == [[0], [1]]
    assert pack([Work(0, 3), Work(0, 9)], max_tokens=18) == [[0, 1]]


def test_one_too_long_goes_alone() -> None:
    assert pack([Work(0, 100), Work(0, 2), Work(0, 2)], max_tokens=8) == [[1, 2], [0]]


def test_nothing_to_do() -> None:
    assert pack([], max_tokens=8) == []


@examples(200)
@given(work=WORK, max_tokens=st.integers(1, 128))
def test_what_always_holds(work: list[Work], max_tokens: int) -> None:
    batches = pack(work, max_tokens)
    assert sorted(i for batch in batches for i in batch) == list(range(len(work)))
    for batch in batches:
        assert len({(work[i].first_block, work[i].cached) for i in batch}) == 1
        padded = len(batch) * max(work[i].tokens for i in batch)
        assert padded <= max_tokens or len(batch) == 1
    assert pack(list(work), max_tokens) == batches


@examples(100)
@given(work=WORK, max_tokens=st.integers(40, 128))
def test_few_batches(work: list[Work], max_tokens: int) -> None:
    """No two neighbouring batches of one block and cached length could have been one."""
    batches = pack(work, max_tokens)
    for first, second in itertools.pairwise(batches):
        if all(getattr(work[first[0]], name) == getattr(work[second[0]], name) for name in ("first_block", "cached")):
            assert (len(first) + 1) * work[second[0]].tokens > max_tokens


def test_few_tokens_join_the_next_lower_start() -> None:
    work = [Work(2, 30), Work(6, 10, highest_free=6), Work(6, 10, highest_free=6)]
    # 20 tokens through blocks 2 to 5 once more: 80; a pass through blocks 6 to 9 less: 4 times what a block costs.
    assert merged_starts(work, n_blocks=10, max_tokens=100, pass_tokens=21) == [2, 2, 2]
    assert merged_starts(work, n_blocks=10, max_tokens=100, pass_tokens=20) == [2, 6, 6]
    assert merged_starts(work, n_blocks=10, max_tokens=49, pass_tokens=21) == [2, 6, 6]  # they would not share a batch


def test_one_that_needs_its_start_keeps_the_others() -> None:
    work = [Work(2, 30), Work(6, 10, highest_free=6), Work(6, 10, highest_free=1)]
    assert merged_starts(work, n_blocks=10, max_tokens=100, pass_tokens=1000) == [2, 6, 6]


def test_other_cached_lengths_are_not_joined() -> None:
    assert merged_starts([Work(2, 30, 0), Work(6, 10, 7, 6)], 10, 100, 1000) == [2, 6]


@examples(200)
@given(
    work=st.lists(
        st.builds(Work, st.integers(0, 8), st.integers(1, 40), st.sampled_from([0, 7]), st.integers(0, 8)), max_size=40
    ),
    max_tokens=st.integers(1, 256),
    pass_tokens=st.integers(0, 200),
)
def test_starts_only_go_down_where_they_may(work: list[Work], max_tokens: int, pass_tokens: int) -> None:
    starts = merged_starts(work, 9, max_tokens, pass_tokens)

    def cost(blocks: list[int]) -> int:
        groups = {(one.cached, block) for one, block in zip(work, blocks, strict=True)}
        repeated = sum(one.tokens * (9 - block) for one, block in zip(work, blocks, strict=True))
        return repeated + sum(pass_tokens * (9 - block) for _, block in groups)

    for one, start in zip(work, starts, strict=True):
        assert start == one.first_block or start <= min(one.first_block, one.highest_free)
    assert cost(starts) <= cost([one.first_block for one in work])
