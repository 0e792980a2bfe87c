"""A prompt with nothing but its baseline says why."""

from dataclasses import replace

import pytest

from backend.audit.results import Arm, BaselinePrompt, Controls, PromptResult, Response
from frontend.components.unaudited import why_unaudited

BASELINE = BaselinePrompt("p", 1.0, Response("refused", 3, True, "I cannot", "p/baseline"))
REFUSED = PromptResult("p", "text", "harmful", None, "p", "discovery", BASELINE)
COMPLIED = replace(BASELINE, response=replace(BASELINE.response, verdict="complied"))


@pytest.mark.parametrize(
    ("story", "words"),
    [
        (REFUSED, "Not searched for minimal sets"),
        (replace(REFUSED, baseline=COMPLIED), "Not refused here"),
        (replace(REFUSED, label="look_alike"), "Not a harmful prompt"),
        (replace(REFUSED, controls=Controls(None, Arm((), 0.0, None, False), None, None, None, None)), ""),
    ],
)
def test_why(story: PromptResult, words: str) -> None:
    assert why_unaudited(story).startswith(words)
    assert bool(why_unaudited(story)) == bool(words)
