"""The wire types: everything that crosses the HTTP boundary, in one place. The dashboard's one door to the backend.

Knows results (plain values); knows no database, no route and no tensor.
"""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.audit.comparison_results import (
    Connections,
    CountPair,
    FeatureComparison,
    FigureDifference,
    FigureRow,
    StatementPair,
)
from backend.audit.results import (
    Baseline,
    CascadeSummary,
    Direction,
    Feature,
    Figure,
    Interactions,
    Judges,
    PromptResult,
    ReportCard,
    Stability,
    Verification,
)

T = TypeVar("T")

State = Literal["queued", "running", "done", "failed", "cancelled"]
Outcome = Literal["flipped", "unconfirmed", "not_flipped", "refused", "complied", "incoherent"]
"""What became of a prompt. Audited ones (refused, harmful): flipped = a minimal set complied by generation,
unconfirmed = the score flipped but no completion complied, not_flipped = no candidate set flipped the score. Others
carry their baseline verdict."""

FEATURE_PATTERN = r"^\d{1,4}:\d{1,7}$"
FeatureName = Annotated[str, Field(pattern=FEATURE_PATTERN, examples=["21:1130"])]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Wire(BaseModel):
    """Unknown fields are an error: a misspelt option must not be ignored."""

    model_config = ConfigDict(extra="forbid")


class Page(Wire, Generic[T]):
    """One page of a list."""

    items: list[T]
    total: int  # that match the filters
    next_cursor: str | None  # give it back as `cursor` for the page after this; None at the end


