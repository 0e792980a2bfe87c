"""Packs evaluations into batches. Knows lengths and first edited layers; knows no tensor."""

from collections.abc import Sequence
from typing import NamedTuple


class Work(NamedTuple):
    """Size of one evaluation: the block it starts from, the tokens it must run, and those it finds cached before."""

    first_block: int
    tokens: int
    cached: int = 0
    highest_free: int = 0  # it may as well start from any block up to this one, at the price of those it repeats


def pack(work: Sequence[Work], max_tokens: int) -> list[list[int]]:
    """Group indices of `work` into batches of one starting block and one cached length each, of at most max_tokens
    padded tokens.

    Similar lengths share a batch, so that little is spent on padding. An evaluation longer than max_tokens gets a
    batch of its own. Every index appears once; the grouping depends on `work` alone.
    """
    order = sorted(range(len(work)), key=lambda i: (*_alike(work[i]), work[i].tokens, i))
    batches: list[list[int]] = []
    for i in order:
        room = batches and (len(batches[-1]) + 1) * work[i].tokens <= max_tokens
        if room and _alike(work[batches[-1][0]]) == _alike(work[i]):
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def merged_starts(work: Sequence[Work], n_blocks: int, max_tokens: int, pass_tokens: int) -> list[int]:
    """The block from which each evaluation starts when those of a start are moved down to the next lower one, where
    that saves more than it repeats.

    pass_tokens: a block costs the time of so many tokens, however few run through it. Moving t tokens from block b down
    to block a repeats t (b - a) and saves pass_tokens (n_blocks - b).
    """
    groups: dict[tuple[int, int], list[int]] = {}
    for i, one in enumerate(work):
        groups.setdefault((one.cached, one.first_block), []).append(i)
    starts = [one.first_block for one in work]
    joined, lower, held = -1, 0, 0  # cached length, start and tokens of what the next group may join
    for (cached, block), members in sorted(groups.items()):
        tokens = sum(work[i].tokens for i in members)
        if (
            cached == joined
            and held + tokens <= max_tokens
            and tokens * (block - lower) < pass_tokens * (n_blocks - block)
            and all(work[i].highest_free >= lower for i in members)
        ):
            held += tokens
            for i in members:
                starts[i] = lower
        else:
            joined, lower, held = cached, block, tokens
    return starts


def _alike(work: Work) -> tuple[int, int]:
    return work.first_block, work.cached
