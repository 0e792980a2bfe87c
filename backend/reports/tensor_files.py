"""What lies beside report.json, as bytes: token ids of completions, and refusal directions. Knows no file."""

import json

import torch
from safetensors.torch import load, save

from backend.audit.audit import Audited
from backend.audit.refusal.respond import TokenIds


def completions_file(audited: Audited) -> bytes:
    """completions.safetensors: the token ids of every completion by name, `prompt/arm`."""
    return save({name: torch.tensor(ids, dtype=torch.int32) for name, ids in sorted(audited.token_ids.items())})


def completions_from_file(content: bytes) -> TokenIds:
    """The token ids back."""
    return {name: tuple(ids.tolist()) for name, ids in load(content).items()}


def directions_file(audited: Audited) -> bytes:
    """directions.safetensors: the difference of means at every layer and position."""
    vectors = audited.vectors
    layout = {"layers": json.dumps(vectors.layers), "positions": json.dumps(vectors.positions)}
    return save({"difference_of_means": vectors.vectors.contiguous()}, layout)
