"""Turns what is shipped into what other tools read: a transformers directory, peft adapters, sae-lens directories."""

import copy
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from backend.errors import SubjectError
from backend.subjects.bundled.packing import (
    Manifest,
    adapter_config_file,
    adapter_file,
    read_packed,
    record_file,
    sae_file,
    unpack_adapter,
    unpack_sae,
)
from backend.subjects.quiet import quiet_libraries


def convert_gguf(gguf: Path, destination: Path) -> None:
    """Dequantise a GGUF model to a transformers directory in float32, so that results are those of its weights."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # the GGUF reader has a bar of its own
    with quiet_libraries(), redirect_stderr(io.StringIO()), read_once():
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        config = copy.deepcopy(loaded.config)
        del config.quantization_config  # with it save_pretrained refuses: "quantized with gguf"
        model = type(loaded)(config)
        model.load_state_dict(loaded.state_dict())
        model.tie_weights()
        model.generation_config = loaded.generation_config
        model.save_pretrained(destination)
        tokenizer.save_pretrained(destination)


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, a GGUF file is parsed once, and names are mapped once, however often asked: transformers parses the whole
    file for each of tokenizer, configuration and weights, and maps all names anew for each of a model's modules, which
    is half of what converting takes."""
    import gguf

    plain = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = (cache(one) for one in plain)
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = plain


def check_packed_files(weights: Path, manifest: Manifest) -> None:
    """Raises SubjectError naming a shipped file that is missing or is not what the manifest says."""
    for name, record in manifest.files.items():
        path = weights / name
        if not path.is_file() or record_file(path) != record:
            raise SubjectError(f"bundled weights: {path} is missing or damaged; reinstall refusalscope")


def unpack_adapter_folder(weights: Path, name: str, destination: Path) -> None:
    """One LoRA adapter as a peft directory, float32."""
    destination.mkdir(parents=True)
    packed, _ = read_packed(weights / adapter_file(name))
    save_file(unpack_adapter(packed), destination / "adapter_model.safetensors", metadata={"format": "pt"})
    (destination / "adapter_config.json").write_bytes((weights / adapter_config_file(name)).read_bytes())


def unpack_sae_folder(weights: Path, layer: int, model_name: str, destination: Path) -> None:
    """One SAE as a sae-lens directory: a JumpReLU SAE in float32 that reads raw residuals."""
    destination.mkdir(parents=True)
    packed, facts = read_packed(weights / sae_file(layer))
    tensors = unpack_sae(packed)
    save_file(tensors, destination / "sae_weights.safetensors")
    d_in, d_sae = tensors["W_enc"].shape
    facts.pop("layer", None)
    metadata: dict[str, Any] = {
        "sae_lens_version": version("sae-lens"),
        "sae_lens_training_version": version("sae-lens"),
        "model_name": model_name,
        "hook_name": f"blocks.{layer}.hook_resid_post",
        "hf_hook_name": f"model.layers.{layer}",
        "prepend_bos": False,  # the chat template brings its own first token
        "exclude_special_tokens": False,
        "seqpos_slice": [1, None],  # the attention sink was left out of training
    } | facts
    config = {
        "architecture": "jumprelu",
        "d_in": d_in,
        "d_sae": d_sae,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": metadata,
    }
    (destination / "cfg.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
