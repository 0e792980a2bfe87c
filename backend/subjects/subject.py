"""From what a user names to a subject ready to audit: a model with its SAEs, checked against each other, with hashes.

This is the one place that knows every kind of subject: bundled, planted, and any causal LM with sae-lens SAEs.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import torch
from transformers import AutoConfig

from backend.errors import SubjectError
from backend.subjects.bundled.fetch import fetched
from backend.subjects.catalogue import BUNDLED_SUBJECTS, PLANTED_SUBJECTS
from backend.subjects.data_directory import sha256_of
from backend.subjects.huggingface import HuggingFaceModel
from backend.subjects.language_model import LanguageModel
from backend.subjects.planted.subject import planted_subject
from backend.subjects.plumbing import check_plumbing
from backend.subjects.quiet import quiet_libraries
from backend.subjects.sae_loading import FoundSae, find_saes, load_saes
from backend.subjects.sparse_autoencoder import SparseAutoencoder

Device = Literal["auto", "cpu", "cuda"]
Dtype = Literal["auto", "float32", "bfloat16"]
ADAPTER_WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True, eq=False)
class Subject:
    """What is audited, and what it was made of."""

    id: str
    model: LanguageModel
    saes: Mapping[int, SparseAutoencoder]  # by audited layer, ascending
    model_name: str  # what the weights are known by, compared with what the SAEs were trained on
    model_source: str  # directory or hub id
    model_sha256: str | None  # of its safetensors file; several: of the list of their hashes; None when not found
    adapter: str | None  # LoRA adapter merged in, by name
    adapter_sha256: str | None
    chat_template_sha256: str | None  # None when the model has no template

    @property
    def sae_sha256(self) -> dict[int, str]:
        return {layer: sae.sha256 for layer, sae in self.saes.items()}


def load_subject(
    subject: str,
    saes: str | None = None,
    layers: Sequence[int] | None = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> Subject:
    """Load and check a subject.

    subject: an id of BUNDLED_SUBJECTS or PLANTED_SUBJECTS, a directory, or a hub id (organisation/name).
    saes: see `load_saes`; needed unless the subject brings its own.
    layers: audit these only; None audits every layer with an SAE.
    device: auto takes a GPU when there is one. dtype: auto is float32 on the CPU and bfloat16 on a GPU; SAEs are
        always float32.
    Raises SubjectError, one line.
    """
    where = _device(device)
    number_type = _dtype(dtype, where)
    if subject in PLANTED_SUBJECTS:
        loaded = _planted(subject, saes, layers, where, dtype)
    elif subject in BUNDLED_SUBJECTS:
        loaded = _bundled(subject, saes, layers, where, number_type)
    else:
        loaded = _any_model(subject, saes, layers, where, number_type)
    check_plumbing(loaded.model)
    return loaded


def _bundled(subject: str, saes: str | None, layers: Sequence[int] | None, device: str, dtype: torch.dtype) -> Subject:
    files = fetched()
    adapter = BUNDLED_SUBJECTS[subject].adapter
    folder = None if adapter is None else files.adapters[adapter]
    found = _find_saes(str(files.base), saes or str(files.saes), layers)
    with quiet_libraries():
        model = HuggingFaceModel.load(files.base, name=subject, adapter=folder, device=device, dtype=dtype)
    return Subject(
        id=subject,
        model=model,
        saes=load_saes(found, model.d_model, device),
        model_name=files.manifest.base.model_name,
        model_source=str(files.base),
        model_sha256=files.hashes[files.base / "model.safetensors"],
        adapter=adapter,
        adapter_sha256=None if folder is None else files.hashes[folder / ADAPTER_WEIGHTS],
        chat_template_sha256=_template_sha256(model),
    )


def _planted(subject: str, saes: str | None, layers: Sequence[int] | None, device: str, dtype: Dtype) -> Subject:
    if saes is not None:
        raise SubjectError(f"--saes: {subject} brings its own SAEs; leave it out")
    if dtype == "bfloat16":
        raise SubjectError(f"--dtype: {subject} is made for float32")
    planted = planted_subject(subject, device)
    missing = sorted(set(layers or ()) - set(planted.saes))
    if missing:
        has = ", ".join(str(layer) for layer in planted.saes)
        raise SubjectError(f"--layers: {subject} has no SAE for layer {missing[0]}; there are layers {has}")
    return Subject(
        id=subject,
        model=planted.model,
        saes={layer: planted.saes[layer] for layer in sorted(layers or planted.saes)},
        model_name=subject,
        model_source="made by backend/subjects/planted",
        model_sha256=_parameters_sha256(planted.model.model),
        adapter=None,
        adapter_sha256=None,
        chat_template_sha256=_template_sha256(planted.model),
    )


def _any_model(
    subject: str, saes: str | None, layers: Sequence[int] | None, device: str, dtype: torch.dtype
) -> Subject:
    directory = Path(subject)
    if directory.is_dir():
        _inspect_directory(directory)
    elif "/" not in subject or directory.is_absolute():
        known = [*BUNDLED_SUBJECTS, *PLANTED_SUBJECTS]
        near = get_close_matches(subject, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise SubjectError(
            f"--subject {subject}: no such subject; {hint}known: {', '.join(known)}, a directory, or a hub id "
            "(organisation/name)"
        )
    if saes is None:
        raise SubjectError(f"--saes: {subject} needs SAEs; give a directory, or RELEASE:PATTERN with * for the layer")
    found = _find_saes(subject, saes, layers)
    with quiet_libraries():
        model = HuggingFaceModel.load(subject, device=device, dtype=dtype)
    return Subject(
        id=subject,
        model=model,
        saes=load_saes(found, model.d_model, device),
        model_name=directory.resolve().name if directory.is_dir() else subject,
        model_source=subject,
        model_sha256=_weights_sha256(subject),
        adapter=None,
        adapter_sha256=None,
        chat_template_sha256=_template_sha256(model),
    )


def _inspect_directory(directory: Path) -> None:
    if not (directory / "config.json").is_file():
        raise SubjectError(f"--subject {directory}: no config.json in it; give a transformers directory")
    if not list(directory.glob("*.safetensors")):
        if list(directory.glob("*.bin")):
            raise SubjectError(
                f"--subject {directory}: its weights are pickle, which can run code and is never opened; "
                "save them again with transformers' save_pretrained (safetensors)"
            )
        raise SubjectError(f"--subject {directory}: no safetensors weights in it")


def _find_saes(model: str, saes: str, layers: Sequence[int] | None) -> list[FoundSae]:
    """Before the model's weights are read or downloaded: a wrong SAE should not cost the user that wait."""
    try:
        with quiet_libraries():
            config = AutoConfig.from_pretrained(model, trust_remote_code=False).get_text_config()
        d_model, n_layers = int(config.hidden_size), int(config.num_hidden_layers)
    except Exception as error:  # the library raises a dozen types here; each means the subject cannot be used
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SubjectError(f"--subject {model}: cannot read its configuration: {reason}") from error
    return find_saes(saes, layers, d_model, n_layers)


