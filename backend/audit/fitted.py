"""What discovery and validation prompts fix for all that follows."""

from dataclasses import dataclass

from torch import Tensor

from backend.audit.candidates import ActivationTable, Candidates
from backend.subjects.sparse_autoencoder import FeatureId


@dataclass(frozen=True, eq=False)
class Fitted:
    """What discovery and validation prompts fixed before any prompt is worked on."""

    onset_ids: tuple[int, ...]
    screen: float  # score above which no completion is generated to see a flip
    direction: Tensor  # [d_model]
    candidates: Candidates
    table: ActivationTable
    claimed_pairs: tuple[tuple[FeatureId, FeatureId], ...]
    probe_ranking: tuple[FeatureId, ...]  # by the linear probe's weight towards harmful, largest first
