"""The comparison page: restored from its address, told in words, and every hostile text a text."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from backend.api.schemas import ComparedPrompt
from frontend.components.audit_actions import COMPARE_HINT, comparison_of
from frontend.components.compare_figures import small
from frontend.components.compare_prompt import prompt_beside
from frontend.components.compare_tables import CELLS, difference_words
from frontend.components.prompt_grid import compared_columns, compared_row
from frontend.components.revealable import ADDRESS, NOT_KEPT
from frontend.pages import compare
from frontend.shell import shown
from tests.frontend.compare_data import HOSTILE, RATE, comparison
from tests.frontend.features_data import audit_detail
from tests.frontend.prompt_data import UNAUDITED, prompt_detail
from tests.frontend.trees import by_id, links, parts, words
from tests.frontend.wire_values import audit, page, ui_over


def answers(n: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "/audits": page(*(audit(id=f"a{i}", name=f"audit {i}") for i in range(n))),
        "/comparisons": comparison(n).model_dump(mode="json"),
        **more,
    }


def view(search: str, n: int = 2, **more: Any) -> Any:
    ui = ui_over(answers(n, **more))
    compare.register(ui)
    return asyncio.run(shown(ui, "/compare", search)).body


def cells(tree: Any) -> list[Any]:
    return [part for part in parts(tree) if "flip-cell" in (getattr(part, "className", None) or "").split()]


def query(link: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_two_audits_are_told_in_words() -> None:
    said = words(view("?audits=a0,a1"))
    assert "8 prompts in common, 8 in the test split of both." in said
    assert "Of 8 prompts refused in both: 100 % in the reference, 62 % in the other." in said
    assert "McNemar's exact test: p = 0.250 (3 in the reference only, 0 in the other only)." in said
    assert "with 8 prompts a difference of" in said
    assert f"1 prompt in the reference only: {HOSTILE}." in said
    assert "Jaccard 1.00" in said
    assert "those fitted on included" in said


def test_the_cells_are_links_with_counts_and_keep_the_rest_of_the_address() -> None:
    body = view("?audits=a0,a1&cell=only_a")
    headline = cells(body)[:4]
    assert [words(cell) for cell in headline] == [
        "In both562 %", "In the reference only338 %", "In the other only00 %", "In neither00 %",
    ]  # fmt: skip
    assert [query(cell.href)["cell"] for cell in headline] == list(CELLS)
    assert {query(cell.href)["audits"] for cell in headline} == {"a0,a1"}
    chosen = [words(cell) for cell in cells(body) if "chosen" in cell.className]
    assert chosen == ["In the reference only338 %"]
    assert {query(cell.href).get("prompts") for cell in cells(body)[4:]} == {"all"}


def test_the_address_brings_back_outcome_cell_and_table() -> None:
    body = view("?audits=a0,a1&cell=both&prompts=all")
    filters = by_id(body, "compared-grid-filters").data
    assert (filters["reference"], filters["other"], filters["cell"], filters["prompts"]) == ("a0", "a1", "both", "all")
    assert next(part for part in parts(body) if part.__class__.__name__ == "Details").open is True
    assert by_id(body, "compare-audits").value == ["a0", "a1"]
    ids = {part.id for part in parts(view("?audits=a0,a1")) if isinstance(getattr(part, "id", None), str)}
    assert "compared-grid" not in ids


@pytest.mark.parametrize("search", ["?audits=a0,a1&cell=mine&outcome=x&prompts=y&other=none", "?audits=a0,a1&"])
def test_whatever_a_link_says_the_page_opens(search: str) -> None:
    assert "What became of each prompt" in words(view(search))


@pytest.mark.parametrize(("search", "title"), [("", "Choose two audits"), ("?audits=a0", "Choose another audit")])
def test_fewer_than_two_are_chosen_first(search: str, title: str) -> None:
    assert title in words(view(search))


def test_what_cannot_be_compared_says_why_and_lets_choose_again() -> None:
    ui = ui_over({"/audits": page(audit())})
    compare.register(ui)
    body = asyncio.run(shown(ui, "/compare", "?audits=a0,a1")).body
    assert "/comparisons: there is none" in words(body)
    assert by_id(body, "compare-audits") is not None


def test_of_three_each_can_be_looked_at_and_all_stand_in_one_table() -> None:
    body = view("?audits=a0,a1,a2&other=a2", n=3)
    said = words(body)
    assert "All audits" in said
    assert "25 % in the other" in said  # a2 flips 2 of 8
    others = [query(link) for link in links(body) if "other=a1" in link and "cell" not in link]
    assert others[0]["audits"] == "a0,a1,a2"


def test_swapping_makes_the_other_the_reference() -> None:
    assert any(query(link).get("audits") == "a1,a0" for link in links(view("?audits=a0,a1")))


def test_a_prompt_stands_side_by_side_each_side_with_its_own_audit() -> None:
    one, two = audit_detail(), audit_detail().model_copy(update={"has_completions": False})
    two = two.model_copy(update={"audit": two.audit.model_copy(update={"id": "other", "name": HOSTILE})})
    body = prompt_beside((one.model_copy(update={"has_completions": True}), two), (prompt_detail(), prompt_detail()))
    facts = [part.data for part in parts(body) if getattr(part, "_type", "") == "Store"]
    asked = {(fact["name"], fact["audit_id"]) for fact in facts if fact["text"] is None}
    assert ("h1/minimal/0", one.audit.id) in asked
    assert all(audit_id == one.audit.id for _, audit_id in asked)
    assert NOT_KEPT in words(body)
    places = [str(part.id) for part in parts(body) if isinstance(getattr(part, "id", None), dict)]
    assert len(places) == len(set(places))
    unlike = words(prompt_beside((one, two), (prompt_detail(), prompt_detail(UNAUDITED))))
    assert "not audited further" in unlike


def test_the_chosen_prompt_is_fetched_from_both() -> None:
    detail = audit_detail().model_dump(mode="json")
    story = prompt_detail().model_dump(mode="json")
    more = {f"/audits/{one}": detail for one in ("a0", "a1")} | {
        f"/audits/{one}/prompts/p1": story for one in ("a0", "a1")
    }
    body = view("?audits=a0,a1&cell=both&prompt=p1", **more)
    assert by_id(body, ADDRESS).data == {"audit_id": "a0", "prompt_id": "p1"}
    assert "Close" in words(by_id(body, "compared-prompt"))


def test_rows_of_the_grid_lead_to_the_prompt() -> None:
    line = prompt_detail().line
    row = compared_row(ComparedPrompt(id=line.id, text=line.text, a=line, b=line), "/compare?prompt=x")
    fields = {column["field"] for column in compared_columns()}
    assert fields <= set(row)
    assert row["link"] == {"href": "/compare?prompt=x", "text": line.id}


def rows(*states: str) -> list[dict[str, Any]]:
    return [{"id": f"a{i}", "state": state, "created_at": -float(i)} for i, state in enumerate(states)]


def test_ticked_audits_are_compared_the_oldest_first() -> None:
    assert comparison_of(rows("done", "done")) == ("/compare?audits=a1%2Ca0", "2 to compare")
    assert comparison_of(rows("done", "running", "done")) == ("/compare?audits=a2%2Ca0", "2 to compare, 1 not done")
    assert comparison_of(rows("done")) == ("/compare?audits=a0", COMPARE_HINT)
    assert comparison_of([]) == ("/compare", COMPARE_HINT)


def test_differences_in_words() -> None:
    assert difference_words(RATE, share=True) == "+50 points (+25 to +75), n 8"
    assert difference_words(RATE.__class__(-0.004, None, None, 3), share=True) == "0 points, n 3"
    assert difference_words(RATE.__class__(-1.5, -2.0, 0.0, 3), share=False) == "−1.50 (−2.00 to 0.00), n 3"
    assert (small(None), small(0.0001), small(0.25)) == ("–", "< 0.001", "0.250")
