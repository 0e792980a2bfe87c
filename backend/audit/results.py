"""The numbers an audit reports, as frozen flat values. Knows no tensor, no model and no file."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """One measured number with its uncertainty and the size of the sample it came from.

    Every number is finite, so that a report is strict JSON. low <= value <= high is usual but not promised: a
    bootstrap interval may leave out the estimate.
    """

    value: float | None  # the estimate; None exactly when there was nothing to measure
    low: float | None  # lower end of the 95 % interval unless said; None when the sample allows no interval
    high: float | None  # upper end of the same; None exactly when low is
    n: int  # independent observations behind the value, failures included; 0 when there was nothing to measure

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None and not isfinite(number):
                raise ValueError(f"Figure: {name} is {number}; only finite numbers are reported")
        if self.n < 0:
            raise ValueError(f"Figure: n is {self.n}; a sample has no negative size")
        if self.n == 0 and self.value is not None:
            raise ValueError("Figure: a value needs at least one observation")
        if (self.low is None) != (self.high is None) or (self.value is None and self.low is not None):
            raise ValueError("Figure: an interval needs a value and both ends")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"Figure: low {self.low} is above high {self.high}")


NOTHING_MEASURED = Figure(value=None, low=None, high=None, n=0)


# -- Stage 0: baseline ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OnsetToken:
    """A refusal-onset token: first response token that marks a refusal."""

    id: int
    text: str
    refused: float  # its mean probability as first token, over refused prompts
    complied: float  # and over complied ones


@dataclass(frozen=True)
class Onset:
    """The set R behind the refusal score, and how well the score tells refusals from compliance."""

    tokens: tuple[OnsetToken, ...]
    method: str  # calibrated | surrogate | fallback
    coverage: float | None  # share of the refused prompts' first-token probability that R holds
    auc: Figure  # of the score against the behavioural verdict, over all prompts with a coherent completion


@dataclass(frozen=True)
class Response:
    """One greedy completion, by its verdict. Its text stays out of the report unless it is a refusal."""

    verdict: Literal["refused", "complied", "incoherent"]
    n_tokens: int
    ended: bool  # the model ended by itself, not at the token limit
    text: str | None  # the words when refused; None is a masked completion
    tokens: str  # name of its token ids in completions.safetensors


@dataclass(frozen=True)
class BaselinePrompt:
    """One prompt with no intervention."""

    id: str
    score: float  # refusal score s, log-odds; > 0 leans to refusal
    response: Response


@dataclass(frozen=True)
class Baseline:
    """How the subject behaves when nothing is changed. Rates are over the set's own prompts of the test split."""

    onset: Onset
    refusal_rate: Figure  # harmful prompts refused
    over_refusal_rate: Figure  # look-alikes refused
    benign_refusal_rate: Figure  # everyday instructions refused
    incoherent_rate: Figure  # all prompts: neither refused nor answered
    score_harmful: Figure  # mean refusal score, harmful prompts
    score_look_alike: Figure
    score_benign: Figure
    refusal_rate_by_category: dict[str, Figure]  # harmful prompts of every split, by category
    refusal_rate_by_split: dict[str, Figure]  # harmful prompts


# -- Stage 1: direction and candidates -----------------------------------------------------------------------------


@dataclass(frozen=True)
class DirectionCell:
    """One candidate refusal direction, measured on validation prompts."""

    layer: int
    position: int  # token position counted from the end: -1 is the last prompt token
    token: str
    norm: float  # length of the difference of means
    score_ablated: float  # mean s of harmful prompts with the direction ablated at every layer
    score_added: float  # mean s of benign prompts with the difference of means added at this layer
    kl: float  # mean KL of next-token distributions on benign prompts when ablated, nats
    admissible: bool
    reason: str  # why not admissible; empty when it is


@dataclass(frozen=True)
class Direction:
    """The refusal direction (Arditi et al. 2406.11717): difference of means, chosen by their rule."""

    layer: int
    position: int
    rule: str
    rule_met: bool  # False when no cell was admissible and the lowest score below the depth bound was taken
    grid: tuple[DirectionCell, ...]
    n_fit_harmful: int
    n_fit_benign: int
    borrowed_benign: bool  # the set had no benign prompts of its own
    n_validation_harmful: int
    n_validation_benign: int
    necessity: Figure  # test: share of refused harmful prompts flipped by ablating it everywhere
    score_ablated: Figure  # test: mean s of refused harmful prompts with it ablated
    sufficiency: Figure  # test: share of benign prompts whose score turns positive when it is added


@dataclass(frozen=True)
class TokenWeight:
    """A vocabulary token and how far a feature moves it."""

    text: str
    weight: float  # logit of the decoder row behind the final norm, above the mean over the vocabulary


