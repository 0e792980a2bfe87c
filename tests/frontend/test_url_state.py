"""The address holds the view: what is written is read back, and no name breaks a path."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend import url_state

NAMES = st.text(st.characters(codec="utf-8"), min_size=1)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), NAMES))
def test_a_query_written_is_read_back(values):
    assert url_state.read_query(url_state.write_query(**values)) == values


def test_what_says_nothing_is_left_out():
    assert url_state.write_query(a=None, b="", c=False, d=[]) == ""
    assert url_state.write_query(a=0, b=True, c=["21:1", "9:2"]) == "?a=0&b=1&c=21%3A1%2C9%3A2"


def test_a_link_with_a_foreign_value_still_opens():
    query = url_state.read_query("?state=nonsense&n=abc&layers=3,,9")
    assert url_state.choice(query, "state", {"done", "failed"}, "done") == "done"
    assert url_state.whole(query, "n", 7) == 7
    assert url_state.names(query, "layers") == ["3", "9"]
    assert url_state.names(query, "absent") == []


@pytest.mark.parametrize(("text", "expected"), [("12", 12), ("-3", -3), ("", None), ("1e3", None), ("٣", None)])
def test_whole_numbers(text, expected):
    assert url_state.whole({"n": text}, "n") == expected


@given(NAMES, NAMES)
def test_no_name_adds_a_segment_or_a_query(audit, prompt):
    parts = urlsplit(url_state.prompt_path(audit, prompt))
    segments = parts.path.split("/")
    assert [unquote(segment) for segment in segments] == ["", "audits", audit, "prompts", prompt]
    assert (parts.query, parts.fragment) == ("", "")


def test_pages_of_an_audit():
    assert url_state.audit_path("a1") == "/audits/a1"
    assert url_state.audit_path("a1", "prompts", outcome="flipped") == "/audits/a1/prompts?outcome=flipped"
    assert url_state.feature_path("a1", "21:1130") == "/audits/a1/features/21-1130"
    assert url_state.feature_of_path("21-1130") == "21:1130"
    assert url_state.download_path("a1", "report.json") == "/api/audits/a1/report.json"
