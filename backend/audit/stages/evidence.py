"""What a reader looks at behind the figures: the reported features on each token, and the tokens each one promotes.

Nothing is chosen or judged here. Knows the engine by protocol.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from backend.audit.interventions import Scope
from backend.audit.results import Feature, PromptResult, PromptTokens, TokenWeight
from backend.audit.spec import AuditedPrompt
from backend.engine.protocol import Engine, Pair
from backend.subjects.language_model import LanguageModel
from backend.subjects.sparse_autoencoder import FeatureId

NEAREST = 10  # tokens listed either way
CHUNK = 16  # prompts, or features, at a time


def with_nearest_tokens(engine: Engine, model: LanguageModel, features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Each feature with the tokens whose logit its decoder row raises and lowers most (logit lens, nostalgebraist
    2020): the row itself, [d_model], is read through the final norm and the unembedding."""
    found: list[Feature] = []
    for start in range(0, len(features), CHUNK):
        chunk = features[start : start + CHUNK]
        ids = [FeatureId.parse(feature.id) for feature in chunk]
        rows = torch.stack([engine.saes[f.layer].W_dec[f.index].float().cpu() for f in ids])
        logits = engine.residual_log_probabilities(rows)
        logits = logits - logits.mean(-1, keepdim=True)
        for feature, weights in zip(chunk, logits, strict=True):
            either = [_tokens(model, weights, largest) for largest in (True, False)]
            found.append(replace(feature, promoted=either[0], suppressed=either[1]))
    return tuple(found)


def with_token_activations(
    engine: Engine,
    model: LanguageModel,
    prompts: Sequence[AuditedPrompt],
    results: Sequence[PromptResult],
    features: Sequence[str],
    scope: Scope,
    progress: Callable[[int, int], None],
) -> list[PromptResult]:
    """Each result with its prompt's tokens, and where on them some features are active with no intervention."""
    tokens_of = {p.prompt.id: p.tokens for p in prompts}
    asked = [FeatureId.parse(name) for name in features]
    found: list[PromptResult] = []
    for start in range(0, len(results), CHUNK):
        chunk = results[start : start + CHUNK]
        tables = engine.token_activations([Pair(tokens_of[r.id]) for r in chunk], asked)
        for result, table in zip(chunk, tables, strict=True):
            tokens = tokens_of[result.id]
            in_scope = torch.tensor([c in scope.classes for c in tokens.classes])
            active: dict[str, list[tuple[int, float]]] = {}
            shown = table * in_scope[:, None]
            for position, column in shown.nonzero().tolist():
                active.setdefault(features[column], []).append((position, float(shown[position, column])))
            seen = PromptTokens(tuple(model.token_text(i) for i in tokens.ids), tokens.classes)
            activations = {name: tuple(active[name]) for name in sorted(active)}
            found.append(replace(result, tokens=seen, activations=activations))
        progress(len(found), len(results))
    return found


def _tokens(model: LanguageModel, weights: torch.Tensor, largest: bool) -> tuple[TokenWeight, ...]:
    values, ids = weights.topk(min(NEAREST, len(weights)), largest=largest)
    return tuple(
        TokenWeight(model.token_text(i), value) for i, value in zip(ids.tolist(), values.tolist(), strict=True)
    )
