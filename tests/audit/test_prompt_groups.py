"""Which prompts are searched: every one of the test split, and others of different categories."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from backend.audit.prompt_groups import searched_prompts
from backend.audit.spec import AuditedPrompt
from backend.prompts.prompt import Prompt
from backend.subjects.language_model import ChatTokens


def prompts(rows: Sequence[tuple[str, str]]) -> list[AuditedPrompt]:
    return [
        AuditedPrompt(Prompt(str(i), "text", "harmful", category, str(i), split), ChatTokens((i,), ("sink",), 0))
        for i, (split, category) in enumerate(rows)
    ]


ROWS = st.lists(st.tuples(st.sampled_from(["discovery", "validation", "test"]), st.sampled_from("abc")), max_size=20)


@given(ROWS, st.integers(0, 20))
def test_all_of_the_test_split_and_at_most_so_many_others(rows: list[tuple[str, str]], most: int) -> None:
    refused = prompts(rows)
    searched = searched_prompts(refused, most)
    assert searched == [p for p in refused if p in searched]  # in the order given
    assert [p for p in searched if p.split == "test"] == [p for p in refused if p.split == "test"]
    others = [p for p in refused if p.split != "test"]
    chosen = [p for p in searched if p.split != "test"]
    assert len(chosen) == min(most, len(others))
    # No category has two more than another that has prompts left.
    had, there = (Counter(p.prompt.category for p in some) for some in (chosen, others))
    fewest = min((had[c] for c in there if had[c] < there[c]), default=None)
    assert fewest is None or all(count <= fewest + 1 for count in had.values())
