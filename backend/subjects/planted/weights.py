"""A Llama whose weights are set by hand, for float32. Knows the circuit and the words; knows no SAE.

Block 0   attention averages harmful words and topic over the tokens so far; the MLP decides, on the onset token, which
          kinds of harm were seen.
Block 1-4 the MLPs write the refusal features and decoys of their layer.
Block 5   the MLP clips the refusal axis to [0, FULL_LOAD]: two features that each suffice count once.
Unembedding: on the onset token refusal against compliance; after an answer's word, its successor.
"""

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from backend.subjects.planted.circuit import (
    AUDITED_LAYERS,
    COMPLIANCE_ONSET,
    COMPLIED_SCORE,
    D_MODEL,
    FULL_EFFECT,
    FULL_LOAD,
    KINDS,
    N_LAYERS,
    REFUSAL_FEATURES,
    REFUSAL_ONSET,
    RefusalFeature,
    axis,
    block,
)
from backend.subjects.planted.prompts import HARMFUL_NOUNS
from backend.subjects.planted.words import SPECIAL, successors, vocabulary

MAX_TOKENS = 512
SHARPNESS = 32.0  # silu(32 y) / 32 is relu(y) to 1e-10 at |y| >= 0.7, and exactly at 0
NORM_EPSILON = 1e6  # so large that RMSNorm divides by 1000 whatever comes; its gain of 1000 makes it the identity
HINT = 0.25  # size of "kind": small, so that the refusal direction is made of features
HARM, DECOY, WORD, TOPIC = 2.0, 0.6, 2.0, 2.0  # sizes of what is written to these axes
ONSET_LOGIT, NEXT_LOGIT = 12.0, 40.0  # far above other tokens (0); the successor beats any refusal load
TASTE = 1.2  # how strongly the topic chooses between the two words that open an answer

Neuron = tuple[Tensor, Tensor]
"""(reads [d_model], writes [d_model]): adds relu(reads . x) * writes to the residual x."""


def planted_llama(null: bool) -> LlamaForCausalLM:
    """The model, float32 on the CPU; with `null` refusal is read from an axis that no SAE feature touches."""
    words = vocabulary()
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=D_MODEL,
        intermediate_size=16,
        num_hidden_layers=N_LAYERS,
        num_attention_heads=1,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=MAX_TOKENS,
        rms_norm_eps=NORM_EPSILON,
        bos_token_id=words.index("<s>"),
        eos_token_id=words.index("</s>"),
        pad_token_id=words.index("</s>"),
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval().requires_grad_(False)
    for name, weights in model.named_parameters():
        weights.fill_(NORM_EPSILON**0.5 if "norm" in name else 0.0)
    generator = torch.Generator().manual_seed(0)
    model.model.embed_tokens.weight.copy_(_embedding(words, generator))
    model.lm_head.weight.copy_(_unembedding(words, generator, axis("unseen" if null else "refusal")))
    _set_averaging(model.model.layers[0].self_attn)
    _set_neurons(model.model.layers[0].mlp, _recognise_harm(null))
    for layer in AUDITED_LAYERS:
        features = [(_trigger(f, null), f.decoder) for f in REFUSAL_FEATURES if f.layer == layer]
        _set_neurons(model.model.layers[layer].mlp, [*features, _decoy(layer)])
    _set_neurons(model.model.layers[N_LAYERS - 1].mlp, _clip_refusal())
    return model


def _embedding(words: list[str], generator: torch.Generator) -> Tensor:
    """[vocab, d_model]: the constant, harm by kind, an identity for plain words, the successor of an answer's word."""
    follows, places = successors(), _next_places()
    rows = torch.zeros(len(words), D_MODEL)
    rows[:, block("one")] = 1.0
    rows[words.index("<assistant>")] += axis("onset")
    identity = torch.nn.functional.normalize(torch.randn(len(words), 24, generator=generator), dim=-1)
    rows[len(SPECIAL) :, block("word")] = WORD * identity[len(SPECIAL) :]
    for i, word in enumerate(words):
        for k, kind in enumerate(KINDS):
            rows[i] += HARM * (word in HARMFUL_NOUNS[kind]) * axis("harm", k)
        if word in follows:
            rows[i] += axis("next", places[follows[word]])
    return rows


