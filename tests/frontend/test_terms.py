"""Every term that a page explains is defined."""

import re
from pathlib import Path

import frontend
from frontend.terms import TERMS, term_help
from tests.frontend.trees import words


def test_every_term_that_is_named_has_its_definition():
    sources = "\n".join(file.read_text() for file in Path(frontend.__file__).parent.rglob("*.py"))
    named = set(re.findall(r"term_help\(\"([^\"]+)\"", sources)) | set(re.findall(r"\bterm=\"([^\"]+)\"", sources))
    assert named
    assert named - TERMS.keys() == set()


def test_definitions_are_short():
    assert {term: text for term, text in TERMS.items() if len(text) > 220} == {}


def test_a_term_is_reachable_by_keyboard():
    help_ = term_help("refusal score", "s")
    assert words(help_.children) == "s"
    assert help_.children.tabIndex == 0
    assert help_.label == TERMS["refusal score"]
