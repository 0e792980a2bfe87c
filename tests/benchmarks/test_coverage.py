"""Intervals hold the truth as often as they say, in a small run of the simulation; and the simulation can tell."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend.audit.stats.bootstrap import cluster_bootstrap
from benchmarks import coverage
from benchmarks.coverage import HIGH, LOW, Audit, simulate

AUDITS, DRAWS = 1000, 400  # that many tell 95 % to within 0.7 points


@pytest.mark.parametrize(
    "audit",
    [
        coverage.rate(20),
        coverage.two_rates_paired(57),
        coverage.two_rates_unpaired(20),
        coverage.average(20, "mean", "normal", DRAWS),
        coverage.average(12, "median", "normal", DRAWS),
        coverage.paired_average(20, "mean", DRAWS),
    ],
    ids=["rate", "paired rates", "unpaired rates", "mean", "median", "paired mean"],
)
def test_intervals_hold_the_truth_as_often_as_they_say(audit: Audit) -> None:
    found = simulate("", "", audit, AUDITS, seed=1)
    assert found.audits == AUDITS
    assert LOW <= found.covered <= HIGH
    assert 0.005 <= found.too_low <= 0.05


@pytest.mark.parametrize(
    "audit",
    [coverage.average(20, "median", "whole", DRAWS), coverage.paired_average(20, "median", DRAWS)],
    ids=["whole median", "paired median"],
)
def test_some_intervals_hold_it_more_often_than_they_say(audit: Audit) -> None:
    assert simulate("", "", audit, AUDITS, seed=1).covered >= LOW


def test_the_simulation_tells_an_interval_that_is_too_narrow() -> None:
    def as_if_no_families(random: np.random.Generator, seed: int) -> tuple[coverage.Figure, float]:
        values, member = coverage.families_of(random, 20, "normal")
        return cluster_bootstrap(values.tolist(), list(range(len(member))), seed=seed, draws=DRAWS), 0.0

    assert simulate("", "", as_if_no_families, AUDITS, seed=1).covered < LOW


@pytest.mark.parametrize(("shape", "statistic"), [("skewed", "mean"), ("skewed", "median"), ("whole", "median")])
def test_the_truth_is_the_population_s(shape: coverage.Shape, statistic: str) -> None:
    values, _ = coverage.families_of(np.random.default_rng(0), 200_000, shape)
    over = np.mean if statistic == "mean" else np.median
    assert over(values) == pytest.approx(coverage.truth_of(shape, statistic), rel=0.01)


def test_a_tiny_run_writes_every_row(tmp_path: Path) -> None:
    out = tmp_path / "coverage.json"
    coverage.main(["--audits", "5", "--draws", "20", "--out", str(out)])
    rows = json.loads(out.read_text())["rows"]
    assert len({(row["interval"], row["sample"]) for row in rows}) == len(rows) > 30
    assert all(0 <= row["covered"] <= 1 for row in rows)
