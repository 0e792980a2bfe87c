"""A key-value cache that takes one more token, and lets rows go, without copying all that it holds: what the
library's does each time."""

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64  # tokens for which room is set aside at a time


class RoomyLayer(DynamicLayer):
    """The library's growing layer with room behind its last token. Whoever sets `keys` and `values` otherwise may: what
    the layer did not hand out itself is copied once more into a room of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rooms: tuple[Tensor, Tensor] | None = None
        self._handed_out: Tensor | None = None  # keys, as a view of the room

    def batch_select_indices(self, indices: Tensor) -> None:
        """Rows that keep their place are not copied, where no other is taken from a place that is filled anew."""
        moved = (indices != torch.arange(len(indices), device=indices.device)).nonzero().flatten()
        if self._rooms is None or self.keys is not self._handed_out or bool((indices[moved] < len(indices)).any()):
            super().batch_select_indices(indices)
            return
        held = self.get_seq_length()
        for room in self._rooms:
            room[moved, :, :held] = room[indices[moved], :, :held]
        self._rooms = self._rooms[0][: len(indices)], self._rooms[1][: len(indices)]
        self._hand_out(held)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        held = self.get_seq_length()
        if key_states.shape[-2] > 1 or held == 0:
            return super().update(key_states, value_states, *args, **kwargs)
        if self._rooms is None or self.keys is not self._handed_out or held == self._rooms[0].shape[-2]:
            self._rooms = _room_for(self.keys), _room_for(self.values)
        for room, new in zip(self._rooms, (key_states, value_states), strict=True):
            room[..., held : held + 1, :] = new
        self._hand_out(held + 1)
        return self.keys, self.values

    def _hand_out(self, tokens: int) -> None:
        assert self._rooms is not None
        self.keys, self.values = (room[..., :tokens, :] for room in self._rooms)
        self._handed_out = self.keys


def roomy(cache: DynamicCache) -> DynamicCache:
    """The cache with room in every layer that keeps all tokens; those of a sliding window stay as they are."""
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def _room_for(held: Tensor) -> Tensor:
    room = torch.empty(*held.shape[:-2], held.shape[-2] + ROOM, held.shape[-1], dtype=held.dtype, device=held.device)
    room[..., : held.shape[-2], :] = held
    return room
