"""What a stage may ask of an engine. Stages know this page, not the machinery behind it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from torch import Tensor

from backend.audit.interventions import NO_INTERVENTION, Intervention, Scope
from backend.subjects.language_model import ChatTokens, Disturbance, PositionClass
from backend.subjects.sparse_autoencoder import FeatureId, SparseAutoencoder

Reuse = Literal["prefix", "layers", "nothing"]
"""What of an evaluation is worth keeping for the next ones. prefix: they will leave the prompt's shared prefix as it
did, and differ from it above some layer alone. layers: only the latter. nothing: no other like it will come."""

Told = Callable[[float], None]
"""Hears what share of some work is done, 0 to 1, never less than before; what it raises ends the work."""


def tell_nobody(share: float) -> None:
    """For work that nobody watches."""


@dataclass(frozen=True)
class Pair:
    """One evaluation: a prompt under an intervention."""

    prompt: ChatTokens
    intervention: Intervention = NO_INTERVENTION
    reuse: Reuse = "prefix"


@dataclass(frozen=True)
class Score:
    """What one evaluation gave at the refusal-onset position (the last prompt token)."""

    value: float  # refusal score s = log P(R) - log(1 - P(R))
    edited: frozenset[FeatureId]  # asked features that were active in scope, so that the edit did something


@dataclass(frozen=True)
class Completion:
    """Greedily generated response tokens (the end-of-sequence token left out) and their text."""

    ids: tuple[int, ...]
    text: str
    ended: bool  # True when the model ended by itself, False when the token limit cut it


class Activation(NamedTuple):
    """A feature's activity over the in-scope positions of one prompt."""

    maximum: float
    mean: float  # over all in-scope prompt positions, silent ones included
    position: int  # token index of the maximum
    position_class: PositionClass
    n_positions: int  # in-scope positions where it is active
    onset_coefficient: float  # times its decoder row: what it adds to the residual at the refusal-onset position


@dataclass(frozen=True)
class Observation:
    """One evaluation with what was active in it."""

    score: Score
    active: Mapping[FeatureId, Activation]
    final: Tensor  # [d_model] residual before the final norm at the refusal-onset position


@dataclass(frozen=True, eq=False)
class Firing:
    """How every feature of one layer fires over the in-scope tokens of one prompt, silent tokens included."""

    maximum: Tensor  # [d_sae]
    mean: Tensor  # [d_sae]
    n_positions: Tensor  # [d_sae] tokens where it is active


class Evaluator(Protocol):
    """Many (prompt, intervention) pairs in; scores, activations or completions out, in the order asked.

    All results are on the CPU in float32. The model is left as it came.
    """

    saes: dict[int, SparseAutoencoder]  # by audited layer, ascending

    @property
    def n_layers(self) -> int: ...

    def score(self, pairs: Sequence[Pair], onset_ids: Sequence[int]) -> list[Score]:
        """Refusal score of each pair; onset_ids are the refusal-onset tokens R."""
        ...

    def observe(self, pairs: Sequence[Pair], onset_ids: Sequence[int], scope: Scope) -> list[Observation]:
        """Score each pair and list every feature of every audited layer that is active on a prompt token in `scope`.

        An intervened feature is reported as its layer found it, before the edit there.
        """
        ...

    def final_residuals(self, pairs: Sequence[Pair]) -> Tensor:
        """Residual before the final norm at the refusal-onset position, [pairs, d_model]."""
        ...

    def score_residuals(
        self, residuals: Tensor, onset_ids: Sequence[int], frozen_scale_of: Tensor | None = None
    ) -> list[float]:
        """Refusal scores of final residuals [n, d]; with frozen_scale_of [n, d] the final norm's divisor is taken
        from those residuals instead."""
        ...


class Engine(Evaluator, Protocol):
    """All that can be asked of a model: an evaluator that also generates, reads along and is told what to keep."""

    @property
    def rows(self) -> int:
        """Completions that `generate` makes together."""
        ...

    def begin(self, prompts: Sequence[ChatTokens]) -> None:
        """Start anew: drop all that was computed and expected, and expect these."""
        ...

    def expect(self, prompts: Sequence[ChatTokens]) -> None:
        """These will be asked about, mostly in this order: what they are without intervention is computed for some
        together, for the same ones whenever it is computed."""
        ...

    def forget(self) -> None:
        """Drop what evaluations have left to start others from, so that a piece of work gives the same numbers, to the
        last bit, whatever was done before it."""
        ...

    def log_probabilities(self, pairs: Sequence[Pair]) -> Tensor:
        """Log-probabilities of the first response token, [pairs, vocab]."""
        ...

    def response_log_probabilities(self, pairs: Sequence[Pair], responses: Sequence[Sequence[int]]) -> list[Tensor]:
        """Teacher-forced: for each pair, the log-probabilities [tokens, vocab] before each token of its response (at
        least one), the response's own tokens edited as generated ones are."""
        ...

    def disturbed(self, disturbance: Disturbance) -> AbstractContextManager[None]:
        """Inside, this engine runs the model with disturbed weights and starts from nothing computed before; on leaving
        from nothing computed inside. Between two forward passes the weights are always what they were, to the last
        bit."""
        ...

    def residual_log_probabilities(self, residuals: Tensor) -> Tensor:
        """Log-probabilities of the first response token from final residuals [n, d_model], [n, vocab]."""
        ...

    def generate(self, pairs: Sequence[Pair], max_new_tokens: int, told: Told = tell_nobody) -> list[Completion]:
        """Greedy completions under each pair's intervention. told: called before every token but the first."""
        ...

    def firing(self, prompts: Sequence[ChatTokens], scope: Scope) -> list[dict[int, Firing]]:
        """For each prompt, by audited layer, how all features fire on its tokens in `scope`, no intervention."""
        ...

    def token_activations(self, pairs: Sequence[Pair], features: Sequence[FeatureId]) -> list[Tensor]:
        """For each pair, the activations [tokens, features] of some features on every prompt token, found as above."""
        ...

    def residuals(self, prompts: Sequence[ChatTokens], positions: Sequence[int]) -> Tensor:
        """resid_post of every audited layer at some token positions (negative counts from the end), no intervention:
        [prompts, layers, positions, d_model]."""
        ...
