"""Reading a very large audit: overview, prompts and features, page by page, sort by sort, filter by filter.

The time to the last byte over loopback, of answers that nobody had before: the server keeps those it has given. So
a request is made several times, each a little otherwise, and its median counts; the overview's page is drawn once.
"""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.service.server import Server

REPETITIONS = 5
DEEP = 60  # pages from the first
PAGE = 100  # rows: what the dashboard's grids ask for
PROMPT_SORTS = (
    "position", "id", "label", "category", "family", "split", "verdict", "score", "outcome", "set_size", "k", "depth",
    "random_flips", "flipped_direction", "flipped_fm", "flipped_probe",
)  # fmt: skip
FEATURE_SORTS = (
    "layer", "index", "rank", "cosine", "density", "activation_harmful", "activation_benign", "coverage_harmful",
    "coverage_benign", "effect", "in_minimal_sets", "woken",
)  # fmt: skip
Query = dict[str, Any]


def measure_pages(server: Server, audit_id: str) -> tuple[dict[str, float], dict[str, float]]:
    """Figures, and beside them every request's seconds, slowest first."""
    audit = f"/audits/{audit_id}"
    shown = _page_seconds(server, audit)
    overview = {path: _seconds(server, path, {}) for path in (audit, f"{audit}/distributions")}
    grids = {
        f"{name} {_words(query)}": _seconds(server, f"{audit}/{name}", query)
        for name in ("prompts", "features")
        for query in _queries(server, audit, name)
    }
    first = server.get(f"{audit}/features", limit=1)["items"][0]["id"]
    others = {
        "feature": _seconds(server, f"{audit}/features/{first}", {}),
        "prompts of a feature": _seconds(server, f"{audit}/features/{first}/prompts", {"limit": PAGE}),
    }
    figures = {
        "overview_calls_seconds": sum(overview.values()),
        "overview_page_seconds": shown,
        "grid_seconds_slowest": max(grids.values()),
        "grid_seconds_median": median(grids.values()),
        "feature_seconds_slowest": max(others.values()),
    }
    return figures, dict(sorted((grids | others).items(), key=lambda entry: -entry[1]))


def _queries(server: Server, audit: str, name: str) -> Iterator[Query]:
    """First page and deep page of every sort both ways, and filtered ones."""
    for sort in PROMPT_SORTS if name == "prompts" else FEATURE_SORTS:
        for signed in (sort, f"-{sort}"):
            query: Query = {"limit": PAGE, "sort": signed}
            yield query
            page = server.get(f"{audit}/{name}", **{**query, "limit": 500})
            for _ in range(DEEP * PAGE // 500):
                if page["next_cursor"] is None:
                    break
                query = {"limit": 500, "sort": signed, "cursor": page["next_cursor"]}
                page = server.get(f"{audit}/{name}", **query)
            yield {**query, "limit": PAGE}
    if name == "prompts":
        filters: list[Query] = [
            {"label": "harmful"}, {"category": "weapons"}, {"split": "test"}, {"verdict": "refused"},
            {"outcome": "flipped"}, {"outcome": "not_flipped", "sort": "-score"}, {"set_size": 1}, {"text": "how to"},
            {"text": "no prompt says this"},
        ]  # fmt: skip
    else:
        filters = [
            {"layer": 15}, {"in_sets": True}, {"in_sets": False, "sort": "-effect"}, {"woke": True}, {"text": "15:"},
            {"text": "99999999"}, {"layer": 15, "sort": "-cosine"},
        ]  # fmt: skip
    for query in filters:
        yield {"limit": PAGE, **query}


def _seconds(server: Server, path: str, query: Query) -> float:
    seconds = []
    for n in range(REPETITIONS):
        otherwise = {"limit": query["limit"] - n} if "limit" in query else {"again": n}
        began = time.perf_counter()
        server.client.get(f"/api{path}", params={**query, **otherwise}).raise_for_status()
        seconds.append(time.perf_counter() - began)
    return median(seconds)


def _page_seconds(server: Server, pathname: str) -> float:
    """The overview as the dashboard draws it: the server's answer to the browser that has come to this address."""
    address = {"id": "page-address", "property": "data"}
    parts = [{"id": "page", "property": "children"}, {"id": "page-title", "property": "data"}]
    request = {
        "output": "..page.children...page-title.data..",
        "outputs": parts,
        "inputs": [{**address, "value": {"pathname": pathname, "search": ""}}],
        "changedPropIds": ["page-address.data"],
        "state": [],
    }
    began = time.perf_counter()
    shown = server.client.post("/_dash-update-component", json=request).raise_for_status()
    seconds = time.perf_counter() - began
    if "features</" not in shown.text and "report" not in shown.text.lower():
        raise RuntimeError("the overview was not drawn")
    return seconds


def _words(query: Query) -> str:
    return " ".join(
        f"{name}={'...' if name == 'cursor' else value}" for name, value in query.items() if name != "limit"
    )
