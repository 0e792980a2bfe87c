"""Hub ids and published releases, through a synthetic hub cache in the exact formats of Gemma Scope and Llama Scope.

Offline and in a process of its own: the hub library reads its environment once, when it is imported.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.subjects.tiny_models import save_model

GEMMA_D, GEMMA_WIDTH = 2304, 16384  # Gemma Scope's shapes are fixed by the release's name
GEMMA_PATHS = {  # what the release's canonical ids stand for
    1: "layer_1/width_16k/average_l0_102",
    2: "layer_2/width_16k/average_l0_141",
}
LIVE = 20  # features with weights; the rest are zero, so that the file packs small
LLAMA_D, LLAMA_WIDTH, LLAMA_NORM = 32, 64, 3.0
PROGRAM = """
import json, sys
import torch
from backend.errors import SubjectError
from backend.subjects.subject import load_subject

def tell(*arguments, **options):
    try:
        subject = load_subject(*arguments, **options)
    except SubjectError as error:
        return {"error": str(error)}
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, subject.model.d_model, generator=generator)
    return {
        "model_name": subject.model_name, "model_sha256": subject.model_sha256, "sae_sha256": subject.sae_sha256,
        "layers": {layer: {
            "architecture": sae.architecture, "shape": list(sae.W_dec.shape), "neuronpedia": sae.neuronpedia_id,
            "expected_norm": sae.expected_norm, "source": sae.source,
            "activations": sae.encode(x)[:, :20].tolist(), "reconstruction": sae.reconstruct(x)[:, :5].tolist(),
        } for layer, sae in subject.saes.items()},
    }

print(json.dumps([tell(*arguments, **options) for arguments, options in json.loads(sys.argv[1])]))
"""


def put(cache: Path, repository: str, name: str, write: Callable[[Path], Any]) -> None:
    """One file of a repository, as the hub's own cache lays it out."""
    root, revision = cache / f"models--{repository.replace('/', '--')}", "0" * 40
    (root / "refs").mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text(revision)
    path = root / "snapshots" / revision / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)


def put_model(cache: Path, repository: str, folder: Path) -> None:
    for file in folder.iterdir():
        put(cache, repository, file.name, lambda path, file=file: path.write_bytes(file.read_bytes()))


