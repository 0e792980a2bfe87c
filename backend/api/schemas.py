"""The wire types: everything that crosses the HTTP boundary, in one place. The dashboard's one door to the backend.

Knows results (plain values); knows no database, no route and no tensor.
"""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from backend.audit.results import (
    Baseline,
    CascadeSummary,
    Direction,
    Feature,
    Figure,
    Interactions,
    PromptResult,
    ReportCard,
)

T = TypeVar("T")

State = Literal["queued", "running", "done", "failed", "cancelled"]
Outcome = Literal["flipped", "unconfirmed", "not_flipped", "refused", "complied", "incoherent"]
"""What became of a prompt. Audited ones (refused, harmful): flipped = a minimal set complied by generation,
unconfirmed = the score flipped but no completion complied, not_flipped = no candidate set flipped the score. Others
carry their baseline verdict."""

FEATURE_PATTERN = r"^\d{1,4}:\d{1,7}$"
FeatureName = Annotated[str, Field(pattern=FEATURE_PATTERN, examples=["21:1130"])]


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


# -- Audits ----------------------------------------------------------------------------------------------------------


class AuditSpec(Wire):
    """What to audit and how hard. The same spec on the same code gives the same report."""

    subject: str = Field(min_length=1, max_length=200)
    prompt_set: str = Field(min_length=1, max_length=80)  # its id
    effort: Literal["quick", "standard", "thorough"] = "standard"
    layers: list[Annotated[int, Field(ge=0, le=1000)]] | None = None  # None: every layer with an SAE
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    onset: Literal["calibrated", "surrogate"] = "calibrated"
    include_sink: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"


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
