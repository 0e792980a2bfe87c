"""Processes of the product that start at once, to be watched, signalled and killed: forked from one that has imported
everything, which takes longer than what most tests ask of them."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    ["app.cli", "app.audit", "app.worker", "app.serve", "backend.subjects.planted.subject", "tests.jobs.service"]
)


def started(target: Callable[..., None], *arguments: Any, log: Path | None = None) -> BaseProcess:
    """log: where everything goes that it says, Python's own tracebacks included."""
    process = _FORKING.Process(target=_run, args=(target, arguments, log))
    process.start()
    return process


def command(arguments: Sequence[str], log: Path) -> BaseProcess:
    """`refusalscope ARGUMENTS`; `exitcode` is its own once it is joined."""
    return started(_command, tuple(arguments), log=log)


def _run(target: Callable[..., None], arguments: Sequence[Any], log: Path | None) -> None:
    if log is not None:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(file, stream)
    target(*arguments)


def _command(arguments: Sequence[str]) -> None:
    from app.cli import main

    sys.argv = ["refusalscope", *arguments]
    main()
