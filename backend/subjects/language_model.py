"""What the engine needs from a language model: a residual stream it can start, stop, watch and edit.

Knows tensors and token positions; knows neither SAEs nor refusal.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor

PositionClass = Literal["sink", "system", "instruction", "post_instruction", "response"]
"""Where a token stands: sink (the first token, an attention sink), system (everything before the user's
text), instruction (the user's text), post_instruction (template tokens after it), response (generated)."""

POSITION_CLASSES: tuple[PositionClass, ...] = get_args(PositionClass)


Exchange = tuple[str, str]
"""An earlier user message and its answer."""


@dataclass(frozen=True)
class ChatTokens:
    """A prompt as the model sees it, up to the first response token."""

    ids: tuple[int, ...]
    classes: tuple[PositionClass, ...]  # one per token
    prefix_length: int  # leading tokens shared by every prompt of this subject (template and system text)

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.classes):
            raise ValueError("ids and classes differ in length")
        if not 0 <= self.prefix_length < len(self.ids):
            raise ValueError("prefix_length must leave at least one token")

    @property
    def n_own(self) -> int:
        """Tokens after the shared prefix."""
        return len(self.ids) - self.prefix_length


@dataclass(frozen=True)
class Disturbance:
    """A change of every weight matrix of the blocks.

    noise: w + amount x sd(w) x standard normal, drawn by `seed`. int8: w rounded to 255 levels by output row, symmetric
    absmax, and back; amount and seed do not matter.
    """

    kind: Literal["noise", "int8"]
    amount: float = 0.0
    seed: int = 0


BlockEdit = Callable[[Tensor], Tensor | None]
"""Gets `resid_post` [batch, tokens, d_model]; returns what replaces it, or None to leave it."""


class LanguageModel(Protocol):
    """A decoder-only transformer seen as embedding -> blocks -> final norm -> unembedding."""

    name: str
    n_layers: int
    d_model: int
    vocab_size: int
    eos_ids: frozenset[int]
    max_tokens: int  # longest context the model takes

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    def encode_chat(self, text: str, earlier: Sequence[Exchange] = ()) -> ChatTokens:
        """Wrap a user message in the chat template, behind earlier exchanges where there are any; these count as
        system, as everything before the message does. Special tokens inside the texts stay plain text."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Token ids -> text, special tokens dropped."""
        ...

    def token_text(self, token_id: int) -> str:
        """One token as readable text, special tokens included."""
        ...

    def token_id(self, text: str) -> int:
        """The first token of some text that stands at the start of a response."""
        ...

    def new_cache(self) -> Any:
        """An empty key-value cache for `run`."""
        ...

    def run(
        self,
        start: Tensor,
        *,
        first_block: int = 0,
        edits: dict[int, BlockEdit] | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Any = None,
    ) -> Tensor:
        """Run the blocks and return the residual after the last one, before the final norm [batch, tokens, d_model].

        start: token ids [batch, tokens] (int64) when first_block is 0, else the residual entering block
            first_block [batch, tokens, d_model]. Blocks below first_block are skipped and cost nothing.
        edits: per layer l, called with resid_post of block l (l >= first_block).
        attention_mask: [batch, cached + tokens], 1 where a key may be seen; None sees all, causally.
        position_ids: [batch, tokens]; None counts on from the cache's length.
        """
        ...

    def unembed(self, residual: Tensor, norm_scale: Tensor | None = None) -> Tensor:
        """Final norm and unembedding: [n, d_model] -> float32 logits [n, vocab].

        norm_scale [n, 1]: use this divisor in the final norm instead of the residual's own (frozen scale).
        """
        ...

    def norm_scale(self, residual: Tensor) -> Tensor:
        """The divisor [n, 1] the final norm would use on residual [n, d_model]."""
        ...

    def disturbed(self, disturbance: Disturbance) -> AbstractContextManager[None]:
        """Inside, the blocks' weights are disturbed; on leaving they are what they were, to the last bit. What is given
        may be entered again and again: the disturbance is worked out once."""
        ...

    def plain_logits(self, ids: Tensor) -> Tensor:
        """The library's own unhelped forward pass, [batch, tokens] -> [batch, tokens, vocab]: for reference runs."""
        ...

    def block(self, layer: int) -> torch.nn.Module:
        """The module whose output is resid_post of `layer`: for reference runs."""
        ...
