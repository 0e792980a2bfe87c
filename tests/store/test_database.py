"""Opening a database, and what its transactions promise."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.errors import BadInput, OutputError
from backend.store import jobs, prompt_sets
from backend.store.database import Database


def test_without_a_url_it_is_a_file_of_the_data_directory(tmp_path: Path) -> None:
    database = Database.open(None, tmp_path / "new")
    database.close()

    assert (tmp_path / "new" / "refusalscope.db").is_file()


def test_sqlite_is_in_wal_mode_and_keeps_foreign_keys(tmp_path: Path) -> None:
    database = Database.open(None, tmp_path)
    with database.reading() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "synchronous")
        }
    database.close()

    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1}


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense", "not a URL"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("mysql://localhost/x", "mysql is not supported"),
        ("sqlite+nodriver:///x", "no driver"),
        ("sqlite:////nowhere/at/all.db", "cannot open"),
        ("postgresql://user:secret@localhost:1/x", "cannot open"),
        ("postgres://user:secret@localhost:1/x", "cannot open"),
    ],
)
def test_a_url_that_cannot_be_used_is_explained_in_one_line(url: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"--database: .*{problem}") as raised:
        Database.open(url, tmp_path)

    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_data_directory_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--data: cannot write"):
        Database.open(None, tmp_path / "file")


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "refusalscope.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(BadInput, match=r"--database: cannot open .*: file is not a database"):
        Database.open(None, tmp_path)


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    def submit_and_fail() -> None:
        with database.transaction() as session:
            jobs.submit(session, "audit", {}, priority=0, job_id="one")
            raise KeyError

    with pytest.raises(KeyError):
        submit_and_fail()
    with database.reading() as session:
        assert jobs.read(session, "one") is None


def test_reading_keeps_nothing(database: Database) -> None:
    with database.reading() as session:
        jobs.submit(session, "audit", {}, priority=0, job_id="one")
    with database.reading() as session:
        assert jobs.read(session, "one") is None


def test_rows_outlive_their_session(database: Database) -> None:
    with database.transaction() as session:
        job = jobs.submit(session, "audit", {"text": "naïve \u0000 ☃"}, priority=3)

    assert (job.args, job.priority, job.state, job.progress) == ({"text": "naïve \u0000 ☃"}, 3, "queued", None)


def test_a_value_left_out_is_null_and_not_json_s_null(database: Database) -> None:
    with database.transaction() as session:
        jobs.submit(session, "audit", {}, priority=0)
        jobs.claim(session, "worker", 10, now=1.0)
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM jobs WHERE progress IS NULL AND result IS NULL")) == 1


@pytest.mark.parametrize("value", ["half a pair \ud800", "nul \x00"])
def test_a_text_that_the_database_cannot_keep_is_bad_input(database: Database, value: str) -> None:
    if value.isascii() and database.engine.dialect.name == "sqlite":
        return  # SQLite keeps every character that UTF-8 has
    with pytest.raises(BadInput, match="remove it"), database.reading() as session:
        prompt_sets.list_sets(session, text=value)


def test_the_store_loads_neither_torch_nor_the_api() -> None:
    program = (
        "import pkgutil, sys, importlib, backend.store as store\n"
        "for module in pkgutil.iter_modules(store.__path__, 'backend.store.'):\n"
        "    importlib.import_module(module.name)\n"
        "print([m for m in ('torch', 'numpy', 'fastapi', 'dash', 'backend.api') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