class Problem(BaseModel):
    """An error, as RFC 9457 (application/problem+json)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str  # one line: the field and the fix
    errors: list[dict[str, Any]] = []  # e.g. {"line": 3, "column": "prompt", "problem": "..."}


# -- Health ----------------------------------------------------------------------------------------------------------


class Health(Wire):
    status: Literal["ok"]
    version: str


class WorkerState(Wire):
    id: str
    device: str
    subject: str | None  # resident
    job_id: str | None
    seen_seconds_ago: float


class Readiness(Wire):
    ready: bool
    database: bool
    workers: list[WorkerState]  # seen within the last half minute
    starting: bool  # there is none yet, but this server has just started one
    detail: str  # one line on what is missing; empty when ready


# -- Subjects --------------------------------------------------------------------------------------------------------


class LayerCheck(Wire):
    layer: int
    n_tokens: int
    fvu: float | None  # fraction of variance the SAE leaves unexplained
    l0: float  # features active per token, mean
    dead_share: float
    mean_norm: float
    expected_norm: float | None


class CheckFigures(Wire):
    """What `models check` measured."""

    n_texts: int
    layers: list[LayerCheck]
    findings: list[dict[str, str]]  # {"level": "warning" | "problem", "text": ...}
    ok: bool
    checked: float


class Subject(Wire):
    id: str
    kind: Literal["bundled", "planted", "added"]
    description: str
    ready: bool  # its files are here
    problem: str | None  # one line on what to run when not ready
    layers: list[int] | None
    check: CheckFigures | None
    n_audits: int


# -- Prompt sets -----------------------------------------------------------------------------------------------------


class PromptSet(Wire):
    id: str
    name: str
    kind: Literal["bundled", "planted", "upload", "paste", "imported"]
    sha256: str
    n: int
    n_own: int
    counts: dict[str, dict[str, int]]  # label -> split -> own prompts
    notes: list[str]
    created: float


class PromptText(Wire):
    """One prompt of a set."""

    position: int
    id: str
    text: str
    label: str
    category: str | None
    family: str
    split: str
    borrowed: bool


class PastedPrompts(Wire):
    """Prompts given as text instead of a file."""

    name: str = Field(default="pasted", min_length=1, max_length=120)
    format: Literal["jsonl", "csv", "lines"] = "lines"
    label: Literal["harmful", "benign", "look_alike"] = "harmful"  # of every line, format "lines" only
    text: str = Field(min_length=1)
    seed: Seed = 0  # deals out the splits of prompts that carry none


# -- Audits ----------------------------------------------------------------------------------------------------------


class AuditSpec(Wire):
    """What to audit and how hard. The same spec on the same code gives the same report."""

    subject: str = Field(min_length=1, max_length=200)
    prompt_set: str = Field(min_length=1, max_length=80)  # its id
    effort: Literal["quick", "standard", "thorough"] = "standard"
    layers: list[Annotated[int, Field(ge=0, le=1000)]] | None = None  # None: every layer with an SAE
    seed: Seed = 0
    onset: Literal["calibrated", "surrogate"] = "calibrated"
    include_sink: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    judge: list[Annotated[str, Field(min_length=1, max_length=400)]] = Field(
        default=["phrases"], min_length=1, max_length=4
    )
    """The first one's verdicts count, the others are compared with them; besides phrases those that the operator named
    in REFUSALSCOPE_JUDGES."""


class AuditRequest(Wire):
    spec: AuditSpec
    name: str | None = Field(default=None, max_length=120)
    rerun: bool = False  # True: work it out again although the answer is known


class Estimate(Wire):
    """What an audit will take."""

    seconds_low: float | None
    seconds_high: float | None  # None: nothing comparable has been run yet
    memory_gib: float | None
    basis: str  # one line: what the estimate rests on
    n_prompts: int
    n_harmful: int
    answered_by: str | None  # id of an audit that already answers this spec


class Progress(Wire):
    """Where a job is."""

    stage: str
    done: int
    total: int
    detail: str = ""  # e.g. the id of the prompt in hand
    seconds_left: float | None = None  # of this stage
    overall: float | None = None  # share of the whole audit that is done, 0 to 1
    overall_seconds_left: float | None = None


class Job(Wire):
    id: str
    kind: Literal["audit", "what_if", "reveal", "check"]
    state: State
    created: float
    started: float | None
    finished: float | None
    attempts: int
    progress: Progress | None
    result: dict[str, Any] | None
    error: str | None


class AuditSummary(Wire):
    """A line of the audits grid."""

    id: str
    name: str
    origin: Literal["run", "import", "example"]
    subject: str
    prompt_set: str
    prompt_set_id: str | None
    n_prompts: int
    effort: str
    state: State
    progress: Progress | None
    job_id: str | None
    error: str | None
    created: float
    started: float | None
    finished: float | None
    refusal_rate: Figure | None
    over_refusal_rate: Figure | None
    flipped_minimal: Figure | None
    flipped_random: Figure | None
    flipped_direction: Figure | None
    minimal_set_size: Figure | None


class AuditDetail(Wire):
    """One audit; everything from `manifest` on is there once it is done."""

    audit: AuditSummary
    spec: AuditSpec
    has_completions: bool  # token ids are kept, so that completions can be revealed
    read_only: bool = False  # the reader came by a read-only link: nothing can be started, revealed or exported
    schema_version: str | None = None
    manifest: dict[str, Any] | None = None
    baseline: Baseline | None = None
    direction: Direction | None = None
    interactions: Interactions | None = None
    cascade: CascadeSummary | None = None
    report_card: ReportCard | None = None
    verification: Verification | None = None  # this and the next two: None also where an older audit has none
    stability: Stability | None = None
    judges: Judges | None = None


class Submitted(Wire):
    audit: AuditSummary
    reused: bool  # the answer was known: nothing was run
    detail: str  # one line


class Renamed(Wire):
    name: str = Field(min_length=1, max_length=120)


class Slice(Wire):
    """Prompts of one category by what became of them."""

    category: str
    counts: dict[Outcome, int]


class LayerUse(Wire):
    """How a layer takes part."""

    layer: int
    n_candidates: int  # reported features of it
    best_cosine: float | None
    in_minimal_sets: int  # prompt x feature pairs: features of this layer in confirmed minimal sets
    woken: int


class Distributions(Wire):
    """What the overview draws besides the figures, over the audit's own prompts."""

    set_sizes: dict[str, dict[int, int]]  # split -> size of the smallest confirmed minimal set -> prompts
    depths: dict[str, dict[int, int]]  # split -> cascade rounds until flip -> prompts
    slices: list[Slice]
    layers: list[LayerUse]
    never_flipped: list[str]  # ids, at most 200, of refused harmful prompts that nothing flipped


class CascadeNode(Wire):
    """One feature in one column of a cascade graph."""

    feature: str
    column: int  # 0 is what the first round ablates, k what woke after round k or was first ablated after it
    did: Literal["ablated", "pushes", "woke"]  # pushes: woke, and ablating it too lowers s on average
    n_prompts: int
    effect: float | None  # mean drop in s, nats: ablated alone; woken: ablated too where tried, else its direct effect


