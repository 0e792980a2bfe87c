"""Provenance of an audit: hashes and versions of everything its numbers depend on. Knows subjects and the code."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from backend.audit.refusal.judges.judge import Judge, Rater
from backend.audit.results import Manifest
from backend.audit.spec import AuditSettings
from backend.prompts.prompt import PromptSet
from backend.reports.code_version import source_sha256
from backend.subjects.data_directory import portable
from backend.subjects.subject import Subject

PACKAGES = ("refusalscope", "torch", "transformers", "sae-lens", "peft", "safetensors", "numpy", "scipy")


def build_manifest(
    subject: Subject,
    prompts: PromptSet,
    judge: Judge,
    settings: AuditSettings,
    started: str,
    command: str,
    other_judges: Sequence[Judge] = (),
    rater: Rater | None = None,
) -> Manifest:
    """Everything a reader needs to trust or repeat the audit."""
    saes = subject.saes
    return Manifest(
        subject={
            "id": subject.id,
            "model": subject.model_name,
            "model_sha256": subject.model_sha256,
            "adapter": subject.adapter,
            "adapter_sha256": subject.adapter_sha256,
            "chat_template_sha256": subject.chat_template_sha256,
            "n_layers": subject.model.n_layers,
            "d_model": subject.model.d_model,
        },
        saes={
            "layers": list(saes),
            "source": {str(layer): portable(sae.source) for layer, sae in saes.items()},
            "sha256": {str(layer): sae.sha256 for layer, sae in saes.items()},
            "architecture": {str(layer): sae.architecture for layer, sae in saes.items()},
            "d_sae": {str(layer): sae.d_sae for layer, sae in saes.items()},
        },
        prompts={"name": prompts.name, "sha256": prompts.sha256, "n": len(prompts.prompts), "n_own": len(prompts.own)},
        judge={
            **_named(judge),
            "others": [_named(other) for other in other_judges],
            "rater": None if rater is None else _named(rater),
        },
        code={"source_sha256": source_sha256(), "packages": {name: _version(name) for name in PACKAGES}},
        settings={
            "effort": settings.effort,
            "onset": settings.onset,
            "include_sink": settings.include_sink,
            "amounts": {k: list(v) if isinstance(v, tuple) else v for k, v in vars(settings.amounts).items()},
        },
        seed=settings.seed,
        device=_device(subject.model.device, subject.model.dtype),
        timings={"started": started},
        command=command,
        notes=prompts.notes,
    )


def identity(manifest: Manifest) -> dict[str, Any]:
    """What two runs must share for one to go on where the other stopped."""
    return {
        "subject": manifest.subject,
        "saes": manifest.saes,
        "prompts": manifest.prompts,
        "judge": manifest.judge,
        "code": manifest.code,
        "settings": manifest.settings,
        "seed": manifest.seed,
        "device": manifest.device,
    }


def _named(judge: Judge | Rater) -> dict[str, str]:
    return {"name": judge.name, "sha256": judge.sha256}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _device(device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "type": device.type,
        "name": name,
        "dtype": str(dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
    }
