"""The features page: what it shows of an audit, in the state that its address asks for."""

import pytest

from backend.api.schemas import Distributions, FeatureLine, LayerUse, Page
from frontend.pages.features import GRID, PLANE, features, features_query
from frontend.url_state import read_query
from tests.frontend.features_data import audit_detail, line
from tests.frontend.trees import by_id, links, words

LAYERS = [LayerUse(layer=21, n_candidates=2, best_cosine=0.8, in_minimal_sets=12, woken=3)]
DISTRIBUTIONS = Distributions(set_sizes={}, depths={}, slices=[], layers=LAYERS, never_flipped=[])


def page_of(*lines: FeatureLine, total: int | None = None) -> Page[FeatureLine]:
    return Page[FeatureLine](items=list(lines), total=len(lines) if total is None else total, next_cursor=None)


def test_a_cold_link_restores_filters_and_sort() -> None:
    query = {"layer": "21", "role": "woke", "text": "113", "sort": "effect"}
    view = features(audit_detail(), DISTRIBUTIONS, page_of(line()), query)
    assert by_id(view, f"{GRID}-filters").data == {"audit_id": "audit_1", "layer": 21, "role": "woke", "text": "113"}
    assert [c["field"] for c in by_id(view, GRID).columnDefs if c.get("sort") == "asc"] == ["effect"]
    assert by_id(view, "feature-filter-layer").value == "21"
    assert by_id(view, "feature-filter-text").value == "113"


def test_whatever_a_link_says_the_page_opens() -> None:
    view = features(audit_detail(), DISTRIBUTIONS, page_of(line()), {"sort": "<script>", "layer": "x", "role": "y"})
    assert by_id(view, f"{GRID}-filters").data == {"audit_id": "audit_1"}


def test_the_address_and_the_page_agree() -> None:
    asked = {"startRow": 0, "sortModel": [{"colId": "cosine", "sort": "desc"}]}
    query = features_query({"audit_id": "a", "layer": 0, "role": "in_sets", "text": "21:1"}, asked)
    assert read_query(query) == {"layer": "0", "role": "in_sets", "text": "21:1", "sort": "-cosine"}
    default = {"startRow": 0, "sortModel": [{"colId": "in_minimal_sets", "sort": "desc"}]}
    assert features_query({"audit_id": "a"}, default) == ""


def test_the_figure_says_what_it_leaves_out() -> None:
    view = features(audit_detail(), DISTRIBUTIONS, page_of(line(), line(id="21:2", effect=None), total=100_000), {})
    assert "1 of the first 2 of 100,000 features" in words(view)
    assert len(by_id(view, PLANE).figure.data) == 2


def test_an_audit_without_features_says_so() -> None:
    view = features(audit_detail(), DISTRIBUTIONS, page_of(), {})
    assert "No features" in words(view)
    with pytest.raises(StopIteration):
        by_id(view, GRID)
    assert "/audits/audit_1/prompts" in links(view)
