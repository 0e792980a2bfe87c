"""Random evaluations for hypothesis: prompts of many lengths under every mode, scope and direction, alone and mixed."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from backend.audit.interventions import NO_INTERVENTION, DirectionEdit, Intervention, Scope
from backend.engine.protocol import Pair
from backend.subjects.language_model import POSITION_CLASSES, ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId


def examples(n: int) -> settings:
    """The same n examples on every run: a random network meets a threshold or a tie within rounding once in a long
    while, but not on these."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(
        max_examples=n,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # shrinking a failure would take minutes
        suppress_health_check=slow,
    )


def scopes() -> st.SearchStrategy[Scope]:
    return st.sets(st.sampled_from(POSITION_CLASSES)).map(lambda classes: Scope(frozenset(classes)))


def directions(n_layers: int, d_model: int) -> st.SearchStrategy[DirectionEdit]:
    def vector(seed: int) -> torch.Tensor:
        return torch.randn(d_model, generator=torch.Generator().manual_seed(seed))

    layers = st.sets(st.integers(0, n_layers - 1), min_size=1).map(lambda s: tuple(sorted(s)))
    return st.builds(DirectionEdit, st.integers(0, 5).map(vector), layers, st.sampled_from(["ablate", "add"]))


@st.composite
def interventions(
    draw: st.DrawFn, features: Sequence[FeatureId], n_layers: int, d_model: int, most: int = 12
) -> Intervention:
    least = draw(st.sampled_from([0, 1, most // 2, most // 2]))  # hypothesis alone favours small sets
    chosen = tuple(draw(st.lists(st.sampled_from(features), unique=True, min_size=least, max_size=most)))
    mode = draw(st.sampled_from(["zero", "zero", "mean", "resample", "scale", "noise"]))
    scale = draw(st.sampled_from([-1.5, -1.0, 0.0, 0.5, 1.0, 2.0])) if mode == "scale" else 0.0
    valued = mode in ("mean", "resample")
    # Rounded: a target of 1e-40 says nothing that 0 does not.
    amounts = st.floats(0, 3).map(lambda x: round(x, 2))
    values = tuple(draw(st.lists(amounts, min_size=len(chosen), max_size=len(chosen)))) if valued else ()
    direction = draw(st.none() | directions(n_layers, d_model))
    noise_seed = draw(st.integers(0, 3)) if mode == "noise" else 0
    with_sae = sorted({feature.layer for feature in features})
    reconstructed = tuple(draw(st.just(set()) | st.just(set()) | st.sets(st.sampled_from(with_sae))))
    return Intervention(chosen, mode, scale, values, draw(scopes()), direction, noise_seed, reconstructed)


@st.composite
def batches(
    draw: st.DrawFn,
    prompts: Sequence[ChatTokens],
    features: Sequence[FeatureId],
    n_layers: int,
    d_model: int,
    most: int = 5,
) -> list[Pair]:
    """Up to `most` pairs; in some batches the prompts share no prefix."""
    one = interventions(features, n_layers, d_model)
    any_intervention = st.one_of(one, one, one, st.just(NO_INTERVENTION))
    least = draw(st.sampled_from([1, most // 2, most]))
    pairs = draw(
        st.lists(
            st.builds(Pair, st.sampled_from(prompts), any_intervention, st.booleans()), min_size=least, max_size=most
        )
    )
    if draw(st.integers(0, 3)) == 0:
        return [replace(pair, prompt=replace(pair.prompt, prefix_length=0)) for pair in pairs]
    return pairs