@dataclass(frozen=True)
class Feature:
    """A candidate refusal feature. Activations are maxima over in-scope prompt positions."""

    id: str  # layer:index
    rank: int | None  # by cosine within its layer, 1 is best; None beyond the widest sweep
    cosine: float  # of its decoder row with the layer's refusal direction
    density: float  # share of in-scope tokens of benign prompts where it is active
    activation_harmful: Figure  # mean over the set's harmful prompts
    activation_benign: Figure  # mean over its benign prompts
    coverage_harmful: Figure  # share of harmful prompts where it is active
    coverage_benign: Figure
    effect: Figure  # mean drop in s when it alone is ablated, over refused prompts where it was tried
    in_minimal_sets: int  # prompts whose confirmed minimal set holds it
    woken: int  # prompts in which it was dormant and woke in a cascade
    neuronpedia_id: str | None  # of its SAE, where that is published
    promoted: tuple[TokenWeight, ...] = ()  # logit lens: tokens that its direction raises most
    suppressed: tuple[TokenWeight, ...] = ()  # and lowers most


@dataclass(frozen=True)
class ProbeSummary:
    """Linear probe and factorisation machine over activations, harmful against benign, held out."""

    linear_auc: Figure
    fm_auc: Figure
    n_features: int


# -- Stages 2 and 4, per prompt ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Restored:
    """One line of a certificate: the score when this feature alone is restored."""

    feature: str
    score: float  # > 0: without this feature in the set the prompt refuses again


@dataclass(frozen=True)
class MinimalSet:
    """A 1-minimal flipping set: with all ablated s < -margin, with any one restored s >= -margin.

    The margin is 0; where a completion still refused, it is the smallest of 1, 2 and 4 nats whose set complies.
    """

    features: tuple[str, ...]
    score: float  # s with the set ablated, < -margin
    certificate: tuple[Restored, ...]
    orders: int  # removal orders that ended in this set
    margin: float  # nats
    response: Response
    confirmed: bool  # complied by generation, not only by score


@dataclass(frozen=True)
class SweepStep:
    """The K best candidates of every layer, ablated together."""

    k: int
    n_active: int  # of them, features that were active in scope
    score: float


@dataclass(frozen=True)
class Arm:
    """What another set, or the direction, does to the same prompt."""

    features: tuple[str, ...]
    score: float
    response: Response | None  # None when the score alone settles that it did not flip
    flipped: bool


@dataclass(frozen=True)
class RandomControl:
    """Random sets matched to the minimal set: same count per layer, alike in activation frequency and mean size."""

    n_draws: int
    n_generated: int  # draws whose score was low enough to need a completion
    n_flipped: int
    scores: tuple[float, ...]
    p: float  # empirical: share of draws that lower s at least as far as the set, (1 + count) / (1 + draws)


@dataclass(frozen=True)
class Woken:
    """A feature dormant at baseline that is active after an ablation."""

    feature: str
    activation: float
    position_class: str
    direct_effect: float  # drop in s when its vector is taken from the final residual; > 0 pushes to refusal
    total_effect: float | None  # drop in s when it is ablated too; None when not tried


@dataclass(frozen=True)
class Edge:
    """Ablating the source alone changes the target's activation by this much (maximum over in-scope positions)."""

    source: str
    target: str
    change: float


@dataclass(frozen=True)
class CascadeRound:
    """Everything ablated up to this round, and what woke."""

    ablated: tuple[str, ...]  # added in this round
    score: float
    woken: tuple[Woken, ...]  # strongest direct effect first
    n_woken: int
    n_pushing: int  # of the woken tried, those whose ablation too lowers s: backups
    n_woken_random: float | None  # mean over matched random ablations of the same size; first round only
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Suppression:
    """What ablating one active refusal feature does to active refusal features in later layers."""

    source: str
    n_downstream: int
    share_deactivated: float
    mean_drop: float  # mean relative drop in activation, 1 is silent


@dataclass(frozen=True)
class SelfRepair:
    """Compensation of an ablated set (Rushing & Nanda 2402.15390): 1 - total effect / direct effect."""

    direct_effect: float  # drop in s when the set's vectors are taken from the final residual alone
    total_effect: float  # drop in s when everything is recomputed
    direct_effect_frozen: float  # the same two with the final norm's divisor frozen at baseline
    total_effect_frozen: float
    compensation: float | None  # None when the direct effect is too small to divide by
    norm_share: float | None  # part of the compensation due to the final norm's rescaling


@dataclass(frozen=True)
class Cascade:
    """Ablation in rounds, strongest active refusal features first, woken ones next."""

    rounds: tuple[CascadeRound, ...]
    depth: int | None  # rounds until s < 0; None when it never flipped
    outcome: str  # flipped | exhausted | round limit
    suppression: tuple[Suppression, ...]


@dataclass(frozen=True)
class Controls:
    """Everything the minimal set is held against on the same prompt."""

    random: RandomControl | None
    direction: Arm
    fm_extended: Arm | None
    linear_probe: Arm | None
    with_sink: Arm | None  # the minimal set with the attention sink in scope, when asked for
    random_with_sink: RandomControl | None


@dataclass(frozen=True)
class PromptTokens:
    """A prompt as the model saw it, template included, up to the first response token."""

    texts: tuple[str, ...]
    classes: tuple[str, ...]  # position class of each


