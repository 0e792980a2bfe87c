"""How every list is asked for and answered: cursor, limit, sort, filters. Knows pages; knows no row."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from backend.api.schemas import Page
from backend.store.paging import RowPage

R = TypeVar("R")
W = TypeVar("W")


class Listing(BaseModel):
    """Query of a list. Its filters are fields of the subclass, named as the store's function has them."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(None, max_length=4000, description="`next_cursor` of the page before")
    limit: int = Field(50, ge=1, le=500)
    sort: str | None = Field(None, max_length=60, description="a column; `-score` descends")

    def arguments(self) -> dict[str, Any]:
        """As the store's list functions take it."""
        given = self.model_dump()
        sort = given.pop("sort")
        if sort is not None:
            given |= {"sort": sort.removeprefix("-"), "descending": sort.startswith("-")}
        return given


def page(rows: RowPage[R], wire: Callable[[R], W]) -> Page[W]:
    return Page(items=[wire(row) for row in rows.items], total=rows.total, next_cursor=rows.next_cursor)
