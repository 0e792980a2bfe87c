"""Packed layers compute what torch's own do, notice swapped weights, and stand only where they are worth it."""

from copy import deepcopy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from backend.subjects import packed_linear
from backend.subjects.disturbance import DisturbedWeights
from backend.subjects.language_model import Disturbance
from backend.subjects.packed_linear import PackedLinear, pack_linears

pytestmark = pytest.mark.skipif(not packed_linear._can_pack(), reason="this processor has no packed layers")


@pytest.fixture(autouse=True)
def small_ones_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_linear, "LEAST_BYTES", 0)


def block(bias: bool = True) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(24, 40, bias), nn.SiLU(), nn.Sequential(nn.Linear(40, 24, bias)))


@given(
    st.lists(st.integers(1, 40), max_size=2),
    st.integers(1, 70),
    st.integers(1, 70),
    st.booleans(),
    st.booleans(),
    st.integers(0, 2**31),
)
def test_it_is_torch_s_linear(leading: list[int], d_in: int, d_out: int, bias: bool, strided: bool, seed: int) -> None:
    torch.manual_seed(seed)
    linear = nn.Linear(d_in, d_out, bias)
    x = torch.randn(*leading, 3, d_in)
    if strided:
        x = torch.randn(*leading, d_in, 3).transpose(-1, -2)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(linear)(x), linear(x), rtol=1e-4, atol=1e-5)


def test_every_linear_is_packed_over_the_same_parameters() -> None:
    model = block()
    before = dict(model.named_parameters())
    pack_linears(model)
    assert [type(module) for module in model.modules() if hasattr(module, "weight")] == [PackedLinear] * 2
    after = dict(model.named_parameters())
    assert after.keys() == before.keys()
    assert all(after[name] is parameter for name, parameter in before.items())


def test_swapped_weights_are_used_and_those_put_back_too() -> None:
    model, plain, x = block(), block(), torch.randn(5, 24)
    pack_linears(model)
    with torch.inference_mode():
        before = model(x)
        disturbance = Disturbance("noise", 0.5, 3)
        with DisturbedWeights([model], disturbance), DisturbedWeights([plain], disturbance):
            torch.testing.assert_close(model(x), plain(x))
            assert not torch.allclose(model(x), before, atol=0.01)
        assert torch.equal(model(x), before)


@pytest.mark.parametrize("bias", [True, False])
def test_a_copy_is_plain_and_its_own(bias: bool) -> None:
    model, x = block(bias), torch.randn(5, 24)
    pack_linears(model)
    copied = deepcopy(model)
    assert type(copied[0]) is nn.Linear
    with torch.inference_mode():
        torch.testing.assert_close(copied(x), model(x))
        copied[0].weight.zero_()
        assert not torch.allclose(copied(x), model(x))


def test_weights_that_many_layers_share_stay_shared_in_a_copy() -> None:
    embedding = nn.Embedding(40, 24)
    model = nn.ModuleDict({"embed": embedding, "head": nn.Linear(24, 40, bias=False)})
    model["head"].weight = embedding.weight
    pack_linears(model)
    copied = deepcopy(model)
    assert copied["head"].weight is copied["embed"].weight


def test_what_cannot_or_need_not_be_packed_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    half = block().to(torch.bfloat16)
    pack_linears(half)
    assert type(half[0]) is nn.Linear
    large = block()
    monkeypatch.setattr(packed_linear, "MOST_BYTES", 40 * 24 * 4 * 2 - 1)
    pack_linears(large)
    assert type(large[0]) is nn.Linear
    monkeypatch.setattr(packed_linear, "MOST_BYTES", 2**30)
    mixed = nn.Sequential(nn.Linear(24, 40), nn.Linear(40, 23))
    monkeypatch.setattr(packed_linear, "LEAST_BYTES", 40 * 24 * 4)
    pack_linears(mixed)
    assert [type(layer) for layer in mixed] == [PackedLinear, nn.Linear]
    monkeypatch.setattr(packed_linear, "_can_pack", lambda: False)
    other = block()
    pack_linears(other)
    assert type(other[0]) is nn.Linear
