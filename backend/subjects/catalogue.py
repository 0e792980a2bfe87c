"""Which subjects come with Refusalscope, and whether their files are here. Reads no weight, so that anyone may ask."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from backend.errors import SubjectError
from backend.subjects.data_directory import RECORD, data_directory

WEIGHTS = Path(__file__).parent / "bundled" / "weights"
WEIGHTS_MANIFEST = "manifest.json"
LAYOUT_VERSION = "1"  # raise it when the same inputs are unpacked differently: folders get new names
FETCH = "refusalscope models fetch"


@dataclass(frozen=True)
class BundledSubject:
    """One of the subjects that come with Refusalscope."""

    id: str
    adapter: str | None  # its LoRA adapter; None is the base model as published
    description: str


BUNDLED_SUBJECTS = {
    subject.id: subject
    for subject in (
        BundledSubject("smollm2-135m-base", None, "SmolLM2-135M-Instruct as published: hardly ever refuses"),
        BundledSubject("smollm2-135m-sft", "sft", "safety-tuned on refusals of harmful requests"),
        BundledSubject("smollm2-135m-refat", "refat", "the same, trained while the refusal direction is ablated"),
        BundledSubject("smollm2-135m-late", "late", "the same as sft in the last blocks only: shallow safety"),
    )
}
PLANTED_SUBJECTS = {
    "planted": "tiny model whose refusal features are known: for tests and a first look",
    "planted-null": "the same without a mechanism: nothing may be found",
}
PLANTED_LAYERS = (1, 2, 3, 4)


def bundled_layers(weights: Path = WEIGHTS) -> tuple[int, ...]:
    """Layers with a bundled SAE, ascending."""
    return tuple(_manifest(weights)["layers"])


def bundled_folders(weights: Path = WEIGHTS) -> tuple[Path, Path]:
    """Where `fetch` puts the base model, and where adapters and SAEs.

    Named by what goes into them, so that new weights or a new layout never meet old files.
    """
    subjects = data_directory() / "subjects"
    base_key = hashlib.sha256(f"{LAYOUT_VERSION}{_manifest(weights)['base']['sha256']}".encode()).hexdigest()[:12]
    weights_bytes = (weights / WEIGHTS_MANIFEST).read_bytes()
    weights_key = hashlib.sha256(LAYOUT_VERSION.encode() + weights_bytes).hexdigest()[:12]
    return subjects / f"smollm2-135m-{base_key}", subjects / f"smollm2-135m-adapters-saes-{weights_key}"


def what_is_missing(weights: Path = WEIGHTS) -> str | None:
    """One line with what to run when the bundled subjects' folders are not here; None when they are.

    Looks for whole folders only; that no file has changed since is checked when a subject is loaded.
    """
    for folder in bundled_folders(weights):
        if not (folder / RECORD).is_file():
            return f"the bundled subjects are not in {folder.parent} yet; run: {FETCH}"
    return None


def _manifest(weights: Path) -> dict:  # type: ignore[type-arg]
    path = weights / WEIGHTS_MANIFEST
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SubjectError(f"bundled weights: cannot read {path} ({error}); reinstall refusalscope") from error
