"""A masked completion's words are nowhere but in the answer to whoever revealed them."""

import logging

import pytest
from sqlalchemy import select

from backend.store.tables import Table
from tests.api.conftest import Audited
from tests.api.test_links import filled
from tests.api.test_openapi import OPERATIONS


@pytest.fixture(scope="module")
def canary(audited: Audited) -> str:
    """Words that the subject answers with under intervention, and that no prompt and no refusal holds."""
    completion = audited.story()["minimal_sets"][0]["response"]["tokens"]
    revealed = audited.site.post(f"/audits/{audited.id}/prompts/{audited.prompt}/reveal", {"completion": completion})
    words = revealed["text"].split()
    return " ".join(words[3:9])


def test_the_words_are_in_no_answer(audited: Audited, canary: str, caplog: pytest.LogCaptureFixture) -> None:
    assert len(canary) > 20
    asked = {"intervention": {"features": audited.story()["minimal_sets"][0]["features"]}, "generate": True}
    with caplog.at_level(logging.DEBUG):
        job = audited.site.client.post(f"{audited.prompt_path}/what-if", json=asked)
        assert canary not in job.text
        read = 0
        for path, method in OPERATIONS:
            if method == "get":
                answer = audited.site.client.get(filled(path, audited))
                assert canary not in answer.text, path
                read += answer.status_code == 200
        page = audited.site.client.get(f"/api/jobs/{job.json()['job_id']}")
        assert canary not in page.text
    assert read > 20
    assert canary not in caplog.text


def test_the_words_are_in_no_row(audited: Audited, canary: str) -> None:
    with audited.site.database.reading() as session:
        for table in Table.metadata.sorted_tables:
            for row in session.execute(select(table)):
                assert canary not in str(row._mapping), table.name
