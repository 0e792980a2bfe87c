"""What may happen between two forward passes. Knows nothing of either."""

from collections.abc import Callable

BetweenBatches = Callable[[], None]
"""Called before every forward pass: of a batch, of a prefix or prompt state, of each generated token.

The model is as it came at that moment, so that another engine over the same model may work inside the call. What it
raises ends the work asked for; the engine stays usable.
"""


def go_on() -> None:
    """For an engine that nobody interrupts."""
