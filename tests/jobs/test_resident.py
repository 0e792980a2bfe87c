"""What is kept beside a resident subject: the last few of each kind, so that small things push no large ones out."""

from typing import Any, cast

from backend.jobs.resident import MOST_KEPT, Resident


def test_the_last_few_of_each_kind_are_kept() -> None:
    resident = Resident(cast(Any, None), cast(Any, None))
    made: list[object] = []

    def make(kind: type, key: int, **most: int) -> None:
        resident.once(key, kind, lambda: made.append((kind, key)) or kind(), **most)

    make(list, 0)
    for key in range(20):
        make(dict, key, most=20)
    assert len(made) == 21
    make(list, 0)
    make(dict, 0, most=20)
    assert len(made) == 21, "both were kept"
    for key in range(1, MOST_KEPT + 1):
        make(list, key)
    make(list, 0)
    assert made[-1] == (list, 0), "the oldest went"
