"""What may happen between two forward passes. Knows nothing of either."""

from collections.abc import Callable
from typing import ParamSpec

import torch

P = ParamSpec("P")

BetweenBatches = Callable[[], None]
"""Called before every forward pass: of a batch, of a prefix or prompt state, of each generated token.

The model is as it came at that moment, so that another engine over the same model may work inside the call. What it
raises ends the work asked for; the engine stays usable.
"""


def go_on() -> None:
    """For an engine that nobody interrupts."""


def in_normal_mode(call: Callable[P, None]) -> Callable[P, None]:
    """The same outside torch's inference mode, in which an engine computes: a whole audit may be run there, and an
    audit also trains."""

    def called(*args: P.args, **kwargs: P.kwargs) -> None:
        with torch.inference_mode(False):
            call(*args, **kwargs)

    return called
