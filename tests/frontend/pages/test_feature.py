"""The feature page: everything the audit knows of one feature, and a line where an old report knows less."""

from frontend.pages.feature import GRID, NOT_IN_REPORT, feature_page
from tests.frontend.features_data import FEATURE, OLD, audit_detail, detail
from tests.frontend.trees import by_id, links, parts, words


def test_it_shows_figures_with_interval_and_n() -> None:
    said = words(feature_page(audit_detail(), detail(), {}))
    for text in ("Feature 21:1130", "0.78", "rank 1 of its layer", "2.50", "2.10 to 2.90", "12 prompts", "3.4 %"):
        assert text in said
    assert NOT_IN_REPORT not in said


def test_it_draws_what_the_report_holds() -> None:
    view = feature_page(audit_detail(), detail(), {})
    drawn = {"feature-activation", "feature-coverage", "feature-lens", "feature-categories"}
    assert drawn <= {part.id for part in parts(view) if isinstance(getattr(part, "id", None), str)}
    assert "Make" in words(view)
    assert by_id(view, f"{GRID}-filters").data == {"audit_id": "audit_1", "feature": FEATURE.id, "recorded": True}


def test_an_old_report_says_what_is_not_in_it() -> None:
    view = feature_page(audit_detail(), detail(OLD, contexts=[], categories={}), {})
    assert words(view).count(NOT_IN_REPORT) == 3
    assert "not measured" in words(view)
    assert "beyond the ranks tried" in words(view)


def test_a_feature_that_never_fires_says_so() -> None:
    view = feature_page(audit_detail(), detail(contexts=[], categories={"weapons": 0.0}), {})
    assert "Active on no prompt of this audit." in words(view)


def test_neuronpedia_opens_apart_and_learns_nothing_of_us() -> None:
    view = feature_page(audit_detail(), detail(neuronpedia_url="https://www.neuronpedia.org/m/1/2"), {})
    link = next(part for part in parts(view) if getattr(part, "href", "").startswith("https:"))
    assert (link.target, link.rel) == ("_blank", "noopener noreferrer")
    assert not any(href.startswith("http") for href in links(feature_page(audit_detail(), detail(), {})))


def test_a_cold_link_restores_the_sort() -> None:
    columns = by_id(feature_page(audit_detail(), detail(), {"sort": "effect"}), GRID).columnDefs
    assert {c["field"]: c["sort"] for c in columns if "sort" in c} == {"effect": "asc"}
