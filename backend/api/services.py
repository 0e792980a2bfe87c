"""What routes work with, handed to them by FastAPI. Knows the store's sessions; knows no route."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from backend.api.access import Access
from backend.audit.results import Report
from backend.store.database import Database, Session


@dataclass(frozen=True)
class Services:
    """Made once, by whoever starts the server."""

    database: Database
    access: Access
    report_html: Callable[[Report], str]  # the self-contained page; it is drawn with the dashboard's own figures
    version: str


def services(request: Request) -> Services:
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
Reading = Annotated[Session, Depends(reading, scope="function")]
"""Reads of one moment."""
Writing = Annotated[Session, Depends(writing, scope="function")]
"""One request, one transaction: committed when the route returns and before the answer leaves, undone if it raises."""
