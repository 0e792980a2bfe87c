"""What is worked on together is kept whole, or worked on again whole."""

from collections.abc import Sequence
from typing import Any

import pytest

from backend.audit.progress import TOGETHER, kept_in_groups, kept_together


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


def test_groups_are_kept_one_after_another_and_only_one_with_a_gap_is_worked_on_again() -> None:
    kept, asked = Kept({}), list[tuple[list[int], int]]()
    work = list(range(2 * TOGETHER + 1))
    keys = [f"key {one}" for one in work]

    def double(group: Sequence[int], before: int) -> list[int]:
        asked.append((list(group), before))
        return [2 * one for one in group]

    assert kept_in_groups(kept, work, keys, int, double) == [2 * one for one in work]
    groups = [group for group, _ in asked]
    assert [one for group in groups for one in group] == work
    assert max(map(len, groups)) <= TOGETHER
    assert [before for _, before in asked] == [group[0] for group in groups]
    del kept.values[keys[groups[1][-1]]]
    asked.clear()
    assert kept_in_groups(kept, work, keys, int, double) == [2 * one for one in work]
    assert asked == [(groups[1], groups[1][0])]
    assert kept_in_groups(kept, [], [], int, double) == []
