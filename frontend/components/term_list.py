"""Terms and their definitions, folded until asked for: what tooltips say, for those who cannot hover."""

from collections.abc import Iterable
from typing import Any

from dash import html

from frontend.terms import TERMS


def term_list(title: str, terms: Iterable[str]) -> Any:
    entries = [part for term in terms for part in (html.Dt(term), html.Dd(TERMS[term]))]
    return html.Details([html.Summary(title), html.Dl(entries)], className="term-list")
