"""Active features like a given one, to hold its effect against. Knows observed activity; knows no model."""

from collections.abc import Mapping

import numpy as np

from backend.audit.candidates import ActivationTable
from backend.audit.feature_sets import NEIGHBOURS, FeatureSet
from backend.audit.stats.samples import Floats
from backend.engine.protocol import Activation
from backend.subjects.sparse_autoencoder import FeatureId


def look_alikes(
    feature: FeatureId,
    active: Mapping[FeatureId, Activation],
    excluded: FeatureSet,
    table: ActivationTable,
    draws: int,
    random: np.random.Generator,
) -> list[FeatureId]:
    """Up to `draws` different active features of the same layer, `excluded` ones and the feature itself left out.

    Drawn among the NEIGHBOURS nearest in activation frequency over the tabled prompts and in log largest activation
    here (both standardised over the layer's active features): a dormant feature has no size anywhere else. A layer
    with fewer gives what it has.
    """
    others = sorted(f for f in active if f.layer == feature.layer and f != feature and f not in excluded)
    if not others:
        return []
    rows = [feature, *others]
    frequency = table.frequency(feature.layer)[[f.index for f in rows]].double().numpy()
    size = np.log1p([active[f].maximum for f in rows])
    distance = _standardised(frequency) + _standardised(size)
    nearest = [others[i] for i in np.argsort(distance, kind="stable")[:NEIGHBOURS]]
    return [nearest[i] for i in random.permutation(len(nearest))[:draws]]


def _standardised(values: Floats) -> Floats:
    """Distance of each value but the first from the first, in standard deviations."""
    return np.asarray(np.abs(values[1:] - values[0]) / max(float(values.std()), 1e-6), dtype=np.float64)
