"""A tiny run of the benchmarks gives every figure; how large they are is nobody's test."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import TARGETS, main


@pytest.mark.filterwarnings("ignore")
def test_a_tiny_run_on_the_planted_subject_gives_every_figure(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    main(["--subject", "planted", "--prompts", "2", "--repetitions", "1", "--out", str(out)])
    figures = json.loads(out.read_text())
    assert {target.key for target in TARGETS} <= set(figures)
    assert all(isinstance(value, int | float) and value >= 0 for value in figures.values())
    assert all(figures[key] < 1e-2 for key in figures if key.endswith("_largest_score_difference"))