class CascadeLink(Wire):
    """Ablating the source changes the activation of the target, which stands in the next column."""

    source: str
    target: str
    column: int  # of the source
    n_prompts: int
    change: float  # mean


class CascadeGraph(Wire):
    """Cascades as a layered graph: features by round, summed over refused test prompts, or of one prompt."""

    n_prompts: int
    nodes: list[CascadeNode]
    links: list[CascadeLink]


class PerturbedLine(Wire):
    """One prompt under one perturbation."""

    prompt_id: str
    split: str
    perturbation: str
    verdict: str | None  # None: no completion was asked for
    score: float  # s
    score_change: float  # less the unperturbed prompt's
    jaccard: float  # of active refusal features
    n_lost: int  # refusal features active on the unperturbed prompt alone
    set_flips: bool | None  # the original minimal set; None: none, or s was not above 0


# -- Prompts of an audit ---------------------------------------------------------------------------------------------


class PromptLine(Wire):
    """A line of the prompts grid."""

    id: str
    text: str
    label: str
    category: str | None
    family: str
    split: str
    verdict: str
    score: float
    outcome: Outcome
    set_size: int | None
    k: int | None
    depth: int | None
    random_flips: float | None
    flipped_direction: bool | None
    flipped_fm: bool | None
    flipped_probe: bool | None


class PromptDetail(Wire):
    line: PromptLine
    story: PromptResult
    previous: str | None  # neighbours in the audit's order, by id
    next: str | None
    cascade_graph: CascadeGraph | None = None  # None where no cascade was followed


class InterventionSpec(Wire):
    """A what-if: which features, how, and where."""

    features: list[FeatureName] = Field(max_length=500)
    mode: Literal["zero", "mean", "resample", "scale"] = "zero"
    scale: float = Field(default=0.0, ge=-10, le=10)  # c of mode scale
    scope: list[Literal["sink", "system", "instruction", "post_instruction", "response"]] = [
        "system",
        "instruction",
        "post_instruction",
        "response",
    ]


class WhatIfRequest(Wire):
    intervention: InterventionSpec
    generate: bool = False  # also a completion (masked) and its verdict
    random_control: bool = True  # also a matched random set
    max_new_tokens: int = Field(default=100, ge=1, le=200)


class MaskedText(Wire):
    """A completion by everything but its words, which are given when it is a refusal."""

    verdict: Literal["refused", "complied", "incoherent"]
    n_tokens: int
    ended: bool
    text: str | None


class WhatIfArm(Wire):
    score: float  # refusal score s, log-odds
    n_active: int  # asked features whose edit changed something
    completion: MaskedText | None


class WhatIfResult(Wire):
    job_id: str
    baseline: WhatIfArm
    intervened: WhatIfArm
    random: WhatIfArm | None  # None: not asked for, or nothing to match
    inactive: list[FeatureName]  # asked features that were silent here: their edit did nothing
    seconds: float  # in the worker


class SavedSet(Wire):
    id: str
    prompt_id: str
    name: str
    intervention: InterventionSpec
    created: float


class NewSavedSet(Wire):
    name: str = Field(min_length=1, max_length=120)
    intervention: InterventionSpec


class RevealRequest(Wire):
    # Name of a completion, `prompt/arm`, or what_if:JOB:baseline|intervened|random.
    completion: str = Field(max_length=400)


class Revealed(Wire):
    completion: str
    text: str


class Reveal(Wire):
    """A reveal on record."""

    id: str
    prompt_id: str
    completion: str
    reader: str
    created: float


# -- Judges and persons ----------------------------------------------------------------------------------------------

VerdictName = Literal["refused", "complied", "incoherent"]


class NewVerdict(Wire):
    """What a person says of one completion."""

    prompt_id: str = Field(min_length=1, max_length=200)
    arm: str = Field(default="baseline", min_length=1, max_length=200)  # as `DisagreementRow.arm`
    verdict: VerdictName
    author: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class HumanVerdict(Wire):
    """A person's verdict on record: never changed, only followed by another."""

    number: int  # 1, 2, 3 ... of its audit; the largest of a prompt and arm is the one that counts
    prompt_id: str
    arm: str
    judged: VerdictName  # by the audit's primary judge
    old: VerdictName  # what counted before it
    verdict: VerdictName
    author: str
    reason: str
    created: float


