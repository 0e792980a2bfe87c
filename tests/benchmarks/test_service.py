"""A tiny run of the service's benchmark gives every figure asked for; how large they are is nobody's test."""

import json
from pathlib import Path

from benchmarks.service.__main__ import PARTS, main, options_of

SMALL = ["--repetitions", "1", "--prompts", "120", "--features", "200", "--readers", "3", "--seconds", "1"]
FIGURES = {
    "start_seconds", "first_start_seconds", "overview_calls_seconds", "overview_page_seconds", "grid_seconds_slowest",
    "readers_seconds_p95",
}  # fmt: skip


def test_all_is_measured_unless_told_otherwise() -> None:
    assert tuple(options_of([]).parts) == PARTS


def test_a_tiny_run_gives_every_figure(tmp_path: Path) -> None:
    out = tmp_path / "service.json"
    main(["--parts", "starts", "large", *SMALL, "--out", str(out)])
    figures = json.loads(out.read_text())
    assert set(figures) >= FIGURES
    assert all(isinstance(value, int | float) and value >= 0 for value in figures.values())
    assert figures["reader_errors"] == 0
