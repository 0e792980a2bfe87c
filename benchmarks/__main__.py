"""`python -m benchmarks`: the engine beside the bare forward pass, the reference and its peers, in one run."""

import argparse
import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.memory import peak_gib
from benchmarks.targets import Target

BENCH_FILE = Path("build/bench.json")


TARGETS = (
    Target("engine_over_bare_forward", "engine / the same batches with no SAE, no hook", 1.5, at_most=True),
    Target("reference_over_engine", "reference.py / engine, greedy filtering", 3.0, at_most=False),
    Target("lens_loop_over_engine", "TransformerLens + SAELens as in tutorials / engine", 10.0, at_most=False),
    Target("lens_batched_over_engine", "the same, batched as well as it can / engine", 3.0, at_most=False),
    Target("peak_memory_gib", "peak memory of greedy filtering, GiB", 3.0, at_most=True),
)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    screen = Console()
    with screen.status("measuring memory in a process of its own") as status:
        figures = {"peak_memory_gib": peak_gib(options.subject, options.prompts)}
        # Imported after the child process has been measured: it starts from this one's peak.
        from backend.subjects.subject import load_subject
        from benchmarks.measure import measure
        from benchmarks.workload import by_prompt, greedy_workload

        _quiet()
        status.update("loading the subject")
        subject = load_subject(options.subject, device="cpu")
        status.update("choosing what to measure")
        workload = greedy_workload(subject, options.prompts)
        measured = measure(subject, workload, options.repetitions, status.update)
    figures |= {
        "prompts": len(by_prompt(workload.pairs)),
        "evaluations": len(workload.pairs),
        "repetitions": options.repetitions,
    }
    for name, milliseconds in measured.milliseconds.items():
        figures[f"{name}_ms_per_evaluation"] = milliseconds
    for name, ratio in measured.ratios.items():
        figures |= {name: ratio.median, f"{name}_lowest": ratio.lowest, f"{name}_highest": ratio.highest}
    for name, difference in measured.disagreement.items():
        figures[f"{name}_largest_score_difference"] = difference
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    _show(screen, figures)
    screen.print(f"written to {options.out}")


def _show(screen: Console, figures: dict[str, float]) -> None:
    table = Table("figure", "value", "lowest", "highest", "target", "")
    for target in TARGETS:
        value = figures[target.key]
        spread = [
            f"{figures[k]:.2f}" if k in figures else "" for k in (f"{target.key}_lowest", f"{target.key}_highest")
        ]
        verdict = "[green]met[/]" if target.met(value) else "[red]missed[/]"
        table.add_row(f"{target.key}\n[dim]{target.meaning}[/]", f"{value:.2f}", *spread, str(target), verdict)
    screen.print(table)
    arms = Table("arm", "ms per evaluation")
    for key, value in figures.items():
        if key.endswith("_ms_per_evaluation"):
            arms.add_row(key.removesuffix("_ms_per_evaluation"), f"{value:.2f}")
    screen.print(arms)
    screen.print(
        f"engine / full forward pass of all tokens: {figures['engine_over_full_forward']:.2f} "
        f"({figures['evaluations']} evaluations of {figures['prompts']} prompts, {figures['repetitions']} repetitions)"
    )


def _quiet() -> None:
    """The peers' libraries warn of many things that have nothing to do with speed."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--subject", default="smollm2-135m-sft", help="a bundled or planted subject")
    parser.add_argument("--prompts", type=int, default=8, help="prompts filtered greedily, side by side")
    parser.add_argument("--repetitions", type=int, default=3, help="of everything")
    parser.add_argument("--out", type=Path, default=BENCH_FILE, help="where the figures go, one number a key")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
