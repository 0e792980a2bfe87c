"""What is installed from a wheel is what runs from the sources: every page, migration, prompt and weight is in it."""

import importlib.metadata
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "backend", "frontend")
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
NEEDED = (
    "frontend/assets/theme.css",
    "backend/store/migrations/env.py",
    "backend/api/swagger/swagger-ui-bundle.js",
    "backend/reports/report.schema.json",
    "backend/prompts/bundled/prompts.jsonl",
    "backend/examples/smollm2-135m-sft-standard/report.json",
)


def shipped(folder: Path) -> set[str]:
    """Files of the packages, but for what Python makes and what people read beside the code."""
    files = (file.relative_to(folder) for name in PACKAGES for file in (folder / name).rglob("*") if file.is_file())
    return {file.as_posix() for file in files if file.suffix not in (".pyc", ".md")}


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    try:
        importlib.metadata.version("setuptools")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("no setuptools to build with; run: pip install setuptools")
    source = tmp_path / "source"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert set(NEEDED) <= held
    assert any(name.endswith(".safetensors") for name in held)
    assert any(name.endswith(".j2") for name in held)
    assert shipped(ROOT) - held == set()
