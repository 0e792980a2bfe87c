"""Disturbed weight matrices, worked by hand and drawn by seed."""

import pytest
import torch
from torch import nn

from backend.subjects.disturbance import DisturbedWeights
from backend.subjects.language_model import Disturbance


class Conv1D(nn.Module):
    """As GPT-2's: [in, out]."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)


def linear(weight: list[list[float]]) -> nn.Linear:
    made = nn.Linear(len(weight[0]), len(weight))
    with torch.no_grad():
        made.weight.copy_(torch.tensor(weight))
    return made


def test_int8_by_hand() -> None:
    module = linear([[127.0, 0.4, -63.6], [0.0, 0.0, 0.0], [-2.54, 1.0, 0.01]])
    true, bias = module.weight.detach().clone(), module.bias.detach().clone()
    with DisturbedWeights([module], Disturbance("int8")):
        # Steps of 1 in the first row, of 0.02 in the last.
        assert module.weight[0].tolist() == [127.0, 0.0, -64.0]
        assert module.weight[1].tolist() == [0.0, 0.0, 0.0]
        assert module.weight[2].tolist() == pytest.approx([-2.54, 1.0, 0.0], abs=1e-6)
        assert torch.equal(module.bias, bias)
    assert torch.equal(module.weight, true)


def test_int8_rounds_by_output_whichever_way_the_matrix_lies() -> None:
    weight = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    usual, transposed = linear(weight.tolist()), Conv1D(weight.T.contiguous())
    with DisturbedWeights([usual], Disturbance("int8")), DisturbedWeights([transposed], Disturbance("int8")):
        assert torch.equal(usual.weight, transposed.weight.T)
        assert not torch.equal(usual.weight, weight)
        assert all(len(row.unique()) <= 255 for row in usual.weight)
        assert (usual.weight - weight).abs().max() <= weight.abs().amax() / 127 / 2 + 1e-6


def test_noise_has_the_size_asked_for_and_comes_from_its_seed() -> None:
    generator = torch.Generator().manual_seed(1)
    modules = [linear((scale * torch.randn(80, 80, generator=generator)).tolist()) for scale in (1.0, 5.0)]

    def noise(seed: int, amount: float = 0.05) -> list[torch.Tensor]:
        true = [module.weight.detach().clone() for module in modules]
        with DisturbedWeights(modules, Disturbance("noise", amount, seed)):
            return [module.weight.detach() - before for module, before in zip(modules, true, strict=True)]

    first, again, other, none = noise(1), noise(1), noise(2), noise(1, 0.0)
    for scale, drawn in zip((1.0, 5.0), first, strict=True):
        assert float(drawn.std()) == pytest.approx(0.05 * scale, rel=0.05)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.allclose(a, b) for a, b in zip(first, other, strict=True))
    assert all(float(a.abs().max()) == 0.0 for a in none)
    assert abs(float(torch.corrcoef(torch.stack([first[0].flatten(), first[1].flatten()]))[0, 1])) < 0.1


def test_only_the_modules_matrices_and_in_the_type_they_have() -> None:
    block, embedding = nn.Sequential(linear([[1.0, 2.0]]), nn.LayerNorm(2)).to(torch.bfloat16), linear([[1.0, 3.0]])
    block[0].weight.data = block[0].weight.data.clone()
    kept = [block[1].weight.detach().clone(), embedding.weight.detach().clone()]
    with DisturbedWeights([block], Disturbance("noise", 0.5)):
        assert block[0].weight.dtype == torch.bfloat16
        assert block[0].weight.tolist() != [[1.0, 2.0]]
        assert torch.equal(block[1].weight, kept[0])
        assert torch.equal(embedding.weight, kept[1])
    assert block[0].weight.tolist() == [[1.0, 2.0]]


def test_it_may_be_entered_again_inside_inference_mode() -> None:
    module = linear([[1.0, 2.0], [3.0, 5.0]])
    true = module.weight.data_ptr()
    weights = DisturbedWeights([module], Disturbance("noise", 0.5))
    seen = []
    for _ in range(2):
        with torch.inference_mode(), weights:
            seen.append(module(torch.ones(1, 2)).tolist())
        assert module.weight.data_ptr() == true
    assert seen[0] == seen[1] != module(torch.ones(1, 2)).tolist()