def _device(device: str) -> str:
    if device not in ("auto", "cpu", "cuda"):
        raise SubjectError(f"--device {device}: choose auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise SubjectError("--device cuda: torch sees no CUDA GPU here; use --device cpu or install torch for CUDA")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def _dtype(dtype: str, device: str) -> torch.dtype:
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if dtype == "auto":
        return torch.float32 if device == "cpu" else torch.bfloat16
    if dtype not in known:
        raise SubjectError(f"--dtype {dtype}: choose auto, {' or '.join(known)}")
    return known[dtype]


def _template_sha256(model: HuggingFaceModel) -> str | None:
    template = model.tokenizer.chat_template
    return hashlib.sha256(str(template).encode()).hexdigest() if template else None


def _weights_sha256(subject: str) -> str | None:
    directory: Path | None = Path(subject)
    if not Path(subject).is_dir():
        from huggingface_hub import try_to_load_from_cache

        config = try_to_load_from_cache(subject, "config.json")
        directory = Path(config).parent if isinstance(config, str) else None
    files = sorted(directory.glob("model*.safetensors")) if directory else []
    if not files:
        return None
    hashes = [sha256_of(path) for path in files]
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256(
        "".join(f"{h}  {path.name}\n" for h, path in zip(hashes, files, strict=True)).encode()
    ).hexdigest()


def _parameters_sha256(module: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.to("cpu", torch.float32).contiguous().numpy().data)
    return digest.hexdigest()
