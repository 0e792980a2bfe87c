"""The same evaluations with TransformerLens and SAELens, error term on, the attention sink left out.

TransformerBridge, because HookedTransformer knows no SmolLM2. It runs the same transformers weights.
"""

import copy
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer

from backend.audit.refusal.score import refusal_score
from backend.engine.protocol import Pair
from backend.subjects.planted.autoencoders import JumpReLUAutoencoder
from backend.subjects.sae_loading import quiet_sae_lens
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder
from backend.subjects.subject import Subject
from benchmarks.workload import by_prompt

BATCH_ROWS = 32  # the fastest of 4, 8, 16 and 32 where it was tried


class LensPeer:
    """A bridge over a copy of the subject's model, with the subject's SAEs as SAELens loads them."""

    def __init__(self, subject: Subject) -> None:
        with quiet_sae_lens(), TemporaryDirectory() as folder:
            from sae_lens.analysis.sae_transformer_bridge import SAETransformerBridge

            # The bridge reads configuration and tokenizer by name, so they are given one. The model is copied: the
            # bridge takes it apart and puts its own modules in.
            model = copy.deepcopy(subject.model.model)
            model.config.save_pretrained(folder)
            subject.model.tokenizer.save_pretrained(folder)
            tokenizer = AutoTokenizer.from_pretrained(folder)
            self._model = SAETransformerBridge.boot_transformers(
                folder, hf_model=model, tokenizer=tokenizer, device="cpu"
            )
            self._saes = {layer: _sae_lens_sae(sae) for layer, sae in subject.saes.items()}
        for sae in self._saes.values():
            sae.use_error_term = True

    @torch.inference_mode()
    def one_by_one(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[float]:
        """As the tutorials write it: prompt by prompt, an ablation hook on each SAE that has something to ablate."""
        scores = []
        for pair in pairs:
            chosen = _by_layer(pair.intervention.features)
            hooks = [
                (self._acts_hook(layer), partial(_ablate_features, indices=torch.tensor(indices)))
                for layer, indices in chosen.items()
            ]
            logits = self._model.run_with_hooks_with_saes(
                torch.tensor([pair.prompt.ids]), saes=[self._saes[layer] for layer in chosen], fwd_hooks=hooks
            )
            scores += refusal_score(logits[:, -1], onset_ids).tolist()
        return scores

    @torch.inference_mode()
    def batched(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[float]:
        """As well as the library allows: all sets known beforehand, many rows of a prompt a pass, a keep-mask per row,
        and only the last position unembedded."""
        scores = [math.nan] * len(pairs)
        for positions in by_prompt(pairs):
            for start in range(0, len(positions), BATCH_ROWS):
                rows = positions[start : start + BATCH_ROWS]
                sets = [pairs[row].intervention.features for row in rows]
                tokens = torch.tensor([pairs[row].prompt.ids for row in rows])
                layers = sorted({feature.layer for features in sets for feature in features})
                hooks = [
                    (self._acts_hook(layer), partial(_keep, mask=_keep_mask(sets, layer, self._saes[layer].cfg.d_sae)))
                    for layer in layers
                ]
                logits = self._model.run_with_hooks_with_saes(
                    tokens, saes=[self._saes[layer] for layer in layers], fwd_hooks=hooks, logits_to_keep=1
                )
                for row, score in zip(rows, refusal_score(logits[:, -1], onset_ids).tolist(), strict=True):
                    scores[row] = score
        return scores

    def _acts_hook(self, layer: int) -> str:
        return str(self._model.get_sae_hook_name(self._saes[layer], "hook_sae_acts_post"))


def _by_layer(features: Sequence[FeatureId]) -> dict[int, list[int]]:
    chosen: dict[int, list[int]] = {}
    for feature in features:
        chosen.setdefault(feature.layer, []).append(feature.index)
    return chosen


def _ablate_features(acts: Tensor, hook: Any, indices: Tensor) -> Tensor:
    acts[:, 1:, indices] = 0.0
    return acts


def _keep(acts: Tensor, hook: Any, mask: Tensor) -> Tensor:
    acts[:, 1:] *= mask
    return acts


def _keep_mask(rows: Sequence[Sequence[FeatureId]], layer: int, d_sae: int) -> Tensor:
    """[rows, 1, d_sae], 0 where a row ablates a feature."""
    mask = torch.ones(len(rows), 1, d_sae)
    for row, features in enumerate(rows):
        for feature in features:
            if feature.layer == layer:
                mask[row, 0, feature.index] = 0.0
    return mask


def _sae_lens_sae(sae: SparseAutoencoder) -> Any:
    import sae_lens

    if isinstance(sae, JumpReLUAutoencoder):
        return _from_planted(sae)
    return sae_lens.SAE.load_from_disk(Path(sae.source), device="cpu", dtype="float32")


def _from_planted(planted: JumpReLUAutoencoder) -> Any:
    from sae_lens.saes.jumprelu_sae import JumpReLUSAE, JumpReLUSAEConfig
    from sae_lens.saes.sae import SAEMetadata

    metadata = SAEMetadata(hook_name=f"blocks.{planted.layer}.hook_resid_post")
    config = JumpReLUSAEConfig(d_in=planted.d_in, d_sae=planted.d_sae, apply_b_dec_to_input=False, metadata=metadata)
    sae = JumpReLUSAE(config)
    zeros = {"b_enc": torch.zeros(planted.d_sae), "b_dec": torch.zeros(planted.d_in)}
    weights = {"W_enc": planted.W_enc, "W_dec": planted.W_dec, "threshold": planted.threshold}
    sae.load_state_dict(weights | zeros)
    return sae
