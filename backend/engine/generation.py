"""Completions of one batch under interventions, with a key-value cache: made greedily, or given and read along.

Knows tensors; knows no judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from backend.engine.baselines import State
from backend.engine.caches import joined_cache, resumed_cache
from backend.engine.hooks import BatchEdits
from backend.engine.pauses import BetweenBatches
from backend.engine.planner import Work, pack
from backend.engine.protocol import Completion, Pair, Told
from backend.subjects.language_model import ChatTokens, LanguageModel, PositionClass
from backend.subjects.sparse_autoencoder import SparseAutoencoder


def generate_batch(
    model: LanguageModel,
    saes: dict[int, SparseAutoencoder],
    pairs: Sequence[Pair],
    prefixes: Sequence[State | None],
    max_new_tokens: int,
    max_tokens: int,
    between_batches: BetweenBatches,
    told: Told,
) -> list[Completion]:
    """Greedy completions of at most max_new_tokens tokens each; prefixes are each pair's own prefix state.

    Prompts are read in pieces of at most max_tokens padded tokens, similar lengths together, and then go on as one.
    between_batches: called before every piece and before every token after the first; told: before the latter, with the
    share of the tokens that may come.
    """
    pieces = pack([Work(0, pair.prompt.n_own, pair.prompt.prefix_length) for pair in pairs], max_tokens)
    read = [
        _read_prompts(model, saes, [pairs[i] for i in piece], [prefixes[i] for i in piece], between_batches)
        for piece in pieces
    ]
    order = [i for piece in pieces for i in piece]
    found = _go_on(model, saes, [pairs[i] for i in order], read, max_new_tokens, between_batches, told)
    by_place = dict(zip(order, found, strict=True))
    return [by_place[i] for i in range(len(pairs))]


@dataclass(frozen=True, eq=False)
class _Read:
    """Some prompts read to their end."""

    last: Tensor  # [rows, d_model] at the onset position
    mask: Tensor  # [rows, tokens]: 1 where the cache holds a token, 0 where it holds padding
    next_positions: Tensor  # [rows]
    cache: Any


def _read_prompts(
    model: LanguageModel,
    saes: dict[int, SparseAutoencoder],
    pairs: Sequence[Pair],
    prefixes: Sequence[State | None],
    between_batches: BetweenBatches,
) -> _Read:
    """From the first token after the prefix, of one length for all, through all blocks: later tokens attend to every
    layer."""
    device = model.device
    edits = BatchEdits(saes, [pair.intervention for pair in pairs], device)
    ids = own_ids(pairs, device)
    lengths = torch.tensor([pair.prompt.n_own for pair in pairs], device=device)
    known = [prefix.cache for prefix in prefixes if prefix is not None]
    cache = resumed_cache(model, known, 0) if known else model.new_cache()
    cached = pairs[0].prompt.prefix_length
    # Padding stands between a short prompt and its response: masked as a key, and its position number not used up.
    columns = torch.arange(ids.shape[1], device=device)
    mask = torch.cat([torch.ones(len(pairs), cached, device=device), (columns < lengths[:, None]).float()], 1).long()
    edits.scope_mask = scope_mask(pairs, device)
    between_batches()
    hidden = model.run(ids, edits=edits.callables(), attention_mask=mask, cache=cache)
    return _Read(hidden[torch.arange(len(pairs), device=device), lengths - 1], mask, cached + lengths, cache)


def _go_on(
    model: LanguageModel,
    saes: dict[int, SparseAutoencoder],
    pairs: Sequence[Pair],
    read: Sequence[_Read],
    max_new_tokens: int,
    between_batches: BetweenBatches,
    told: Told,
) -> list[Completion]:
    """Responses to prompts that have been read, token by token."""
    device = model.device
    edits = BatchEdits(saes, [pair.intervention for pair in pairs], device)
    cache = joined_cache([one.cache for one in read])
    last = torch.cat([one.last for one in read])
    next_positions = torch.cat([one.next_positions for one in read])
    longest = max(one.mask.shape[1] for one in read)
    mask = torch.cat([pad(one.mask, (0, longest - one.mask.shape[1])) for one in read])

    in_scope = torch.tensor([float("response" in pair.intervention.scope.classes) for pair in pairs], device=device)
    tokens: list[list[int]] = [[] for _ in pairs]
    ended = [False] * len(pairs)
    rows = list(range(len(pairs)))  # which pair each row of the batch is
    for step in range(max_new_tokens):
        chosen = model.unembed(last).argmax(-1)
        going: list[int] = []
        for row, token in enumerate(chosen.tolist()):
            pair = rows[row]
            if token in model.eos_ids:
                ended[pair] = True
            else:
                tokens[pair].append(token)
                going.append(row)
        if not going or step == max_new_tokens - 1:
            break
        if len(going) < len(rows):
            order = closed_up(going)
            kept = torch.tensor(order, device=device)
            cache.batch_select_indices(kept)
            edits.keep_rows(kept)
            mask, chosen, next_positions, in_scope = (t[kept] for t in (mask, chosen, next_positions, in_scope))
            rows = [rows[row] for row in order]
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], 1)
        edits.scope_mask = in_scope[:, None]
        told((step + 1) / max_new_tokens)
        between_batches()
        hidden = model.run(
            chosen[:, None],
            edits=edits.callables(),
            attention_mask=mask,
            position_ids=next_positions[:, None],
            cache=cache,
        )
        last = hidden[:, 0]
        next_positions = next_positions + 1
    return [Completion(tuple(ids_of), model.decode(ids_of), end) for ids_of, end in zip(tokens, ended, strict=True)]


def closed_up(rows: Sequence[int]) -> list[int]:
    """Some rows of a batch, ascending, in an order in which as many as can stay at their place: the last ones fill the
    gaps."""
    late = [row for row in rows if row >= len(rows)]
    early = set(rows[: len(rows) - len(late)])
    return [row if row in early else late.pop() for row in range(len(rows))]


def read_batch(
    model: LanguageModel,
    saes: dict[int, SparseAutoencoder],
    pairs: Sequence[Pair],
    responses: Sequence[Sequence[int]],
    prefixes: Sequence[State | None],
    between_batches: BetweenBatches,
) -> list[Tensor]:
    """Residuals [tokens, d_model] from which each token of each response is predicted: one pass, teacher-forced."""
    device = model.device
    edits = BatchEdits(saes, [pair.intervention for pair in pairs], device)
    # The last token is predicted and not read. What pads comes last, where nothing sees it.
    read = [replace(pair, prompt=_continued(pair.prompt, ids[:-1])) for pair, ids in zip(pairs, responses, strict=True)]
    edits.scope_mask = scope_mask(read, device)
    known = [prefix.cache for prefix in prefixes if prefix is not None]
    cache = resumed_cache(model, known, 0) if known else None
    between_batches()
    hidden = model.run(own_ids(read, device), edits=edits.callables(), cache=cache)
    onsets = [pair.prompt.n_own - 1 for pair in pairs]
    return [row[onset : onset + len(ids)] for row, onset, ids in zip(hidden, onsets, responses, strict=True)]


def _continued(prompt: ChatTokens, response: Sequence[int]) -> ChatTokens:
    classes: list[PositionClass] = ["response"] * len(response)
    return replace(prompt, ids=(*prompt.ids, *response), classes=(*prompt.classes, *classes))


def own_ids(pairs: Sequence[Pair], device: torch.device) -> Tensor:
    """Token ids after the shared prefix, right-padded [batch, longest]; what pads does not matter, nothing sees it."""
    own = [torch.tensor(pair.prompt.ids[pair.prompt.prefix_length :]) for pair in pairs]
    return torch.nn.utils.rnn.pad_sequence(own, batch_first=True).to(device)


def scope_mask(pairs: Sequence[Pair], device: torch.device) -> Tensor:
    """[batch, longest], 1 where a token after the prefix is in scope; 0 out of scope and on padding."""
    rows = []
    for pair in pairs:
        classes = pair.prompt.classes[pair.prompt.prefix_length :]
        rows.append(torch.tensor([float(c in pair.intervention.scope.classes) for c in classes]))
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(device)
