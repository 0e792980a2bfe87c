"""Edits of a batch, worked by hand on three features of a three-dimensional residual."""

import pytest
import torch
from torch import Tensor

from backend.audit.interventions import NO_INTERVENTION, DirectionEdit, Intervention, ablate
from backend.engine.hooks import BatchEdits
from backend.engine.noise import noise_direction
from backend.subjects.planted.autoencoders import JumpReLUAutoencoder
from backend.subjects.sparse_autoencoder import FeatureId

# Feature 0 reads axis 0 above 0.5 and writes half along axis 1; features 1 and 2 read and write their own axes.
W_DEC = torch.tensor([[0.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
SAE = JumpReLUAutoencoder(3, torch.eye(3), W_DEC, torch.tensor([0.5, 0.5, 0.5]))
A, B, C = (FeatureId(3, i) for i in range(3))
CPU = torch.device("cpu")
RESIDUAL = torch.tensor([[2.0, 1.0, 0.1], [0.4, 4.0, 0.2]])  # A and B fire on token 0, B alone on token 1


def batch(*interventions: Intervention, scope: Tensor | None = None) -> BatchEdits:
    edits = BatchEdits({3: SAE}, interventions, CPU)
    edits.scope_mask = torch.ones(len(interventions), 2) if scope is None else scope
    return edits


def edited_by(*interventions: Intervention, scope: Tensor | None = None) -> list:
    residual = RESIDUAL.expand(len(interventions), -1, -1)
    return batch(*interventions, scope=scope).apply(3, residual).tolist()


def rows(*values: list[float]) -> list:
    return [pytest.approx(row) for row in values]


@pytest.mark.parametrize(
    ("intervention", "expected"),
    [
        (ablate((A,)), [[2.0, 0.0, 0.1], [0.4, 4.0, 0.2]]),  # minus 2 * 0.5 along axis 1, the error stays
        (ablate((B,)), [[2.0, 0.0, 0.1], [0.4, 0.0, 0.2]]),
        (ablate((C,)), [[2.0, 1.0, 0.1], [0.4, 4.0, 0.2]]),  # below its threshold: its 0.1 is error, which is kept
        (ablate((A, B)), [[2.0, -1.0, 0.1], [0.4, 0.0, 0.2]]),
        (Intervention((B,), "scale", -1.0), [[2.0, -1.0, 0.1], [0.4, -4.0, 0.2]]),
        (Intervention((B,), "scale", 1.0), [[2.0, 1.0, 0.1], [0.4, 4.0, 0.2]]),
        (Intervention((A, C), "mean", values=(1.0, 3.0)), [[2.0, 0.5, 3.1], [0.4, 4.5, 3.2]]),
        (Intervention((B,), "resample", values=(0.0,)), [[2.0, 0.0, 0.1], [0.4, 0.0, 0.2]]),
        (Intervention(reconstructed=(3,)), [[0.0, 2.0, 0.0], [0.0, 4.0, 0.0]]),  # 2 * 0.5 + 1, and 4, along axis 1
        # B as x arrived, 1 and 4, not as the reconstruction has it: 2 and 4.
        (Intervention((B,), reconstructed=(3,)), [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]),
    ],
)
def test_one_row(intervention: Intervention, expected: list[list[float]]) -> None:
    assert edited_by(intervention) == [rows(*expected)]


def test_rows_are_edited_each_their_own_way_and_in_scope_only() -> None:
    scope = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    first, second, third = edited_by(ablate((B,)), ablate((B,)), NO_INTERVENTION, scope=scope)
    assert first == rows([2.0, 0.0, 0.1], [0.4, 4.0, 0.2])
    assert second == rows([2.0, 1.0, 0.1], [0.4, 0.0, 0.2])
    assert third == rows(*RESIDUAL.tolist())


def test_direction_comes_after_the_features() -> None:
    along = torch.tensor([0.0, 2.0, 0.0])
    take = DirectionEdit(along, (3,), "ablate")
    add = DirectionEdit(along, (3,), "add")
    # Ablating the axis after A's removal finds 0 there on token 0, not the 1 that arrived.
    assert edited_by(Intervention((A,), direction=take)) == [rows([2.0, 0.0, 0.1], [0.4, 0.0, 0.2])]
    assert edited_by(Intervention((B,), direction=add)) == [rows([2.0, 2.0, 0.1], [0.4, 2.0, 0.2])]
    assert edited_by(Intervention(direction=add)) == [rows([2.0, 3.0, 0.1], [0.4, 6.0, 0.2])]


def test_noise_is_as_long_as_what_it_replaces_and_along_one_direction() -> None:
    noise = Intervention((A, B, C), "noise", noise_seed=7)
    scope = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    first, ablated, second = edited_by(noise, ablate((A, B, C)), noise, scope=scope)
    u = noise_direction(3, 7, 3)
    assert float(u.norm()) == pytest.approx(1.0)
    # A and B together remove 2 along axis 1 on token 0, B alone 4 on token 1.
    assert first == rows(*(RESIDUAL + torch.tensor([[2.0], [4.0]]) * u).tolist())
    assert ablated == rows([2.0, -1.0, 0.1], [0.4, 0.0, 0.2])
    assert second == rows(RESIDUAL[0].tolist(), first[1])
    others = [noise_direction(3, 8, 3), noise_direction(4, 7, 3)]
    assert all(abs(float(u @ other)) < 0.99 for other in others)


def test_edited_names_what_was_changed() -> None:
    scope = torch.tensor([[0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
    edits = batch(
        ablate((A, B, C)),  # on token 1 only: A is silent there
        ablate((A, C)),
        Intervention((C,), "mean", values=(3.0,)),
        Intervention((A, B), "scale", 1.0),  # asked and active, but left as they are
        ablate((A, B)),
        Intervention((A, B, C), "noise"),  # those whose silencing it is as long as
        scope=scope,
    )
    assert edits.edited() == [set()] * 6
    edits.apply(3, RESIDUAL.expand(6, -1, -1))
    assert edits.edited() == [{B}, {A}, {C}, set(), set(), {B}]


def test_capture_is_what_arrived() -> None:
    edits = BatchEdits({3: SAE}, [ablate((B,))], CPU, capture=[3, 5])
    edits.scope_mask = torch.ones(1, 2)
    assert set(edits.callables()) == {3, 5}
    assert set(edits.callables(first_layer=4)) == {5}
    for change in edits.callables().values():
        change(RESIDUAL[None])
    assert torch.equal(edits.captured[3][0], RESIDUAL)
    assert torch.equal(edits.captured[5][0], RESIDUAL)


def test_rows_can_be_dropped() -> None:
    direction = DirectionEdit(torch.tensor([1.0, 0.0, 0.0]), (3,), "ablate")
    noise, rebuilt = Intervention((B,), "noise", noise_seed=1), Intervention(reconstructed=(3,))
    edits = batch(ablate((B,)), Intervention((B,), "scale", -1.0), Intervention(direction=direction), noise, rebuilt)
    edits.keep_rows(torch.tensor([1, 2, 3, 4]))
    edits.scope_mask = torch.ones(4, 2)
    second, third, fourth, fifth = edits.apply(3, RESIDUAL.expand(4, -1, -1)).tolist()
    assert [fourth, fifth] == edited_by(noise, rebuilt)
    assert second == rows([2.0, -1.0, 0.1], [0.4, -4.0, 0.2])
    assert third == rows([0.0, 1.0, 0.1], [0.0, 4.0, 0.2])
    assert edits.edited() == [{B}, set(), {B}, set()]


def test_run_time_scale_is_put_back() -> None:
    class Halved(JumpReLUAutoencoder):
        """Sees the residual at half its size."""

        def preprocess(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x / 2, torch.full_like(x[..., :1], 2.0)

        def encode_columns(self, x: Tensor, indices: Tensor) -> Tensor:
            return super().encode_columns(x / 2, indices)

    halved = Halved(3, torch.eye(3), W_DEC, torch.tensor([0.5, 0.5, 0.5]))
    edits = BatchEdits({3: halved}, [ablate((A,))], CPU)
    edits.scope_mask = torch.ones(1, 2)
    # A is 1.0 there; its 1.0 * 0.5 along axis 1 is 1.0 in the residual's own size.
    assert edits.apply(3, RESIDUAL[None]).tolist() == [rows([2.0, 0.0, 0.1], [0.4, 4.0, 0.2])]


def test_a_layer_without_sae_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"layer 4 has no SAE; audited layers: \[3\]"):
        BatchEdits({3: SAE}, [ablate((FeatureId(4, 0),))], CPU)
    with pytest.raises(KeyError, match=r"layer 4 has no SAE; audited layers: \[3\]"):
        BatchEdits({3: SAE}, [Intervention(reconstructed=(3, 4))], CPU)
