"""Stage 1, second half: candidate refusal features by cosine with the refusal direction, and where they are active.

Knows SAEs by protocol.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from backend.audit.candidates import ActivationTable, Candidate, Candidates
from backend.audit.interventions import Scope
from backend.audit.spec import AuditedPrompt
from backend.engine.protocol import Engine
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder

DENSE = 0.5  # share of benign tokens: features active on more are no candidates
TABLED_TOGETHER = 16  # prompts


def rank_candidates(
    saes: dict[int, SparseAutoencoder], directions: dict[int, Tensor], density: dict[int, Tensor], most: int
) -> Candidates:
    """Per layer the `most` features with the highest cosine(W_dec[l,i], r[l]); directions are [d_model] by layer.

    Dense features (density [d_sae] above DENSE) are left out: a feature that is on nearly everywhere carries the mean
    and not refusal, and ablating it throws the residual off its distribution, where hundreds of features wake.
    """
    by_layer = {}
    for layer, sae in saes.items():
        rows = sae.W_dec.float()
        direction = directions[layer].to(rows.device)
        cosines = torch.nn.functional.cosine_similarity(rows, direction[None], dim=-1)
        dense = density[layer].to(rows.device) > DENSE
        values, indices = cosines.masked_fill(dense, -2.0).topk(min(most, int((~dense).sum())))
        by_layer[layer] = tuple(
            Candidate(FeatureId(layer, i), rank, value)
            for rank, (i, value) in enumerate(zip(indices.tolist(), values.tolist(), strict=True), 1)
        )
    return Candidates(by_layer)


def table_activations(
    engine: Engine, prompts: Sequence[AuditedPrompt], scope: Scope, progress: Callable[[int, int], None]
) -> ActivationTable:
    """Run each prompt with nothing changed and note the largest activation of every feature."""
    by_layer = {layer: torch.zeros(len(prompts), sae.d_sae) for layer, sae in engine.saes.items()}
    active_tokens = {layer: torch.zeros(sae.d_sae) for layer, sae in engine.saes.items()}
    benign_tokens = 0
    for start in range(0, len(prompts), TABLED_TOGETHER):
        some = prompts[start : start + TABLED_TOGETHER]
        for row, (audited, fires) in enumerate(zip(some, engine.firing([p.tokens for p in some], scope), strict=True)):
            benign = audited.prompt.label == "benign"
            benign_tokens += benign * sum(c in scope.classes for c in audited.tokens.classes)
            for layer, firing in fires.items():
                by_layer[layer][start + row] = firing.maximum
                if benign:
                    active_tokens[layer] += firing.n_positions
        progress(start + len(some), len(prompts))
    density = {layer: counts / max(benign_tokens, 1) for layer, counts in active_tokens.items()}
    return ActivationTable(tuple(p.prompt.id for p in prompts), by_layer, density)
