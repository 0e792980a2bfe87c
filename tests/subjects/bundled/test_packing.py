"""The shipped form of the weights: exact where it says so, within half a step elsewhere, and told apart when broken."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import SubjectError
from backend.subjects.bundled import packing
from backend.subjects.catalogue import WEIGHTS_MANIFEST


def sae_tensors(d_in: int = 6, d_sae: int = 10, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "W_enc": torch.randn(d_in, d_sae, generator=generator),
        "W_dec": torch.randn(d_sae, d_in, generator=generator),
        "b_enc": torch.randn(d_sae, generator=generator),
        "b_dec": torch.randn(d_in, generator=generator),
        "threshold": torch.rand(d_sae, generator=generator),
    }


def test_quantise_rows_by_hand() -> None:
    matrix = torch.tensor([[127.0, -63.4, 0.0], [0.0, 0.0, 0.0], [-0.254, 0.002, 0.127]])
    quantised, scale = packing.quantise_rows(matrix)
    # row 0: largest 127, so one step is 1 and -63.4 rounds to -63; row 2: one step is 0.002
    assert quantised.tolist() == [[127, -63, 0], [0, 0, 0], [-127, 1, 64]]
    torch.testing.assert_close(scale, torch.tensor([1.0, 0.0, 0.002]))
    torch.testing.assert_close(
        packing.dequantise_rows(quantised, scale),
        torch.tensor([[127.0, -63.0, 0.0], [0.0, 0.0, 0.0], [-0.254, 0.002, 0.128]]),
    )


@given(
    rows=st.lists(
        st.lists(st.floats(-1e4, 1e4, width=32), min_size=5, max_size=5),
        min_size=1,
        max_size=8,
    )
)
@settings(deadline=None)
def test_round_trip_error_is_at_most_half_a_step(rows: list[list[float]]) -> None:
    matrix = torch.tensor(rows)
    quantised, scale = packing.quantise_rows(matrix)
    assert quantised.dtype == torch.int8
    error = (packing.dequantise_rows(quantised, scale) - matrix).abs()
    assert (error <= scale[:, None] * 0.5001 + 1e-38).all()


@given(rows=st.lists(st.lists(st.integers(-127, 127), min_size=3, max_size=3), min_size=1, max_size=5))
@settings(deadline=None)
def test_packing_what_was_unpacked_changes_nothing(rows: list[list[int]]) -> None:
    once = packing.dequantise_rows(*packing.quantise_rows(torch.tensor(rows, dtype=torch.float32)))
    twice = packing.dequantise_rows(*packing.quantise_rows(once))
    torch.testing.assert_close(twice, once, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_broken_weights_are_not_packed(bad: float) -> None:
    tensors = sae_tensors()
    tensors["W_enc"][2, 3] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        packing.pack_sae(tensors)


def test_sae_round_trip_keeps_shapes_features_and_vectors() -> None:
    tensors = sae_tensors()
    packed = packing.pack_sae(tensors)
    assert packed["W_enc"].shape == (10, 6)
    assert packed["W_enc"].dtype == packed["W_dec"].dtype == torch.int8
    unpacked = packing.unpack_sae(packed)
    assert {name: tensor.shape for name, tensor in unpacked.items()} == {n: t.shape for n, t in tensors.items()}
    for name in packing.SAE_VECTORS:
        assert torch.equal(unpacked[name], tensors[name])
    step = packed["W_enc" + packing.SCALE]  # one per feature: a column of W_enc
    assert ((unpacked["W_enc"] - tensors["W_enc"]).abs() <= step[None, :] * 0.5001).all()


def test_adapter_round_trip() -> None:
    tensors = {"layers.0.q.lora_A.weight": torch.randn(4, 6), "layers.0.q.lora_B.weight": torch.randn(6, 4).bfloat16()}
    packed = packing.pack_adapter(tensors)
    unpacked = packing.unpack_adapter(packed)
    assert set(unpacked) == set(tensors)
    for name, matrix in tensors.items():
        step = packed[name + packing.SCALE]
        assert ((unpacked[name] - matrix.float()).abs() <= step[:, None] * 0.5001).all()


def written_folder(folder: Path) -> packing.Manifest:
    packing.write_sae(folder, 3, sae_tensors(seed=3), {"l0": 30.5, "training_corpus": "chat"})
    packing.write_sae(folder, 12, sae_tensors(seed=12), {})
    packing.write_adapter(folder, "sft", {"q.lora_A.weight": torch.randn(2, 6)}, {"r": 2, "target_modules": {"b", "a"}})
    return packing.write_manifest(folder, [12, 3], ["sft"])


def test_folder_round_trip(tmp_path: Path) -> None:
    manifest = written_folder(tmp_path)
    assert packing.read_manifest(tmp_path) == manifest
    assert manifest.layers == (3, 12)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*manifest.files, WEIGHTS_MANIFEST}
    tensors, facts = packing.read_packed(tmp_path / "sae_03.safetensors")
    assert facts == {"layer": 3, "l0": 30.5, "training_corpus": "chat"}
    torch.testing.assert_close(packing.unpack_sae(tensors)["b_enc"], sae_tensors(seed=3)["b_enc"])
    config = json.loads((tmp_path / "adapter_sft.json").read_text())
    assert config == {"r": 2, "target_modules": ["a", "b"]}


def test_truncated_file_is_one_line(tmp_path: Path) -> None:
    written_folder(tmp_path)
    path = tmp_path / "sae_03.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SubjectError, match=r"cannot read sae_03\.safetensors") as caught:
        packing.read_packed(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", [None, "", "[]", '{"format_version": 99}', '{"format_version": 1, "files": {}}'], ids=str
)
def test_bad_manifest_is_one_line(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / WEIGHTS_MANIFEST).write_text(text)
    with pytest.raises(SubjectError, match="reinstall refusalscope") as caught:
        packing.read_manifest(tmp_path)
    assert "\n" not in str(caught.value)
