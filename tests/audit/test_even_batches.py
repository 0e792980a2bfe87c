"""Requests are cut into batches that lose nothing and leave no small rest."""

from hypothesis import given
from hypothesis import strategies as st

from backend.audit.even_batches import even_batches


@given(st.integers(0, 500), st.integers(1, 130))
def test_batches_hold_every_request_once_in_order_and_are_of_one_size(n: int, most: int) -> None:
    requests = list(range(n))
    batches = list(even_batches(requests, most))
    assert [one for batch in batches for one in batch] == requests
    assert len(batches) == -(-n // most)
    sizes = [len(batch) for batch in batches]
    assert not sizes or (max(sizes) <= most and max(sizes) - min(sizes) <= 1)


def test_a_hundred_by_sixty_four_is_two_halves() -> None:
    assert [len(batch) for batch in even_batches(list(range(100)), 64)] == [50, 50]
