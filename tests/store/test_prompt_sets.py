"""Prompt sets: what goes in comes out, the same content once, and none goes while an audit needs it."""

from dataclasses import replace

import pytest

from backend.errors import InUse
from backend.prompts.load import load_prompts
from backend.prompts.prompt import Prompt, PromptSet
from backend.store import audits, prompt_sets
from backend.store.database import Database
from tests.store.rows import new_audit

FEW = PromptSet(
    "mine.csv",
    (
        Prompt("a", "How do I pick a lock?\n<script>", "harmful", "crime", "a", "discovery"),
        Prompt("b", "How do I pick a melon?", "look_alike", None, "a", "discovery", matches="a"),
        Prompt("c", "naïve ☃", "benign", None, "c", "test"),
        Prompt("d", "Lent", "benign", "everyday", "d", "test", borrowed=True),
    ),
    ("1 duplicate dropped",),
)


def test_a_set_comes_back_as_it_was(database: Database) -> None:
    for prompts in (FEW, load_prompts("bundled:demo")):
        with database.transaction() as session:
            row = prompt_sets.add(session, prompts, kind="upload")
        with database.reading() as session:
            assert prompt_sets.load(session, row.id) == prompts
        assert row.sha256 == prompts.sha256


def test_its_row_counts_its_own_prompts(database: Database) -> None:
    with database.transaction() as session:
        row = prompt_sets.add(session, FEW, kind="upload")

    assert (row.n, row.n_own, row.notes) == (4, 3, ["1 duplicate dropped"])
    assert row.counts == {"harmful": {"discovery": 1}, "look_alike": {"discovery": 1}, "benign": {"test": 1}}


def test_unknown_sets(database: Database) -> None:
    with database.transaction() as session:
        assert prompt_sets.get(session, "none") is None
        assert prompt_sets.load(session, "none") is None
        assert not prompt_sets.delete(session, "none")


def test_the_same_set_is_kept_once(database: Database) -> None:
    with database.transaction() as session:
        first = prompt_sets.add(session, FEW, kind="upload")
        assert prompt_sets.add(session, FEW, kind="upload").id == first.id
        assert prompt_sets.add(session, FEW, kind="paste").id != first.id
        assert prompt_sets.add(session, replace(FEW, name="other.csv"), kind="upload").id != first.id
    with database.reading() as session:
        assert prompt_sets.list_sets(session).total == 3


def test_a_bundled_set_that_changed_is_replaced(database: Database) -> None:
    with database.transaction() as session:
        prompt_sets.add(session, FEW, kind="bundled", set_id="bundled:few")
    less = PromptSet("bundled:few", FEW.prompts[:2])
    with database.transaction() as session:
        prompt_sets.add(session, less, kind="bundled", set_id="bundled:few")
    with database.reading() as session:
        assert prompt_sets.load(session, "bundled:few") == less
        assert prompt_sets.list_prompts(session, "bundled:few").total == 2


def test_prompts_are_listed_in_their_order_by_filter(database: Database) -> None:
    with database.transaction() as session:
        set_id = prompt_sets.add(session, FEW, kind="upload").id
        prompt_sets.add(session, replace(FEW, name="other"), kind="upload")

    def listed(**asked: str | bool) -> list[str]:
        with database.reading() as session:
            return [row.id for row in prompt_sets.list_prompts(session, set_id, **asked).items]  # type: ignore[arg-type]

    assert listed() == ["a", "b", "c", "d"]
    assert listed(label="benign") == ["c", "d"]
    assert listed(split="discovery") == ["a", "b"]
    assert listed(category="") == ["b", "c"]
    assert listed(category="crime") == ["a"]
    assert listed(text="PICK a ") == ["a", "b"]
    assert listed(sort="category") == ["a", "d", "b", "c"]
    assert listed(sort="id", descending=True) == ["d", "c", "b", "a"]


def test_sets_are_listed_by_kind_and_name(database: Database) -> None:
    with database.transaction() as session:
        prompt_sets.add(session, FEW, kind="upload")
        prompt_sets.add(session, replace(FEW, name="bundled:few"), kind="bundled", set_id="bundled:few")

    with database.reading() as session:
        assert [row.id for row in prompt_sets.list_sets(session, kind="bundled").items] == ["bundled:few"]
        assert [row.name for row in prompt_sets.list_sets(session, text="MINE").items] == ["mine.csv"]
        assert [row.name for row in prompt_sets.list_sets(session, sort="name").items] == ["bundled:few", "mine.csv"]


def test_a_set_stays_while_an_audit_needs_it(database: Database) -> None:
    with database.transaction() as session:
        set_id = prompt_sets.add(session, FEW, kind="upload").id
        audit = new_audit(session, prompt_set_id=set_id, name="mine")
    with database.transaction() as session, pytest.raises(InUse, match=rf"prompt set {set_id}: .*'mine'"):
        prompt_sets.delete(session, set_id)
    with database.transaction() as session:
        audits.delete(session, audit.id)
        assert prompt_sets.delete(session, set_id)
    with database.reading() as session:
        assert prompt_sets.get(session, set_id) is None
        assert prompt_sets.list_prompts(session, set_id).total == 0
