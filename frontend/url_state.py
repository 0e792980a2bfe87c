"""View state in the URL: reading a query, writing one, and the address of every page. Knows no component.

A place (page, tab, selected row) is a link, so that back and forward reach it. An adjustment (filter, sort, search)
replaces the query in place by `UrlState`'s store, so that reload and sharing keep it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode


def read_query(search: str | None) -> dict[str, str]:
    """`?a=1&b=x` as names and values; of a name given twice the last counts."""
    return dict(parse_qsl((search or "").removeprefix("?"), keep_blank_values=True))


def write_query(**values: Any) -> str:
    """`?a=1&b=x` in the order given; None, empty and False are left out, lists are joined by commas."""
    pairs = [
        (name, _text(value))
        for name, value in values.items()
        if value is not None and value is not False and value not in ("", [], ())
    ]
    return "?" + urlencode(pairs) if pairs else ""


def choice(query: Mapping[str, str], name: str, allowed: Collection[str], default: str) -> str:
    """A value of the query if it is one of `allowed`: whatever a link says, a page opens."""
    value = query.get(name, default)
    return value if value in allowed else default


def whole(query: Mapping[str, str], name: str, default: int | None = None) -> int | None:
    value = query.get(name, "")
    return int(value) if value.lstrip("-").isdecimal() and value.isascii() and len(value) < 12 else default


def names(query: Mapping[str, str], name: str) -> list[str]:
    """A comma-separated list; empty when absent."""
    return [part for part in query.get(name, "").split(",") if part]


def audits_path(**state: Any) -> str:
    return "/audits" + write_query(**state)


def new_audit_path(**state: Any) -> str:
    return "/audits/new" + write_query(**state)


def audit_path(audit_id: str, page: str | None = None, **state: Any) -> str:
    """An audit's overview, or another page of it: `prompts`, `verification` ..."""
    return f"/audits/{_part(audit_id)}" + (f"/{page}" if page else "") + write_query(**state)


def prompt_path(audit_id: str, prompt_id: str, **state: Any) -> str:
    return f"/audits/{_part(audit_id)}/prompts/{_part(prompt_id)}" + write_query(**state)


def feature_path(audit_id: str, feature: str, **state: Any) -> str:
    """`21:1130` is `.../features/21-1130`."""
    return f"/audits/{_part(audit_id)}/features/{_part(feature.replace(':', '-'))}" + write_query(**state)


def feature_of_path(part: str) -> str:
    """`21-1130` of a path as the feature `21:1130`."""
    return part.replace("-", ":", 1)


def download_path(audit_id: str, file: str) -> str:
    """A file of an audit: report.json, report.html, prompts.csv or features.csv."""
    return f"/api/audits/{_part(audit_id)}/{file}"


def compare_path(audits: Iterable[str], **state: Any) -> str:
    """Audits beside each other, the reference first."""
    return "/compare" + write_query(audits=list(audits), **state)


def _part(name: str) -> str:
    return quote(name, safe="")


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(str(part) for part in value)
    return "1" if value is True else str(value)
