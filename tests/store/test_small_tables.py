"""Subjects, workers, shards, links, reveals and saved sets: a row in, the same row out."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.errors import InUse
from backend.store import audits, links, reveals, saved_sets, shards, subjects, workers
from backend.store.database import Database
from tests.store.rows import new_audit


def test_a_subject_added_again_keeps_its_check(database: Database) -> None:
    with database.transaction() as session:
        subjects.add(session, "mine", kind="added", description="old", source="/models/a")
        subjects.set_check(session, "mine", {"ok": True}, now=4.0, layers=[3, 5])
    with database.transaction() as session:
        subjects.add(session, "mine", kind="added", description="new", source="/models/b")
        subjects.add(session, "planted", kind="planted")
        subjects.add(session, "smollm2-135m-sft", kind="bundled")
    with database.reading() as session:
        row = subjects.get(session, "mine")
        listed = [row.id for row in subjects.list_subjects(session).items]
        assert subjects.get(session, "none") is None
    assert row is not None
    assert (row.description, row.source, row.check, row.checked, row.layers) == (
        "new", "/models/b", {"ok": True}, 4.0, [3, 5],
    )  # fmt: skip
    assert listed == ["mine", "planted", "smollm2-135m-sft"]  # as they came


def test_an_added_subject_goes_once_no_audit_names_it(database: Database) -> None:
    with database.transaction() as session:
        subjects.add(session, "mine", kind="added", source="/models/a")
        subjects.add(session, "planted", kind="planted")
        audit = new_audit(session, subject_id="mine", name="first look")
    with (
        database.transaction() as session,
        pytest.raises(InUse, match=r"subject mine: audits name it \('first look'\)"),
    ):
        subjects.delete(session, "mine")
    with database.transaction() as session:
        assert subjects.ids(session) == ["mine", "planted"]
        audits.delete(session, audit.id)
        assert subjects.delete(session, "mine")
        assert not subjects.delete(session, "mine")
        assert not subjects.delete(session, "planted")
    with database.reading() as session:
        assert subjects.ids(session) == ["planted"]


def test_audits_are_counted_by_subject(database: Database) -> None:
    with database.transaction() as session:
        for subject in ("a", "a", "b"):
            new_audit(session, subject_id=subject)
        assert subjects.count_audits(session) == {"a": 2, "b": 1}


def test_a_worker_is_alive_while_it_is_seen(database: Database) -> None:
    def seen(worker: str, now: float, subject: str | None = None) -> None:
        with database.transaction() as session:
            workers.seen(
                session, worker, device="cpu", pid=7, subject=subject, job_id=None, started=1.0, now=now
            )  # fmt: skip

    seen("one", 100.0)
    seen("two", 110.0)
    seen("one", 120.0, "planted")
    with database.transaction() as session:
        assert [(row.id, row.subject, row.seen) for row in workers.alive(session, 130.0)] == [
            ("one", "planted", 120.0),
            ("two", None, 110.0),
        ]
        assert [row.id for row in workers.alive(session, 145.0)] == ["one"]
        assert workers.alive(session, 145.0, within=5) == []
        workers.gone(session, "one")
        assert [row.id for row in workers.alive(session, 130.0)] == ["two"]


def test_a_shard_is_written_once(database: Database) -> None:
    key = f"fit-pairs-{'a' * 64}"
    with database.transaction() as session:
        assert shards.load(session, key) is None
        shards.save(session, key, b"{}", audit_id="first")
    with database.transaction() as session:
        shards.save(session, key, b"[]", audit_id="second")
    with database.reading() as session:
        assert shards.load(session, key) == b"{}"
        assert shards.load(session, f"{key}x") is None


def test_workers_that_finish_the_same_shard_at_once_do_not_collide(database: Database) -> None:
    def save(number: int) -> None:
        for i in range(10):
            with database.transaction() as session:
                shards.save(session, f"baseline-{i}", b"%d" % number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(save, range(4)))
    with database.reading() as session:
        assert all(shards.load(session, f"baseline-{i}") for i in range(10))


def test_a_link_is_kept_with_its_use_and_its_end(database: Database) -> None:
    with database.transaction() as session:
        audit, other = new_audit(session), new_audit(session)
        first = links.create(session, audit.id, label="for Ada", created=1.0, expires=10.0)
        second = links.create(session, audit.id, label="", created=2.0, expires=20.0)
        links.create(session, other.id, label="", created=2.0, expires=20.0)
    with database.transaction() as session:
        links.used(session, second.id, now=3.0)
        assert links.revoke(session, second.id, now=4.0)
        assert links.revoke(session, second.id, now=5.0)
        assert not links.revoke(session, "none", now=4.0)
    with database.reading() as session:
        listed = links.list_links(session, audit.id).items
        assert [(row.id, row.revoked, row.last_used) for row in listed] == [
            (second.id, 4.0, 3.0),
            (first.id, None, None),
        ]
        assert links.get(session, second.id) in listed
        assert links.get(session, "none") is None


def test_reveals_are_on_record_latest_first(database: Database) -> None:
    with database.transaction() as session:
        audit = new_audit(session)
        for created, prompt in ((1.0, "a"), (2.0, "b"), (3.0, "a")):
            reveals.add(session, audit.id, prompt, completion=f"{prompt}/baseline", reader="127.0.0.1", created=created)
    with database.reading() as session:
        assert [row.created for row in reveals.list_reveals(session, audit.id).items] == [3.0, 2.0, 1.0]
        assert [row.created for row in reveals.list_reveals(session, audit.id, prompt_id="a").items] == [3.0, 1.0]


def test_saved_sets_are_those_of_one_prompt(database: Database) -> None:
    what = {"features": ["3:7"], "mode": "zero"}
    with database.transaction() as session:
        audit = new_audit(session)
        first = saved_sets.add(session, audit.id, "a", name="mine", intervention=what, created=1.0)
        saved_sets.add(session, audit.id, "b", name="other", intervention=what, created=2.0)
    with database.transaction() as session:
        (row,) = saved_sets.list_sets(session, audit.id, "a").items
        assert (row.id, row.name, row.intervention) == (first.id, "mine", what)
        assert saved_sets.delete(session, first.id)
        assert not saved_sets.delete(session, first.id)
        assert saved_sets.list_sets(session, audit.id, "a").items == []
