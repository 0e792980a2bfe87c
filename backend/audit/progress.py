"""How an audit tells where it is, and how finished work is kept. Knows no file and no screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from backend.audit.even_batches import even_batches

TOGETHER = 8  # prompts worked on side by side; a kill loses at most these

T = TypeVar("T")
W = TypeVar("W")


@dataclass(frozen=True)
class Step:
    """One report of progress within a stage."""

    stage: str
    done: int
    total: int
    detail: str = ""  # e.g. the id of the prompt in hand
    under_way: float = 0.0  # how many more the work on unfinished ones comes to


Progress = Callable[[Step], None]
"""Called often; raising from it (Interrupted) stops the audit, with finished prompts kept."""


class Checkpoint(Protocol):
    """Keeps finished work by key, each value whole or not at all."""

    def load(self, key: str, kind: type[T]) -> T | None:
        """The value kept under `key`, or None when there is none."""
        ...

    def save(self, key: str, value: Any) -> None:
        """Keep a frozen value under `key`."""
        ...


def kept(checkpoint: Checkpoint, key: str, kind: type[T], work: Callable[[], T]) -> T:
    """What is kept under `key`, or else the result of the work, kept from now on."""
    value = checkpoint.load(key, kind)
    if value is None:
        value = work()
        checkpoint.save(key, value)
    return value


def kept_together(
    checkpoint: Checkpoint, keys: Sequence[str], kind: type[T], work: Callable[[], Sequence[T]]
) -> Sequence[T]:
    """What is kept under every one of some keys, or else, where any is missing, the results of the work for all of
    them: what is worked on together comes out the same whatever of it was kept."""
    values = [checkpoint.load(key, kind) for key in keys]
    found = [value for value in values if value is not None]
    if len(found) == len(keys):
        return found
    worked = work()
    for key, value in zip(keys, worked, strict=True):
        checkpoint.save(key, value)
    return worked


def kept_in_groups(
    checkpoint: Checkpoint,
    work: Sequence[W],
    keys: Sequence[str],
    kind: type[T],
    do: Callable[[Sequence[W], int], Sequence[T]],
) -> list[T]:
    """The result of each piece of work, a few at a time, each group kept together.

    do: works on a group, given how many pieces come before it.
    """
    results: list[T] = []
    for group in even_batches(list(zip(work, keys, strict=True)), TOGETHER):
        afresh = partial(do, [piece for piece, _ in group], len(results))
        results += kept_together(checkpoint, [key for _, key in group], kind, afresh)
    return results


class NothingKept:
    """A checkpoint that keeps nothing: every run computes everything."""

    def load(self, key: str, kind: type[T]) -> T | None:
        return None

    def save(self, key: str, value: Any) -> None:
        return None
