"""What is worked on together is kept whole, or worked on again whole."""

from typing import Any

import pytest

from backend.audit.progress import kept_together


class Kept:
    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def load(self, key: str, kind: type[Any]) -> Any:
        return self.values.get(key)

    def save(self, key: str, value: Any) -> None:
        self.values[key] = value


def test_what_is_all_there_is_not_worked_on_again() -> None:
    def work() -> list[int]:
        raise AssertionError("worked on again")

    assert kept_together(Kept({"a": 1, "b": 0}), ["a", "b"], int, work) == [1, 0]


@pytest.mark.parametrize("there", [{}, {"a": 7}, {"b": 8}])
def test_where_one_is_missing_all_are_worked_on_and_kept(there: dict[str, int]) -> None:
    kept = Kept(dict(there))
    assert kept_together(kept, ["a", "b"], int, lambda: [1, 2]) == [1, 2]
    assert kept.values == {"a": 1, "b": 2}