def gemma_tensors(layer: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(layer)
    tensors = {
        "W_enc": np.zeros((GEMMA_D, GEMMA_WIDTH), np.float32),
        "W_dec": np.zeros((GEMMA_WIDTH, GEMMA_D), np.float32),
        "b_enc": np.zeros(GEMMA_WIDTH, np.float32),
        "b_dec": random.normal(size=GEMMA_D).astype(np.float32),
        "threshold": np.full(GEMMA_WIDTH, 0.5, np.float32),
    }
    tensors["W_enc"][:, :LIVE] = random.normal(size=(GEMMA_D, LIVE)) / GEMMA_D**0.5
    tensors["W_dec"][:LIVE] = random.normal(size=(LIVE, GEMMA_D)) / GEMMA_D**0.5
    return tensors


def llama_tensors(layer: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(layer)
    return {
        "encoder.weight": torch.randn(LLAMA_WIDTH, LLAMA_D, generator=generator),
        "encoder.bias": torch.randn(LLAMA_WIDTH, generator=generator) * 0.1,
        "decoder.weight": torch.randn(LLAMA_D, LLAMA_WIDTH, generator=generator),
        "decoder.bias": torch.randn(LLAMA_D, generator=generator) * 0.1,
    }


def llama_settings() -> str:
    return json.dumps(
        {
            "d_model": LLAMA_D,
            "d_sae": LLAMA_WIDTH,
            "jump_relu_threshold": 0.4,
            "dataset_average_activation_norm": {"in": LLAMA_NORM, "out": LLAMA_NORM},
            "hook_point_in": "blocks.{layer}.hook_resid_post",
        }
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Everything asked of one process, which pays for the imports once."""
    cache, models = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("models")
    put_model(cache, "google/gemma-2-2b-it", save_model(models / "gemma", "gemma2", d_model=GEMMA_D, n_layers=3))
    for layer, folder in GEMMA_PATHS.items():
        put(
            cache, "google/gemma-scope-2b-pt-res", f"{folder}/params.npz",
            lambda path, layer=layer: np.savez_compressed(path, **gemma_tensors(layer)),
        )  # fmt: skip
    put_model(cache, "meta-llama/Llama-3.1-8B-Instruct", save_model(models / "llama", "llama"))
    for layer in (0, 2):
        folder = f"Llama3_1-8B-Base-L{layer}R-8x"
        settings = llama_settings().replace("{layer}", str(layer))
        put(cache, "fnlp/Llama3_1-8B-Base-LXR-8x", f"{folder}/hyperparams.json", lambda p, s=settings: p.write_text(s))
        put(
            cache, "fnlp/Llama3_1-8B-Base-LXR-8x", f"{folder}/checkpoints/final.safetensors",
            lambda path, layer=layer: save_file(llama_tensors(layer), path),
        )  # fmt: skip
    gemma, llama = "google/gemma-2-2b-it", "meta-llama/Llama-3.1-8B-Instruct"
    canonical = "gemma-scope-2b-pt-res-canonical:layer_*/width_16k/canonical"
    questions = [
        ([gemma, canonical], {"layers": [1, 2]}),
        ([gemma, "gemma-scope-2b-pt-res:layer_*/width_16k/average_l0_102"], {"layers": [1]}),
        ([llama, "llama_scope_lxr_8x:l*r_8x"], {"layers": [0, 2]}),
        ([llama, "llama_scope_lxr_8x:l*r_8x"], {"layers": [1]}),  # not in the cache
        ([llama, "llama_scope_lxr_8x:l*r_8x"], {}),  # has more layers than the tiny model
        ([llama, canonical], {"layers": [1]}),
        (["meta-llama/Llama-3.1-70B", "llama_scope_lxr_8x:l*r_8x"], {}),  # not in the cache
    ]
    environment = os.environ | {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(questions)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    answers: list[dict[str, Any]] = json.loads(result.stdout)
    return answers


def sample(d: int) -> torch.Tensor:
    return torch.randn(4, d, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("layer", [1, 2])
def test_gemma_scope_canonical(told: list[dict[str, Any]], layer: int) -> None:
    sae, tensors = told[0]["layers"][str(layer)], {k: torch.tensor(v) for k, v in gemma_tensors(layer).items()}
    assert sae["architecture"] == "jumprelu"
    assert sae["shape"] == [GEMMA_WIDTH, GEMMA_D]
    assert sae["neuronpedia"] == f"gemma-2-2b/{layer}-gemmascope-res-16k"
    assert sae["source"] == f"gemma-scope-2b-pt-res-canonical:layer_{layer}/width_16k/canonical"
    # Gemma Scope (Lieberum et al. 2408.05147): f = z where z > threshold, with z = x W_enc + b_enc, x not centred
    before = sample(GEMMA_D) @ tensors["W_enc"] + tensors["b_enc"]
    expected = before * (before > tensors["threshold"])
    torch.testing.assert_close(torch.tensor(sae["activations"]), expected[:, :LIVE], rtol=1e-4, atol=1e-5)
    reconstruction = expected @ tensors["W_dec"] + tensors["b_dec"]
    torch.testing.assert_close(torch.tensor(sae["reconstruction"]), reconstruction[:, :5], rtol=1e-4, atol=1e-5)
    assert (expected > 0).any()


def test_gemma_scope_raw_name_is_the_same_sae(told: list[dict[str, Any]]) -> None:
    assert told[1]["sae_sha256"]["1"] == told[0]["sae_sha256"]["1"] != told[0]["sae_sha256"]["2"]
    assert told[0]["model_name"] == "google/gemma-2-2b-it"
    assert len(told[0]["model_sha256"]) == 64


@pytest.mark.parametrize("layer", [0, 2])
def test_llama_scope(told: list[dict[str, Any]], layer: int) -> None:
    """Trained on activations brought to norm sqrt(d): the release's own factor scales the input."""
    from backend.subjects.sae_registry import published_saes

    sae, tensors = told[2]["layers"][str(layer)], llama_tensors(layer)
    factor = published_saes("llama_scope_lxr_8x:l*r_8x")[layer].norm_scaling_factor
    assert factor is not None
    assert sae["expected_norm"] == pytest.approx(LLAMA_D**0.5 / factor)
    # Llama Scope (He et al. 2410.20526): activations brought to norm sqrt(d) on average, not centred, one threshold;
    # sae-lens gives the threshold in those units from the release's mean norm
    before = sample(LLAMA_D) * factor @ tensors["encoder.weight"].T + tensors["encoder.bias"]
    expected = before * (before > 0.4 * LLAMA_D**0.5 / LLAMA_NORM)
    torch.testing.assert_close(torch.tensor(sae["activations"]), expected[:, :LIVE], rtol=1e-4, atol=1e-3)
    reconstruction = (expected @ tensors["decoder.weight"].T + tensors["decoder.bias"]) / factor
    torch.testing.assert_close(torch.tensor(sae["reconstruction"]), reconstruction[:, :5], rtol=1e-4, atol=1e-3)
    assert (expected > 0).any()


def test_what_cannot_be_had_is_one_line(told: list[dict[str, Any]]) -> None:
    errors = [answer["error"] for answer in told[3:]]
    assert all("\n" not in error for error in errors)
    assert "SAE llama_scope_lxr_8x:l1r_8x" in errors[0]
    assert "it has layer 4, but the subject's last is 3" in errors[1]
    assert "it reads 2304 numbers, the subject's residual has 32" in errors[2]
    assert "--subject meta-llama/Llama-3.1-70B: cannot read its configuration" in errors[3]