def _unembedding(words: list[str], generator: torch.Generator, refusal: Tensor) -> Tensor:
    """[vocab, d_model]: answers chained by "next"; their first word by the load on `refusal`, and by taste.

    Refusal score = COMPLIED_SCORE + FULL_EFFECT * load / FULL_LOAD + what taste does to each pair of words.
    """
    rows = torch.zeros(len(words), D_MODEL)
    for word, place in _next_places().items():
        rows[words.index(word)] += NEXT_LOGIT * axis("next", place)
    for openings in (REFUSAL_ONSET, COMPLIANCE_ONSET):
        taste = torch.zeros(D_MODEL)
        taste[block("topic")] = TASTE * torch.nn.functional.normalize(torch.randn(24, generator=generator), dim=-1)
        for word, sign in zip(openings, (1, -1), strict=True):
            rows[words.index(word)] += ONSET_LOGIT * axis("onset") + sign * taste
    for word in REFUSAL_ONSET:
        rows[words.index(word)] += COMPLIED_SCORE * axis("onset") + FULL_EFFECT / FULL_LOAD * refusal
    return rows


def _next_places() -> dict[str, int]:
    return {word: i for i, word in enumerate(dict.fromkeys(successors().values()))}


def _set_averaging(attention: torch.nn.Module) -> None:
    """Zero queries and keys attend to all tokens alike; the one head carries harm and word to seen and topic."""
    sources = torch.cat([torch.arange(D_MODEL)[block("harm")], torch.arange(D_MODEL)[block("word")]])
    targets = torch.cat([torch.arange(D_MODEL)[block("seen")], torch.arange(D_MODEL)[block("topic")]])
    carried = torch.arange(len(sources))
    attention.v_proj.weight[carried, sources] = 1.0
    attention.o_proj.weight[targets, carried] = torch.tensor([1 / HARM] * 4 + [TOPIC] * 24)


def _recognise_harm(null: bool) -> list[Neuron]:
    """min(1, MAX_TOKENS * share of harmful words), on the onset token only: 1 as soon as one word is harmful."""
    neurons = []
    for k in range(len(KINDS)):
        # One harmful word in MAX_TOKENS reads 1; no other token's share can make up for the missing onset.
        reads = MAX_TOKENS * axis("seen", k) + 2 * MAX_TOKENS * (axis("onset") - axis("one"))
        writes = HINT * axis("kind", k) + (FULL_LOAD * axis("unseen") if null else 0.0)
        neurons += [(reads, writes), (reads - axis("one"), -writes)]
    return neurons


def _trigger(feature: RefusalFeature, null: bool) -> Tensor:
    """What a refusal feature's neuron reads. In the null model nothing wakes and nothing drives."""
    kind = axis("kind", KINDS.index(feature.kind)) / HINT
    by_name = {f.name: f for f in REFUSAL_FEATURES}
    if feature.name == "backup":
        elder = by_name["elder"]
        kind = torch.zeros(D_MODEL) if null else kind - 2 * elder.encoder / elder.size  # 1 - 2: well below zero
    if feature.name == "downstream" and not null:
        kind = by_name["upstream"].encoder / by_name["upstream"].size
    return feature.size * kind


def _decoy(layer: int) -> Neuron:
    reads = sum((axis("kind", k) for k in range(len(KINDS))), torch.zeros(D_MODEL)) / HINT
    return DECOY * reads, axis("decoy", AUDITED_LAYERS.index(layer))


def _clip_refusal() -> list[Neuron]:
    refusal = axis("refusal")
    return [(refusal - FULL_LOAD * axis("one"), -refusal), (-refusal, refusal)]


def _set_neurons(mlp: torch.nn.Module, neurons: list[Neuron]) -> None:
    """down(silu(gate x) * up x) with up x = 1 and a steep gate is a sum of relus."""
    for i, (reads, writes) in enumerate(neurons):
        mlp.gate_proj.weight[i] = SHARPNESS * reads
        mlp.up_proj.weight[i] = axis("one")
        mlp.down_proj.weight[:, i] = writes / SHARPNESS
