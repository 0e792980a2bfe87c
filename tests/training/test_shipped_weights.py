"""What is in the repository is whole and small enough for a light clone."""

from backend.subjects.bundled.packing import read_manifest
from backend.subjects.bundled.unpacking import check_packed_files
from backend.subjects.catalogue import WEIGHTS
from training.config import ADAPTERS, Recipe


def test_weights_are_whole_and_at_most_32_megabytes() -> None:
    manifest = read_manifest(WEIGHTS)
    check_packed_files(WEIGHTS, manifest)
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= 32_000_000
    assert {path.name for path in WEIGHTS.iterdir()} == {*manifest.files, "manifest.json"}


def test_weights_are_those_of_the_recipe() -> None:
    manifest = read_manifest(WEIGHTS)
    assert manifest.adapters == ADAPTERS
    assert manifest.layers == Recipe().sae.layers
