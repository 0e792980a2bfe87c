"""Interventions reject what makes no sense, and say what they are."""

import pytest

from backend.audit.interventions import NOISE_SEEDS, Intervention, ablate
from backend.subjects.sparse_autoencoder import FeatureId

A, B = FeatureId(3, 1), FeatureId(2, 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "zero", "noise_seed": 1}, "noise_seed belongs to mode 'noise'"),
        ({"mode": "scale", "scale": 2.0, "noise_seed": 1}, "noise_seed belongs to mode 'noise'"),
        ({"mode": "noise", "noise_seed": -1}, "noise_seed: must be at least 0"),
        ({"mode": "noise", "noise_seed": NOISE_SEEDS}, "noise_seed: must be at least 0"),
        ({"mode": "noise", "scale": 1.0}, "scale belongs to mode 'scale'"),
        ({"mode": "noise", "values": (1.0, 2.0)}, "mode 'noise' takes no values"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Intervention((A, B), **arguments)


def test_noise_stands_for_silencing_and_is_told_apart_by_its_seed() -> None:
    noise = Intervention((A, B), "noise", noise_seed=5)
    assert noise.coefficients() == ablate((A, B)).coefficients()
    assert noise.keeps_silence
    assert noise.noise == 5
    assert ablate((A, B)).noise is None


def test_reconstructed_layers_are_sorted_once_each_and_count_as_edited() -> None:
    rebuilt = Intervention((A,), reconstructed=(9, 1, 9))
    assert rebuilt.reconstructed == (1, 9)
    assert rebuilt.first_layer == 1
    assert Intervention(reconstructed=(4,)).first_layer == 4
    assert rebuilt == Intervention((A,), reconstructed=(1, 9))
