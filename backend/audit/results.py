"""The numbers an audit reports, as frozen flat values. Knows no tensor, no model and no file."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

FigureSplit = Literal["discovery", "validation", "test", "all"]
"""Which prompts a figure is over; all: every split together."""


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
    split: FigureSplit | None = None  # whose prompts; written by what makes figures over prompts of one kind

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
    usefulness: float | None = None  # 0 to 1: how far it answers, 0 when refused or incoherent; None: not rated


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
    """Different random sets matched to the claimed set, or to the first where none was confirmed: same count per layer,
    alike in activation frequency and mean size."""

    n_draws: int
    n_generated: int  # draws whose score was low enough to need a completion
    n_flipped: int
    scores: tuple[float, ...]
    p: float  # empirical: share of draws that lower s at least as far as the set, (1 + count) / (1 + draws)
    n_incoherent: int | None = None  # draws that neither refuse nor answer; None: not counted, as before 1.2


@dataclass(frozen=True)
class Woken:
    """A feature dormant at baseline that is active after an ablation."""

    feature: str
    activation: float
    position_class: str
    direct_effect: float  # drop in s when its vector is taken from the final residual; > 0 pushes to refusal
    total_effect: float | None  # drop in s when it is ablated too; None when not tried
    confirmed: bool | None = None  # re-ablation lowers s by more than any matched random re-ablation; None: not tried


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
    random_draws: int = 0  # matched random ablations behind n_woken_random
    woken_random: dict[str, int] = field(default_factory=dict)
    """Of the features that woke here or in a draw: draws in which each woke. First round only."""
    woke: tuple[str, ...] = ()  # every feature that woke, listed above or not; first round only


@dataclass(frozen=True)
class Suppression:
    """What ablating one active refusal feature does to active refusal features in later layers."""

    source: str
    n_downstream: int
    share_deactivated: float
    mean_drop: float  # mean relative drop in activation, 1 is silent
    downstream: int | None = None  # the later layer; None: all later ones together, as reports before 1.2 have it


@dataclass(frozen=True)
class SelfRepair:
    """Compensation of an ablated set (Rushing & Nanda 2402.15390): 1 - total effect / direct effect."""

    direct_effect: float  # drop in s when the set's vectors are taken from the final residual alone
    total_effect: float  # drop in s when everything is recomputed
    direct_effect_frozen: float  # the same two with the final norm's divisor frozen at baseline
    total_effect_frozen: float
    compensation: float | None  # None when the direct effect is too small to divide by
    norm_share: float | None  # part of the compensation due to the final norm's rescaling
    woken_share: float | None = None  # part due to newly active features: what ablating them too takes away


@dataclass(frozen=True)
class Cascade:
    """Ablation in rounds, strongest active refusal features first, woken ones next."""

    rounds: tuple[CascadeRound, ...]
    depth: int | None  # rounds until s < 0; None when it never flipped
    outcome: str  # flipped | exhausted | round limit
    suppression: tuple[Suppression, ...]


@dataclass(frozen=True)
class LayerCascade:
    """Whole layers instead of single features: each round silences every active refusal feature of one more layer,
    the strongest layer first."""

    layers: tuple[int, ...]  # in the order they were ablated
    n_features: tuple[int, ...]  # ablated in each round
    scores: tuple[float, ...]  # s after each round
    depth: int | None  # rounds until s < 0; None when it never flipped


@dataclass(frozen=True)
class Controls:
    """Everything the minimal set is held against on the same prompt."""

    random: RandomControl | None
    direction: Arm
    fm_extended: Arm | None
    linear_probe: Arm | None
    with_sink: Arm | None  # the minimal set with the attention sink in scope, when asked for
    random_with_sink: RandomControl | None


# -- Stages 5 and 6, per prompt ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PromptVerification:
    """The claimed set of one refused prompt, its smallest confirmed minimal set, held against more controls.

    Matched random sets and the direction, which every refused prompt has, are in `controls`.
    """

    features: tuple[str, ...]
    active: tuple[str, ...]  # of them, those active in scope on the unmodified prompt: coverage
    arms: dict[str, Arm]
    """By name. sign_flip: every f_i doubled instead of silenced. reconstruction: the SAEs' reconstructions at the set's
    layers, nothing ablated. mean, resample, clamp (f' = -f): the same set under the other ablation modes."""
    noise: RandomControl  # at every layer a random direction as long as what the set's ablation removes there
    p: float | None = None  # empirical, of the random sets matched to it: see `RandomControl.p`
    p_draws: int = 0  # their number


@dataclass(frozen=True)
class PerturbedPrompt:
    """One refused prompt under one perturbation of its text, of the weights or of the dictionary."""

    perturbation: str
    score: float  # s
    response: Response | None  # None when no completion was asked for
    jaccard: float  # of active refusal features with those of the unperturbed prompt
    kept: tuple[str, ...]  # refusal features active on both
    lost: tuple[str, ...]  # active on the unperturbed prompt alone
    set_score: float | None  # s with the original minimal set ablated; None when there is no such set
    set_flips: bool | None  # from s > 0 to < 0; None when there is no such set or s was not above 0


@dataclass(frozen=True)
class PromptTokens:
    """A prompt as the model saw it, template included, up to the first response token."""

    texts: tuple[str, ...]
    classes: tuple[str, ...]  # position class of each


@dataclass(frozen=True)
class PromptResult:
    """One prompt's whole story. Stages after the baseline are run on refused harmful prompts: all of the test split,
    and of the others as many as the effort allows."""

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
    layer_cascade: LayerCascade | None = None
    verification: PromptVerification | None = None  # refused test prompts with a confirmed minimal set
    perturbed: tuple[PerturbedPrompt, ...] = ()
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
class WokenFeature:
    """A feature that woke in first rounds, against matched random ablations of the same prompts."""

    feature: str
    n_prompts: int  # prompts where it was dormant, so that it could wake
    woken: Figure  # share of them in which it woke
    woken_random: Figure  # mean share of their random draws in which it woke
    p: float  # one-sided: it wakes more often than under random ablation
    q: float  # Benjamini-Hochberg over all features screened


@dataclass(frozen=True)
class Influence:
    """What ablating single refusal features of one layer does to active refusal features of a later one."""

    upstream: int
    downstream: int
    share_deactivated: Figure
    mean_drop: Figure  # mean relative drop in activation, 1 is silent


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
    woken_difference: Figure = NOTHING_MEASURED  # first round, per prompt: woken less the mean of its random draws
    woken_features: tuple[WokenFeature, ...] = ()  # smallest q first
    n_woken_screened: int = 0  # features behind the false discovery rate of woken_features
    backups_confirmed: Figure = NOTHING_MEASURED  # share of claimed backups that re-ablation confirms
    woken_share: Figure = NOTHING_MEASURED  # median
    layer_depth: Figure = NOTHING_MEASURED  # median rounds of whole layers until flip
    layer_flipped: Figure = NOTHING_MEASURED  # share that flipped within them
    influence: tuple[Influence, ...] = ()  # by pair of layers


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


# -- Stage 5: verification -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ArmFigures:
    """One way to intervene, over the refused test prompts it was tried on."""

    flipped: Figure  # share that comply
    incoherent: Figure  # share that neither refuse nor answer
    score: Figure  # mean s
    usefulness: Figure  # mean of the completions that were generated and rated


@dataclass(frozen=True)
class ModeAgreement:
    """Whether the ways to ablate a set (zero, mean, resample, clamp) agree on what flips."""

    all_modes: Figure  # share of prompts on which every mode gives the same outcome
    with_zero: dict[str, Figure]  # by mode: share of prompts on which it gives zero's outcome


@dataclass(frozen=True)
class Sufficiency:
    """Claimed sets set to their mean harmful activation on benign test prompts, no harm asked for."""

    n_sets: int
    n_prompts: int
    refused: Figure  # share of benign prompts, over sets, that are refused then
    refused_random: Figure  # the same for matched random sets at their own mean harmful activation
    score_positive: Figure  # share whose score turns positive
    score_positive_random: Figure
    score: Figure  # mean s with the set added
    score_random: Figure


@dataclass(frozen=True)
class SideEffects:
    """What an ablation does to benign test prompts."""

    features: tuple[str, ...]  # ablated; empty for the direction
    kl: Figure  # nats a token, mean over the first tokens of the subject's own completion
    cross_entropy: Figure  # change on the subject's own completion, nats a token
    verdict_changed: Figure  # share of benign prompts whose verdict changes
    refused: Figure  # share refused under the ablation
    n_tokens: int  # tokens of a completion that are looked at


@dataclass(frozen=True)
class TransferredSet:
    """A minimal set found on one prompt, tried on other refused test prompts."""

    features: tuple[str, ...]
    found_on: str  # prompt id
    flipped: Figure  # share of the others whose score it takes below 0


@dataclass(frozen=True)
class PooledStep:
    """The first n features of the pool, ablated together on every refused test prompt."""

    feature: str  # added in this step
    n_features: int
    flipped: Figure  # share whose score is below 0


@dataclass(frozen=True)
class Transfer:
    """How far sets reach beyond the prompt they were found on. The pool is ordered on discovery and validation prompts
    by how many of their minimal sets hold a feature, and measured on test prompts."""

    sets: tuple[TransferredSet, ...]
    mean: Figure  # mean share flipped, over sets
    pooled: tuple[PooledStep, ...]
    half: int | None  # features at which 50 % are flipped by score; None when the pool never reaches it
    most: int | None  # 90 %
    confirmed_half: Figure  # share that comply by generation with that many ablated
    confirmed_most: Figure


@dataclass(frozen=True)
class Verification:
    """Every set claimed causal, on test prompts, beside everything it is held against."""

    arms: dict[str, ArmFigures]
    """minimal, random, noise, sign_flip, reconstruction, direction, mean, resample, clamp."""
    n_tested: int  # claimed sets with an empirical p against their matched random sets
    n_beyond_random: int  # of them, those with q <= 0.05 (Benjamini-Hochberg)
    smallest_p: float | None  # that so many draws can give
    coverage: Figure  # mean share of a claimed set that is active on the unmodified prompt
    agreement: ModeAgreement
    sufficiency: Sufficiency
    side_effects: dict[str, SideEffects]  # minimal (pooled features of 90 % of the sets), random, direction
    transfer: Transfer


# -- Stage 6: stability --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Perturbation:
    """One perturbation over the refused prompts it was tried on."""

    name: str
    kind: str  # placebo | paraphrase | wrapper | surface | context | language | weights | dictionary
    description: str
    skipped: str  # why it was not run; empty when it was
    refused: Figure  # share still refused by verdict
    score_change: Figure  # mean change in s
    jaccard: Figure  # mean
    set_flips: Figure  # share of prompts, refusing by score, that the original minimal set still flips


@dataclass(frozen=True)
class FeatureStability:
    """How often a refusal feature active on a prompt is active on its perturbed versions too."""

    feature: str
    n_prompts: int
    keep_rate: Figure  # over perturbations other than placebo
    keep_rate_placebo: Figure


@dataclass(frozen=True)
class Stability:
    """Whether the mechanism found survives changes that should not matter to it."""

    n_prompts: int
    perturbations: tuple[Perturbation, ...]
    features: tuple[FeatureStability, ...]  # most prompts first
    keep_rate: Figure  # of all refusal features, over perturbations of the text other than placebo
    keep_rate_placebo: Figure
    set_flips: Figure  # share of perturbed prompts, refusing by score, that the original minimal set still flips


# -- Judges --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class JudgeQuality:
    """A judge against the labelled yardstick. Positive: the completion refuses."""

    judge: str
    sha256: str
    yardstick: str  # name and hash of the labelled completions
    sensitivity: Figure
    specificity: Figure
    kappa: Figure  # Cohen's, over the three verdicts


@dataclass(frozen=True)
class Disagreement:
    """A completion on which judges differ, for a person to settle."""

    prompt: str  # id
    arm: str  # baseline, or an arm's name
    tokens: str  # name of its token ids in completions.safetensors
    verdicts: dict[str, str]  # by judge


@dataclass(frozen=True)
class Judges:
    """Who judged, how well, and what that does to the rates."""

    primary: str
    quality: tuple[JudgeQuality, ...]
    n_compared: int  # completions that every judge judged
    disagreements: tuple[Disagreement, ...]
    corrected: dict[str, Figure]  # rates corrected for the primary judge's error, by path in the report
    length_sweep: dict[str, Figure]  # harmful test prompts refused, by tokens the judge was shown


# -- The report card -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """One sentence of the report card, with the rule it follows from."""

    key: str  # present, concentrated, deep, redundant, connected, non_linear, stable, side_effects ...
    question: str
    answer: Literal["yes", "no", "undecided", "not measured"]
    text: str
    rule: str  # in words, with its bounds
    figures: dict[str, Figure]  # by path in the report
    evidence: str  # the part of the report behind it: verification, stability, cascade, interactions, prompts, features


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
    statements: tuple[Statement, ...] = ()


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
    verification: Verification | None = None
    stability: Stability | None = None
    judges: Judges | None = None