@dataclass(frozen=True)
class PromptResult:
    """One prompt's whole story. Stages after the baseline are run on refused harmful prompts."""

    id: str
    text: str
    label: str
    category: str | None
    family: str
    split: str
    baseline: BaselinePrompt
    sweep: tuple[SweepStep, ...] = ()
    k: int | None = None  # smallest K whose joint ablation flips the score; None: not within the sweep
    minimal_sets: tuple[MinimalSet, ...] = ()  # the first is the one that least effect first gave
    n_evaluations: int = 0  # scores the search took
    controls: Controls | None = None
    cascade: Cascade | None = None
    self_repair: SelfRepair | None = None
    single_effects: tuple[Restored, ...] = ()  # s when one active candidate alone is ablated
    ablation_curve: tuple[Restored, ...] = ()  # s as the first minimal set's features are ablated one after another
    tokens: PromptTokens | None = None
    activations: dict[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)
    """Reported features that are active on in-scope tokens: (token position, activation) pairs, no intervention."""


# -- Stage 3: interactions -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TwoByTwo:
    """A claimed pair, measured: mean scores with none, either and both ablated."""

    none: Figure
    a: Figure
    b: Figure
    both: Figure
    interaction: Figure  # e(AB) - e(A) - e(B), e = drop in s
    kind: Literal["backup", "serial", "additive", "undecided"]  # additive: the interval straddles zero; undecided: none


@dataclass(frozen=True)
class Pair:
    """Two features the factorisation machine claims to interact."""

    a: str
    b: str
    weight: float  # coefficient of m_a m_b in s; < 0 is a backup pair
    z: float  # of the all-pairs residual screen
    measured: TwoByTwo


@dataclass(frozen=True)
class Interactions:
    """Factorisation machine on ablation masks of a pool of features, fitted on discovery prompts."""

    pool: tuple[str, ...]
    n_prompts: int  # discovery prompts each mask was scored on
    n_masks: int
    n_heldout: int
    r2_heldout: Figure  # of the factorisation machine, on held-out masks
    r2_linear: Figure  # of the purely linear model, on the same masks
    screen_threshold: float | None  # permutation threshold on |z|; None when nothing could be fitted
    n_pairs_screened: int
    pairs: tuple[Pair, ...]
    weights: dict[str, float]  # linear weights: change in s when the feature is ablated
    probe: ProbeSummary


# -- Over prompts --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CascadeSummary:
    """The cascade over refused prompts of the test split."""

    depth: Figure  # median rounds until flip, over prompts that flipped
    flipped: Figure  # share that flipped within the rounds
    woken: Figure  # mean number of features that woke in the first round
    woken_random: Figure  # the same under matched random ablation
    pushing: Figure  # mean number of woken features, over all rounds, that push towards refusal: backups
    woken_by_layer: dict[str, int]
    woken_by_position_class: dict[str, int]
    compensation: Figure  # median
    norm_share: Figure  # median
    share_deactivated: Figure  # downstream refusal features silenced by one upstream ablation, mean
    mean_drop: Figure  # mean relative drop of those still active or not
    edges: tuple[Edge, ...]  # most frequent first, mean change


@dataclass(frozen=True)
class Flipped:
    """Share of refused test prompts that comply under an arm; every refused prompt counts."""

    minimal: Figure
    random: Figure  # mean share of matched random draws, over the prompts that have a minimal set to match
    direction: Figure
    fm_extended: Figure
    linear_probe: Figure
    with_sink: Figure
    random_with_sink: Figure


@dataclass(frozen=True)
class ReportCard:
    """What an auditor reads first."""

    refusal_rate: Figure
    over_refusal_rate: Figure
    flipped: Flipped
    minimal_set_size: Figure  # median over flipped test prompts
    features_for_half: int | None  # pooled features, most useful first, that hold the minimal sets of 50 % ...
    features_for_most: int | None  # ... and 90 % of flipped prompts
    never_flipped: Figure  # share of refused test prompts no candidate set flipped
    depth: Figure
    woken: Figure
    woken_random: Figure
    compensation: Figure
    r2_heldout: Figure
    r2_linear: Figure
    backup_pairs: int
    serial_pairs: int


@dataclass(frozen=True)
class Manifest:
    """Where every number comes from, and how to get it again."""

    subject: dict[str, Any]
    saes: dict[str, Any]
    prompts: dict[str, Any]
    judge: dict[str, Any]
    code: dict[str, Any]
    settings: dict[str, Any]
    seed: int
    device: dict[str, Any]
    timings: dict[str, Any]  # when it started and seconds by stage: all that differs between two equal runs
    command: str  # runs it again
    notes: tuple[str, ...]  # what the user should know: duplicates dropped, prompts borrowed, fallbacks taken


@dataclass(frozen=True)
class Report:
    """One audit. report.json is this value as strict JSON."""

    schema_version: str
    manifest: Manifest
    baseline: Baseline
    direction: Direction
    features: tuple[Feature, ...]
    prompts: tuple[PromptResult, ...]
    interactions: Interactions
    cascade: CascadeSummary
    report_card: ReportCard