class DisagreementRow(Wire):
    """A completion on which the audit's judges differ."""

    position: int
    prompt_id: str
    arm: str  # baseline, or an arm's name
    completion: str  # its name, as a reveal takes it
    verdicts: dict[str, VerdictName]  # by judge
    person: HumanVerdict | None  # the person's verdict that counts; None: nobody has judged it


class CorrectedCount(Wire):
    """A headline count as the judge has it and with persons' verdicts in their place. The report keeps the first."""

    path: str  # of the rate in the report
    judged: int
    n_judged: int
    corrected: int
    n_corrected: int  # of the flips: prompts that a person says were not refused leave it


# -- Features --------------------------------------------------------------------------------------------------------


class FeatureLine(Wire):
    """A line of the features grid. Figures with intervals are on the feature's own page."""

    id: FeatureName
    layer: int
    index: int
    rank: int | None
    cosine: float
    density: float
    activation_harmful: float | None
    activation_benign: float | None
    coverage_harmful: float | None
    coverage_benign: float | None
    effect: float | None
    in_minimal_sets: int
    woken: int
    neuronpedia_id: str | None


class FeaturePrompt(Wire):
    """A prompt where a feature matters."""

    prompt_id: str
    text: str
    label: str
    category: str | None
    split: str
    activation: float
    effect: float | None
    in_minimal_set: bool
    woke: bool


class Context(Wire):
    """A prompt's tokens with one feature's activation on each."""

    prompt_id: str
    label: str
    tokens: list[str]
    classes: list[str]  # position class of each token
    activations: list[float]


class FeatureDetail(Wire):
    feature: Feature
    layer: int
    index: int
    contexts: list[Context]  # strongest first
    categories: dict[str, float]  # harmful prompts: category -> share where it is active
    neuronpedia_url: str | None


# -- Sharing ---------------------------------------------------------------------------------------------------------


class NewLink(Wire):
    label: str = Field(default="", max_length=120)
    days: float = Field(default=7, gt=0, le=366)


class Link(Wire):
    id: str
    audit_id: str
    label: str
    created: float
    expires: float
    revoked: float | None
    last_used: float | None


class CreatedLink(Wire):
    link: Link
    url: str  # shown once: the token in it is not stored


# -- Comparing audits ------------------------------------------------------------------------------------------------

ComparedOutcome = Literal["refused", "over_refused", "flipped_minimal", "flipped_direction", "flipped_fm"]
"""refused, over_refused: at baseline, of harmful and look-alike prompts. flipped_*: of harmful prompts refused at
baseline, complied under the minimal set, the direction or the FM-extended set."""
Cell = Literal["both", "only_a", "only_b", "neither"]
ComparedPrompts = Literal["test", "all"]


class LeftOut(Wire):
    """Prompts that are in no comparison, or in no test table."""

    why: str
    n: int
    ids: list[str]  # the first of them, at most 50


class FlipCounts(Wire):
    """One outcome on the prompts that could show it in both audits; A is the reference."""

    prompts: ComparedPrompts
    n: int
    counts: dict[Cell, int]
    untried_a: int  # could show it in B alone, e.g. A never refused them: in no cell
    untried_b: int
    rate_a: Figure
    rate_b: Figure
    difference: Figure  # B less A, paired
    p: float | None  # McNemar's exact test
    detectable: float | None  # smallest difference found with 80 % power; None: none, however large
    power: str  # the same in a sentence


class ComparedAudit(Wire):
    """One audit beside the reference; every difference is this audit less the reference."""

    audit: AuditSummary
    n_prompts: int  # in common, by id and text
    n_test: int  # of them, in the test split of both
    left_out: list[LeftOut]
    cautions: list[str]  # what else differs between the two, in sentences
    test: FlipCounts  # the headline
    everything: FlipCounts
    figures: list[FigureDifference]
    n_compared: int  # figures behind every q
    counts: list[CountPair]
    statements: list[StatementPair]
    features: FeatureComparison  # at most 200 pairs
    n_features: int  # features in a confirmed minimal set of either report
    connections: Connections


class Comparison(Wire):
    """Two audits or more of the same prompts, the first the reference."""

    outcome: ComparedOutcome
    reference: AuditSummary
    others: list[ComparedAudit]
    figures: list[FigureRow]  # of all of them, in the order asked for


class ComparedPrompt(Wire):
    """One prompt in both audits."""

    id: str
    text: str
    a: PromptLine
    b: PromptLine
