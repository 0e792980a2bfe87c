"""Whether the server can do work, also when its database has broken under it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.store.database import DATABASE_FILE
from tests.api.site import Site, open_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Of one test: what is broken stays broken."""
    with open_site(tmp_path) as site:
        yield site


@pytest.mark.parametrize(("due", "starting", "said"), [(60.0, True, "is starting"), (-1.0, False, "no worker")])
def test_a_worker_on_its_way_is_told_from_none(site: Site, due: float, starting: bool, said: str) -> None:
    services = site.server.state.services
    site.server.state.services = replace(services, worker_due=time.time() + due)
    answer = site.client.get("/api/ready")
    assert (answer.status_code, answer.json()["ready"], answer.json()["starting"]) == (503, False, starting)
    assert said in answer.json()["detail"]


def drop_a_table(site: Site) -> None:
    with site.database.transaction() as session:
        session.execute(text("DROP TABLE workers"))


def replace_the_file(site: Site) -> None:
    site.database.close()  # connections come anew
    for file in site.settings.data.glob(f"{DATABASE_FILE}*"):
        file.write_bytes(b"no database " * 1000)


def replace_it_by_a_folder(site: Site) -> None:
    site.database.close()
    for file in site.settings.data.glob(f"{DATABASE_FILE}*"):
        file.unlink()
    (site.settings.data / DATABASE_FILE).mkdir()


@pytest.mark.parametrize("break_it", [drop_a_table, replace_the_file, replace_it_by_a_folder])
def test_a_broken_database_is_told_with_the_fix(site: Site, break_it: Callable[[Site], None]) -> None:
    assert site.client.get("/api/ready").json()["database"] is True
    break_it(site)
    answer = site.client.get("/api/ready")
    assert answer.status_code == 503
    said = answer.json()
    assert (said["ready"], said["database"], said["workers"]) == (False, False, [])
    assert "names a whole one" in said["detail"]
    assert "\n" not in said["detail"]
    assert site.client.get("/api/health").status_code == 200
