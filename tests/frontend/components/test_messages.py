"""What went wrong is told with its place."""

from backend.api.schemas import Problem
from frontend.api_client import ApiProblem
from frontend.components.messages import SHOWN, empty_state, error_alert
from tests.frontend.trees import words


def test_every_problem_names_its_line_and_column():
    problem = Problem(
        title="Prompts cannot be read",
        status=422,
        detail="a.csv: 2 problems",
        errors=[{"line": 3, "column": "prompt", "problem": "is empty"}, {"problem": "no header"}],
    )
    text = words(error_alert(ApiProblem(problem)))
    for said in ("Prompts cannot be read", "a.csv: 2 problems", "line 3, column prompt: is empty", "no header"):
        assert said in text


def test_a_long_list_is_cut_and_counted():
    errors = [{"line": n, "problem": "is empty"} for n in range(SHOWN + 7)]
    text = words(error_alert(ApiProblem(Problem(title="t", status=422, detail="d", errors=errors))))
    assert "and 7 more problems" in text
    assert f"line {SHOWN}:" not in text


def test_an_empty_state_offers_the_next_step():
    assert words(empty_state("Nothing yet", "Start one.", "Go")) == "Nothing yetStart one.Go"
