"""Prompts by split, in types: what makes a headline figure takes `TestRows`, so that mypy rejects any other split's
rows and a call that mypy never saw is refused at run time. Knows no figure's meaning.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar, cast, overload

from backend.audit.results import Figure, FigureSplit
from backend.prompts.prompt import Split


class OfSplit(Protocol):
    """A prompt, or what was found on one."""

    @property
    def split(self) -> str: ...


SplitT = TypeVar("SplitT", bound=Split)
RowT = TypeVar("RowT", bound=OfSplit, covariant=True)
T = TypeVar("T")


@dataclass(frozen=True)
class Rows(Sequence[RowT], Generic[SplitT, RowT]):
    """Prompts, or results of prompts, all of one split. Raises ValueError when one is of another."""

    split: SplitT
    rows: tuple[RowT, ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if row.split != self.split:
                raise ValueError(f"{self.split} rows: one is of the {row.split} split")

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RowT]:
        return iter(self.rows)

    @overload
    def __getitem__(self, index: int) -> RowT: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RowT, ...]: ...
    def __getitem__(self, index: int | slice) -> RowT | tuple[RowT, ...]:
        return self.rows[index]


TestRows: TypeAlias = Rows[Literal["test"], RowT]


def of_split(rows: Iterable[RowT], split: SplitT) -> Rows[SplitT, RowT]:
    """Those of the rows that belong to this split, in order."""
    return Rows(split, tuple(row for row in rows if row.split == split))


def require_test(rows: TestRows[RowT]) -> TestRows[RowT]:
    """The same rows. Raises ValueError when they are not known to be test rows, which only code without types does."""
    if not isinstance(rows, Rows):
        raise ValueError("headline from prompts of no known split; choose the test ones with of_split")
    if rows.split != "test":
        raise ValueError(f"headline from {rows.split} prompts; only test prompts make one")
    return rows


def marked(result: T, split: FigureSplit) -> T:
    """The same result, with this split written on every measured figure in it that names none."""
    return cast(T, _marked(result, split))


def _marked(value: Any, split: FigureSplit) -> Any:
    if isinstance(value, Figure):
        return replace(value, split=split) if value.n and value.split is None else value
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _marked(old, split) for f in fields(value) if (old := getattr(value, f.name)) is not None}
        return replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(_marked(item, split) for item in value)
    if isinstance(value, dict):
        return {key: _marked(item, split) for key, item in value.items()}
    return value
