"""How an audit tells where it is, and how finished work is kept. Knows no file and no screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


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


class NothingKept:
    """A checkpoint that keeps nothing: every run computes everything."""

    def load(self, key: str, kind: type[T]) -> T | None:
        return None

    def save(self, key: str, value: Any) -> None:
        return None
