"""Weight matrices of some modules, disturbed and put back. Knows modules; knows no model library.

The disturbed matrices stand beside the true ones, which are never written to: entering and leaving change which are
looked at, so they cost nothing and put back every bit. Memory: the matrices once more.
"""

from collections.abc import Iterable
from types import TracebackType

import torch
from torch import Tensor, nn

from backend.subjects.language_model import Disturbance

LEVELS = 127  # either side of zero: 255 with it


class DisturbedWeights:
    """Inside, every two-dimensional parameter of the modules is disturbed; may be entered again and again, not nested.

    noise: each matrix draws from one CPU generator in its turn, so that every device gets the same.
    """

    def __init__(self, modules: Iterable[nn.Module], disturbance: Disturbance) -> None:
        generator = torch.Generator().manual_seed(disturbance.seed)
        self._swaps: list[tuple[nn.Parameter, Tensor, Tensor]] = []  # parameter, its true data, disturbed data
        seen: set[nn.Parameter] = set()
        with torch.inference_mode(False), torch.no_grad():
            for module in (inner for outer in modules for inner in outer.modules()):
                for parameter in module.parameters(recurse=False):
                    if parameter.dim() == 2 and parameter not in seen:
                        seen.add(parameter)
                        true = parameter.data
                        disturbed = _disturbed(true.float(), disturbance, generator, 1 - _input_dimension(module))
                        self._swaps.append((parameter, true, disturbed.to(true.dtype)))

    def __enter__(self) -> None:
        for parameter, _, disturbed in self._swaps:
            parameter.data = disturbed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for parameter, true, _ in self._swaps:
            parameter.data = true


def _disturbed(weights: Tensor, disturbance: Disturbance, generator: torch.Generator, output_dimension: int) -> Tensor:
    if disturbance.kind == "noise":
        noise = torch.randn(weights.shape, generator=generator).to(weights.device)
        return weights + disturbance.amount * weights.std() * noise
    step = weights.abs().amax(1 - output_dimension, keepdim=True) / LEVELS
    step = torch.where(step > 0, step, 1.0)  # a row of zeros stays one
    return (weights / step).round() * step


def _input_dimension(module: nn.Module) -> int:
    """GPT-2's Conv1D holds its matrix the other way round than a Linear: [in, out]."""
    return 0 if type(module).__name__ == "Conv1D" else 1
