"""Features are encoded apart where their family allows it, and counted as active where they fire."""

import pytest
import torch

from backend.engine import encode
from backend.engine.encode import active_among, activity, encode_each, encode_features
from backend.subjects.planted.autoencoders import JumpReLUAutoencoder
from backend.subjects.sparse_autoencoder import FeatureId
from tests.engine.subjects import D_MODEL, KINDS, Subjects

EYE = torch.eye(3)
PLAIN = JumpReLUAutoencoder(7, W_enc=EYE, W_dec=EYE, threshold=torch.tensor([0.5, 0.5, 2.0]))


def test_by_hand() -> None:
    residual = torch.tensor([[1.0, 0.4, 3.0], [0.0, 0.6, 1.0]])
    assert encode_features(PLAIN, residual, torch.tensor([2, 1])).tolist() == [
        [3.0, 0.0],
        [0.0, pytest.approx(0.6)],
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_those_of_a_full_encode(tiny: Subjects, kind: str) -> None:
    sae = tiny(kind).saes[2]
    residual = torch.randn(2, 6, D_MODEL, generator=torch.Generator().manual_seed(0)) * 3
    indices = torch.tensor([0, 17, 5, 40])
    full = sae.encode(residual)
    assert (full[..., indices] > 0).any()
    torch.testing.assert_close(encode_features(sae, residual, indices), full[..., indices], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_what_it_is_alone(tiny: Subjects, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sae = tiny(kind).saes[2]
    random = torch.Generator().manual_seed(0)
    residuals = [torch.randn(n, D_MODEL, generator=random) * 3 for n in (4, 1, 7, 2)]
    for together in (1, 9 * sae.d_sae, 2**25):  # one at a time, two batches, all at once
        monkeypatch.setattr(encode, "ENCODED_TOGETHER", together)
        found = list(encode_each(sae, residuals))
        assert len(found) == len(residuals)
        for one, residual in zip(found, residuals, strict=True):
            torch.testing.assert_close(one, sae.encode(residual), rtol=1e-5, atol=1e-5)
    assert list(encode_each(sae, [])) == []


def test_activity_by_position_class() -> None:
    # Feature 0 fires on the sink and the last token, feature 1 nowhere, feature 2 on the system token.
    residual = torch.tensor([[9.0, 0.0, 0.0], [0.0, 0.5, 3.0], [0.6, 0.0, 1.0]])
    active = activity({7: PLAIN}, {7: residual}, ("sink", "system", "instruction"))
    assert {position: list(by_layer[7]) for position, by_layer in active.items()} == {
        "sink": [1, 0, 0],
        "system": [0, 0, 1],
        "instruction": [1, 0, 0],
    }
    a, b, c = (FeatureId(7, i) for i in range(3))
    assert active_among([a, b, c], active, ["sink", "system"]) == {a, c}
    assert active_among([a, b, c], active, ["instruction", "response"]) == {a}
    assert active_among([a, b, c], active, []) == frozenset()
