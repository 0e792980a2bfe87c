"""The library's key-value caches, resumed. Knows their layers; knows no intervention."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from backend.subjects.language_model import LanguageModel


def resumed_cache(model: LanguageModel, prefixes: Sequence[Any], first_block: int) -> Any:
    """A new key-value cache holding one prefix per row, ready for blocks from first_block on.

    prefixes: one cache of a batch of one per row, all of the same length; they are left as they are.
    Blocks below first_block are filled too, with views that cost nothing: the library reads lengths from the first
    block of each kind of attention, run or not.
    """
    cache = model.new_cache()
    one = all(prefix is prefixes[0] for prefix in prefixes)
    layers = []
    for index in range(model.n_layers):
        # Copied, not filled anew: a sliding window's layer also counts the tokens that it no longer holds.
        layer = copy(prefixes[0].layers[index])
        if one or index < first_block:
            layer.keys, layer.values = (t.expand(len(prefixes), -1, -1, -1) for t in (layer.keys, layer.values))
        else:
            rows = [prefix.layers[index] for prefix in prefixes]
            layer.keys, layer.values = torch.cat([row.keys for row in rows]), torch.cat([row.values for row in rows])
        layers.append(layer)
    cache.layers = layers
    return cache


def row_of_cache(model: LanguageModel, cache: Any, row: int, below: Any = None, first_block: int = 0) -> Any:
    """One row of a batch's cache as a cache of its own; below first_block, where nothing was run, that of `below`."""
    own = model.new_cache()
    layers = [copy(layer) for layer in below.layers[:first_block]] if below is not None else []
    for whole in cache.layers[len(layers) :]:
        layer = copy(whole)
        layer.keys, layer.values = (t[row : row + 1].clone() for t in (whole.keys, whole.values))
        layers.append(layer)
    own.layers = layers
    return own


def joined_cache(caches: Sequence[Any]) -> Any:
    """One cache of all rows of some caches, in their order; they are used up, for two copies would be large.

    Shorter ones are padded at their end, for the caller to mask. With a sliding window in play all are of one length.
    """
    joined = max(caches, key=lambda cache: cache.get_seq_length())
    if len(caches) == 1:
        return joined
    for index, whole in enumerate(joined.layers):
        layers = [cache.layers[index] for cache in caches]
        keys, values = _end_to_end([layer.keys for layer in layers]), _end_to_end([layer.values for layer in layers])
        for layer in layers:
            layer.keys = layer.values = None
        whole.keys, whole.values = keys, values
    return joined


def attention_window(model: LanguageModel) -> int | None:
    """Tokens that the shortest sliding attention window holds; None when every block sees all tokens."""
    return min((layer.sliding_window for layer in model.new_cache().layers if layer.is_sliding), default=None)


def _end_to_end(rows: Sequence[Tensor]) -> Tensor:
    """[rows, heads, tokens, width] of several batches in one, padded to the longest."""
    longest = max(row.shape[2] for row in rows)
    return torch.cat([pad(row, (0, 0, 0, longest - row.shape[2])) for row in rows])
