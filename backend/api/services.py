"""What routes work with, handed to them by FastAPI. Knows the store's sessions; knows no route."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from backend.api.access import Access
from backend.api.given_answers import GivenAnswers
from backend.audit.results import Report
from backend.store.database import Database, Session

READERS, WRITERS = 4, 8
"""Requests at work on the database at once; the others wait without a thread.

A request holds its connection until its answer is made, and needs a thread for that. As many requests as there are
connections and threads would wait for each other: these must be fewer than the database's connections. More readers
than a few only take turns on Python's one interpreter lock, and each of them is slower.
"""


@dataclass(frozen=True)
class Services:
    """Made once, by whoever starts the server."""

    database: Database
    access: Access
    report_html: Callable[[Report], str]  # the self-contained page; it is drawn with the dashboard's own figures
    version: str
    answers: GivenAnswers
    worker_due: float = 0.0  # until this time, in seconds since 1970, a worker that it started may still be on its way


async def services(request: Request) -> Services:
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


def reading(given: Annotated[Services, Depends(services)]) -> Iterator[Session]:
    with given.database.reading() as session:
        yield session


def writing(given: Annotated[Services, Depends(services)]) -> Iterator[Session]:
    with given.database.transaction() as session:
        yield session


Given = Annotated[Services, Depends(services)]
Reading = Annotated[Session, Depends(reading, scope="function", max_concurrency=READERS)]
"""Reads of one moment."""
Writing = Annotated[Session, Depends(writing, scope="function", max_concurrency=WRITERS)]
"""One request, one transaction: committed when the route returns and before the answer leaves, undone if it raises."""
