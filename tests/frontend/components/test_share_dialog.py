"""Sharing: what is offered to whom, links in words, and an address that the reader's browser can reach."""

import pytest

from backend.api.schemas import CreatedLink, Link
from frontend.components.share_dialog import FILES, address_here, created_link, link_state, link_table, share_actions
from tests.frontend.features_data import audit_detail
from tests.frontend.trees import links, parts, words

NOW = 1_000_000.0


def link(**changed: object) -> Link:
    values: dict[str, object] = {
        "id": "link_1", "audit_id": "audit_1", "label": "for the board", "created": NOW - 100, "expires": NOW + 3600,
        "revoked": None, "last_used": None,
    }  # fmt: skip
    return Link.model_validate(values | changed)


def test_a_finished_audit_can_be_exported_and_shared() -> None:
    actions = share_actions(audit_detail())
    assert links(actions) == [f"/api/audits/audit_1/{file}" for file, _, _ in FILES]
    assert "Share" in words(actions)


def test_readers_by_link_and_unfinished_audits_have_nothing_to_give() -> None:
    assert share_actions(audit_detail(read_only=True)) == []
    assert share_actions(audit_detail(state="running")) == []


@pytest.mark.parametrize(
    ("changed", "state"),
    [({}, "active"), ({"expires": NOW}, "expired"), ({"revoked": NOW - 1, "expires": NOW - 2}, "revoked")],
)
def test_only_an_active_link_can_be_revoked(changed: dict[str, object], state: str) -> None:
    one = link(**changed)
    assert link_state(one, NOW) == state
    table = link_table([one], NOW)
    assert state in words(table)
    ids = [part.id for part in parts(table) if getattr(part, "id", None)]
    assert ids == ([{"type": "share-revoke", "link": "link_1"}] if state == "active" else [])


def test_a_link_says_when_it_was_used_and_what_for() -> None:
    said = words(link_table([link(last_used=NOW - 120, label="<b>board</b>")], NOW))
    assert "2 min ago" in said
    assert "<b>board</b>" in said
    assert "No links yet" in words(link_table([], NOW))


def test_a_new_address_has_the_origin_that_the_reader_uses() -> None:
    here = "https://audits.example:8443/audits/audit_1?tab=x#y"
    assert address_here("http://localhost/share/abc.DEF-_", here) == "https://audits.example:8443/share/abc.DEF-_"
    made = created_link(CreatedLink(link=link(), url="http://localhost/share/abc"), here)
    assert any(getattr(part, "value", None) == "https://audits.example:8443/share/abc" for part in parts(made))
