"""`python -m benchmarks.service`: how soon the service starts and answers, from an idle what-if to many readers."""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.service.kills import measure_kills
from benchmarks.service.large_audit import seed_large_audit
from benchmarks.service.pages import measure_pages
from benchmarks.service.readers import measure_readers, read_paths
from benchmarks.service.server import serving
from benchmarks.service.starting import measure_starts
from benchmarks.service.what_ifs import measure_what_ifs
from benchmarks.targets import Target

OUT = Path("build/service.json")
EXAMPLE = Path("backend/examples/smollm2-135m-sft-standard/report.json")
PARTS = ("starts", "what-ifs", "large", "kills")
Figures = dict[str, float]

TARGETS = (
    Target("start_seconds", "web process: start to first answer, s", 2.0, at_most=True),
    Target("first_start_seconds", "the same on an empty data folder, s", 2.0, at_most=True),
    Target("what_if_idle_seconds_p50", "what-if, score and matched random set, idle, s", 0.5, at_most=True),
    Target("first_text_idle_seconds_p50", "what-if, first masked text, idle, s", 2.0, at_most=True),
    Target("what_if_during_audit_seconds_p95", "what-if during a running audit, s", 2.0, at_most=True),
    Target("cancel_seconds", "a running audit: cancel to cancelled, s", 2.0, at_most=True),
    Target("overview_calls_seconds", "large audit: detail and distributions, s", 1.0, at_most=True),
    Target("overview_page_seconds", "large audit: the overview page as drawn, s", 1.0, at_most=True),
    Target("grid_seconds_slowest", "large audit: slowest page of its grids, s", 0.3, at_most=True),
    Target("readers_seconds_p95", "readers at once: wait for an answer, s", 1.0, at_most=True),
    Target("reader_errors", "readers at once: errors", 0.0, at_most=True),
    Target("killed_audits_that_differ", "audits killed now and then: reports that differ", 0.0, at_most=True),
    Target("doubled_rows", "audits killed now and then: rows too many", 0.0, at_most=True),
)


def main(arguments: Sequence[str] | None = None) -> None:
    options = options_of(arguments)
    screen = Console()
    report = options.report.read_bytes()
    figures: Figures = json.loads(options.out.read_text()) if options.out.exists() else {}
    slowest: Figures = {}

    def large(folder: Path) -> Figures:
        data = folder / "large"
        with serving(data, "--no-worker"):
            pass  # makes the database
        audit_id = seed_large_audit(data, report, options.prompts, options.features)
        with serving(data, "--no-worker") as server:
            found, requests = measure_pages(server, audit_id)
            slowest.update(requests)
            readers = measure_readers(server, read_paths(server, audit_id), options.readers, options.seconds)
        sizes = {"large_prompts": options.prompts, "large_features": options.features}
        return {**sizes, **found, **readers}

    parts: dict[str, Callable[[Path], Figures]] = {
        "starts": lambda folder: measure_starts(folder, options.repetitions),
        "what-ifs": lambda folder: measure_what_ifs(folder, report, options.subject, options.what_ifs),
        "large": large,
        "kills": lambda folder: measure_kills(folder, options.kills),
    }
    with tempfile.TemporaryDirectory() as folder, screen.status("") as status:
        for part in options.parts:
            status.update(part)
            figures |= parts[part](Path(folder))
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    _show(screen, figures, slowest)
    screen.print(f"written to {options.out}")


def _show(screen: Console, figures: Figures, slowest: Figures) -> None:
    table = Table("figure", "value", "target", "")
    for target in TARGETS:
        if target.key in figures:
            verdict = "[green]met[/]" if target.met(figures[target.key]) else "[red]missed[/]"
            table.add_row(f"{target.key}\n[dim]{target.meaning}[/]", f"{figures[target.key]:.3g}", str(target), verdict)
    screen.print(table)
    others = Table("beside these", "value")
    for key in figures.keys() - {target.key for target in TARGETS}:
        others.add_row(key, f"{figures[key]:.3g}")
    screen.print(others)
    if slowest:
        requests = Table("slowest requests of the large audit", "seconds")
        for name, seconds in list(slowest.items())[:10]:
            requests.add_row(name, f"{seconds:.3f}")
        screen.print(requests)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure; the others' stay")
    parser.add_argument("--subject", default="smollm2-135m-sft", help="the report's subject")
    parser.add_argument("--report", type=Path, default=EXAMPLE, help="a finished audit of it")
    parser.add_argument("--repetitions", type=int, default=5, help="starts")
    parser.add_argument("--what-ifs", type=int, default=20, help="asked for each figure")
    parser.add_argument("--prompts", type=int, default=10_000, help="of the large audit")
    parser.add_argument("--features", type=int, default=100_000, help="of the large audit")
    parser.add_argument("--readers", type=int, default=100, help="at once")
    parser.add_argument("--seconds", type=float, default=60.0, help="that they read for")
    parser.add_argument("--kills", type=int, default=20, help="of worker, web process and both in turn")
    parser.add_argument("--out", type=Path, default=OUT, help="where the figures go, one number a key")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
