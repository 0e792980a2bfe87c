"""`refusalscope audit` through its own door: a whole run, bad input in one line, killed and resumed."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from app.cli import main
from backend.audit.even_batches import even_batches
from backend.audit.progress import TOGETHER
from tests import forking
from tests.planted_audits import FEW, some_prompts
from tests.subjects.sae_samples import save_sae
from tests.subjects.tiny_models import save_model


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prompt file a user might bring, in the planted subjects' own words."""
    file = tmp_path_factory.mktemp("prompts") / "mine.jsonl"
    rows = [
        {"id": p.id, "prompt": p.text, "label": p.label, "category": p.category, "family": p.family, "split": p.split}
        for p in some_prompts(FEW).prompts
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def command(prompts: Path | str, out: Path, *more: str) -> list[str]:
    return ["audit", "--subject", "planted", "--prompts", str(prompts), "--effort", "quick", "--out", str(out), *more]


def run(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Exit code of the command line, run in this process."""
    monkeypatch.setattr(sys, "argv", ["refusalscope", *arguments])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def without_timings(out: Path) -> dict[str, Any]:
    report = json.loads((out / "report.json").read_text("utf-8"))
    del report["manifest"]["timings"]
    return report


@pytest.fixture(scope="module")
def undisturbed(prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "audit"
    subprocess.run([sys.executable, "-m", "app", *command(prompts, out)], check=True, capture_output=True)
    return out


def test_a_run_writes_the_report_and_its_tensors(undisturbed: Path) -> None:
    report = without_timings(undisturbed)
    assert report["report_card"]["flipped"]["minimal"]["value"] == 1.0
    assert report["manifest"]["command"].startswith("refusalscope audit --subject planted")
    named = [p["baseline"]["response"]["tokens"] for p in report["prompts"]]
    named += [s["response"]["tokens"] for p in report["prompts"] for s in p["minimal_sets"]]
    with safe_open(undisturbed / "completions.safetensors", "pt") as tensors:
        assert set(named) <= set(tensors.keys())


@pytest.mark.parametrize("stop_at", ["answers", "direction", "search", "random"])
def test_killed_and_resumed_gives_the_same_report(
    prompts: Path, undisturbed: Path, tmp_path: Path, stop_at: str
) -> None:
    out, log = tmp_path / "audit", tmp_path / "log"
    process = forking.command(command(prompts, out), log)

    def found(folder: Path) -> list[Path]:
        return list(folder.glob(f"checkpoints/{stop_at}*.json"))

    # Prompts worked on together are kept one after another, and worked on again where one of them is missing.
    enough = len(next(even_batches(found(undisturbed), TOGETHER))) if stop_at in ("search", "random") else 1
    while len(found(out)) < enough:
        assert process.is_alive(), "the audit ended before it could be killed"
        time.sleep(0.02)
    process.kill()
    process.join()
    assert not (out / "report.json").exists()
    kept = {p.name: p.stat().st_mtime_ns for p in (out / "checkpoints").glob("*.json")}
    resumed = forking.command(command(prompts, out, "--resume"), log)
    resumed.join()
    assert resumed.exitcode == 0, log.read_text()
    assert without_timings(out) == without_timings(undisturbed)
    now = {p.name: p.stat().st_mtime_ns for p in (out / "checkpoints").glob("*.json")}
    again = {name for name in kept if now[name] != kept[name]}
    assert not any(name.startswith(("answers", "search", "stronger", "random")) for name in again)


def test_ctrl_c_ends_with_3_and_says_how_to_go_on(prompts: Path, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *command(prompts, out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while not list(out.glob("checkpoints/answers*.json")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 3
    assert b"--resume" in said
    assert b"Traceback" not in said


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    return save_model(tmp_path / "model", "llama", d_model=16)


def bad_saes(folder: Path, layer: int, **settings: Any) -> Path:
    save_sae(folder / "saes" / "one", layer=layer, **settings)
    return folder / "saes"


def nan_saes(folder: Path) -> Path:
    from safetensors.torch import load_file, save_file

    saes = bad_saes(folder, 1, d_in=16)
    weights = load_file(saes / "one" / "sae_weights.safetensors")
    weights["W_enc"][3, 4] = float("nan")
    save_file(weights, saes / "one" / "sae_weights.safetensors")
    return saes


def csv(folder: Path, content: str | bytes) -> str:
    file = folder / "prompts.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(file)


Case = Callable[[Path, Path], list[str]]
BAD: dict[str, tuple[Case, str]] = {
    "empty file": (lambda d, m: ["--subject", "planted", "--prompts", csv(d, "")], "empty"),
    "wrong column": (lambda d, m: ["--subject", "planted", "--prompts", csv(d, "question\nhow\n")], "column"),
    "binary": (lambda d, m: ["--subject", "planted", "--prompts", csv(d, bytes(range(256)) * 9)], "prompts.csv"),
    "100k-character prompt": (
        lambda d, m: ["--subject", "planted", "--prompts", csv(d, "prompt,label\n" + "a" * 100_000 + ",harmful\n")],
        "line 2",
    ),
    "no such file": (lambda d, m: ["--subject", "planted", "--prompts", str(d / "none.csv")], "none.csv"),
    "unknown subject": (lambda d, m: ["--subject", "smollm2-135m-stf"], "smollm2-135m-sft"),
    "missing SAE layer": (lambda d, m: ["--subject", "planted", "--layers", "1,17"], "17"),
    "layers not numbers": (lambda d, m: ["--subject", "planted", "--layers", "1;2"], "--layers"),
    "wrong d_in": (lambda d, m: ["--subject", str(m), "--saes", str(bad_saes(d, 1, d_in=12))], "12"),
    "NaN weights": (lambda d, m: ["--subject", str(m), "--saes", str(nan_saes(d))], "W_enc"),
    "no SAEs named": (lambda d, m: ["--subject", str(m)], "--saes"),
    "unknown release": (lambda d, m: ["--subject", str(m), "--saes", "gemma-scope-2b:layer_*"], "release"),
}


@pytest.mark.usefixtures("sae_lens_imported")
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_exit_2(
    name: str, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments, expected = BAD[name]
    folder = tmp_path / "input"
    folder.mkdir()
    given = arguments(folder, tiny_model)
    capfd.readouterr()
    code = run(["audit", "--out", str(tmp_path / "out"), *given], monkeypatch)
    said = [line for line in capfd.readouterr().err.splitlines() if line and not line.startswith("note:")]
    assert code == 2, said
    assert len(said) == 1, said
    assert said[0].startswith("refusalscope: ")
    assert expected in said[0]
    assert not (tmp_path / "out" / "report.json").exists()


def test_an_unwritable_place_is_said_before_the_model_is_loaded(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(command(prompts, tmp_path / "file" / "out"), monkeypatch) == 2
    said = capfd.readouterr().err.strip()
    assert "--out" in said
    assert "\n" not in said


def test_unknown_effort_is_a_usage_error(prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run([*command(prompts, tmp_path / "out"), "--effort", "heroic"], monkeypatch) == 2
