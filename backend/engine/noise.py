"""The directions of mode "noise": fixed by layer and seed, the same on every device. Knows no model and no SAE."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

LAYERS = 4096  # no model has more: one generator seed a layer and noise seed


def noise_direction(layer: int, noise_seed: int, d_model: int) -> Tensor:
    """A random unit vector [d_model], float32 on the CPU, uniform on the sphere."""
    generator = torch.Generator().manual_seed(noise_seed * LAYERS + layer)
    return normalize(torch.randn(d_model, generator=generator), dim=0)
