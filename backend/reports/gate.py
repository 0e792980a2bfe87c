"""A gate: what a report must show to pass, read from a TOML file and held against the report's intervals.

Knows results; needs no model and no torch. A gate is checked against the shape of a report before there is one.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args

from backend.audit.decisions import Answer
from backend.audit.results import Figure, Report
from backend.audit.statement_rules import RULES
from backend.audit.statements import statements_of
from backend.errors import BadInput
from backend.reports.figure_paths import find_figure, is_share, named_figure

Verdict = Literal["passed", "failed", "undecided"]
WhenUndecided = Literal["fail", "pass"]


@dataclass(frozen=True)
class FigureCondition:
    """Bounds on one figure. The interval decides, not the estimate."""

    path: str
    at_least: float | None
    at_most: float | None
    undecided: WhenUndecided

    @property
    def bound(self) -> str:
        ends = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(f"{words} {end:g}" for words, end in ends if end is not None)


@dataclass(frozen=True)
class StatementCondition:
    """Answers of one statement that will do."""

    key: str
    wanted: tuple[Answer, ...]
    undecided: WhenUndecided

    @property
    def bound(self) -> str:
        return " or ".join(self.wanted)


@dataclass(frozen=True)
class Gate:
    """Everything a report must show."""

    file: str
    figures: tuple[FigureCondition, ...]
    statements: tuple[StatementCondition, ...]


@dataclass(frozen=True)
class Checked:
    """One condition held against a report."""

    name: str
    bound: str
    figure: Figure | None  # None for a statement
    answer: str  # of a statement; empty for a figure
    verdict: Verdict
    passes: bool  # the verdict, or what the gate says of an undecided one


def read_gate(file: Path, option: str = "--gate") -> Gate:
    """Raises BadInput, one line naming what is wrong and where."""
    where = f"{option} {file}"
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{where}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{where}: is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{where}: is not TOML: {error}") from error
    _only(table, ("figures", "statements", "undecided"), where)
    default = _undecided(table, "fail", where)
    figures, statements = _table(table, "figures", where), _table(table, "statements", where)
    gate = Gate(
        str(file),
        tuple(_figure_condition(path, rule, default, where) for path, rule in figures.items()),
        tuple(_statement_condition(key, wanted, default, where) for key, wanted in statements.items()),
    )
    if not gate.figures and not gate.statements:
        raise BadInput(f'{where}: holds no condition; give [figures."PATH"] at_least or at_most, or [statements]')
    return gate


def check_gate(gate: Gate, report: Report) -> tuple[Checked, ...]:
    """Every condition held against a report, in the gate's order.

    A figure passes when its whole interval keeps to the bounds, fails when the whole interval lies beyond one, and is
    undecided else, or when it has no interval or was not measured.
    """
    answers: Mapping[str, Answer] = {s.key: s.answer for s in report.report_card.statements or statements_of(report)}
    return (
        *(_checked_figure(condition, find_figure(report, condition.path)) for condition in gate.figures),
        *(_checked_statement(condition, answers.get(condition.key, "not measured")) for condition in gate.statements),
    )


def _checked_figure(condition: FigureCondition, figure: Figure) -> Checked:
    verdict: Verdict = "undecided"
    if figure.low is not None and figure.high is not None:
        low = figure.low if condition.at_least is None else condition.at_least
        high = figure.high if condition.at_most is None else condition.at_most
        if figure.low >= low and figure.high <= high:
            verdict = "passed"
        elif figure.high < low or figure.low > high:
            verdict = "failed"
    return Checked(condition.path, condition.bound, figure, "", verdict, _passes(verdict, condition.undecided))


def _checked_statement(condition: StatementCondition, answer: Answer) -> Checked:
    verdict: Verdict = "failed"
    if answer in condition.wanted:
        verdict = "passed"
    elif answer in ("undecided", "not measured"):
        verdict = "undecided"
    return Checked(condition.key, condition.bound, None, answer, verdict, _passes(verdict, condition.undecided))


def _passes(verdict: Verdict, undecided: WhenUndecided) -> bool:
    return verdict == "passed" or (verdict == "undecided" and undecided == "pass")


# -- Reading -----------------------------------------------------------------------------------------------------------


def _figure_condition(path: str, rule: Any, default: WhenUndecided, where: str) -> FigureCondition:
    at = f'{where}: figures."{path}"'
    if not isinstance(rule, dict):
        raise BadInput(f'{at}: is no table; quote the whole path, [figures."{path}"], and give at_least or at_most')
    named_figure(path, f"{where}: figures")
    _only(rule, ("at_least", "at_most", "undecided"), at)
    at_least, at_most = _bound(rule, "at_least", path, at), _bound(rule, "at_most", path, at)
    if at_least is None and at_most is None:
        raise BadInput(f"{at}: has no bound; give at_least, at_most or both")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise BadInput(f"{at}: at_least {at_least:g} is above at_most {at_most:g}; no figure keeps to both")
    return FigureCondition(path, at_least, at_most, _undecided(rule, default, at))


def _bound(rule: Mapping[str, Any], name: str, path: str, at: str) -> float | None:
    bound = rule.get(name)
    if bound is None:
        return None
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not isfinite(bound):
        raise BadInput(f"{at}: {name} is {bound!r}; give a number")
    if is_share(path) and not 0 <= bound <= 1:
        raise BadInput(f"{at}: {name} is {bound:g}; the figure is a share, give a number from 0 to 1")
    return float(bound)


def _statement_condition(key: str, wanted: Any, default: WhenUndecided, where: str) -> StatementCondition:
    at = f"{where}: statements.{key}"
    keys = [rule.key for rule in RULES]
    if key not in keys:
        raise BadInput(f"{at}: no such statement; use one of {', '.join(keys)}")
    answers = wanted if isinstance(wanted, list) else [wanted]
    if not answers or any(answer not in get_args(Answer) for answer in answers):
        raise BadInput(f"{at}: is {wanted!r}; give one or a list of {', '.join(get_args(Answer))}")
    return StatementCondition(key, tuple(answers), default)


def _undecided(table: Mapping[str, Any], default: WhenUndecided, at: str) -> WhenUndecided:
    chosen = table.get("undecided", default)
    if chosen not in get_args(WhenUndecided):
        raise BadInput(f'{at}: undecided is {chosen!r}; give "fail" or "pass"')
    return chosen  # type: ignore[no-any-return]


def _table(table: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    value = table.get(name, {})
    if not isinstance(value, dict):
        raise BadInput(f"{where}: {name} is no table")
    return value


def _only(table: Mapping[str, Any], known: tuple[str, ...], at: str) -> None:
    for name in table:
        if name not in known:
            raise BadInput(f"{at}: '{name}' is not known; use {', '.join(known)}")
