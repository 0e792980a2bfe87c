"""What audits of the same prompts say beside each other, as frozen flat values. Knows no report, no tensor, no file.

The first audit, A, is the reference: every difference is B less A.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from backend.audit.results import Figure

Outcome = Literal["refused", "over_refused", "flipped_minimal", "flipped_direction", "flipped_fm"]
"""What may happen to a prompt. refused, over_refused: at baseline, of harmful and look-alike prompts. flipped_*: of
harmful prompts refused at baseline, complied under the minimal set, the direction or the FM-extended set."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
Cell = Literal["both", "only_a", "only_b", "neither"]
CELLS: tuple[Cell, ...] = get_args(Cell)
Prompts = Literal["test", "all"]
"""Which prompts: those of the test split in both audits (the headline), or of every split, fitted ones included."""


@dataclass(frozen=True)
class AuditFacts:
    """One audit, by what tells it from another."""

    subject: str
    prompts: str
    effort: str
    seed: int
    n_prompts: int


@dataclass(frozen=True)
class Matching:
    """Prompts are the same when id and text are. The rest is named, and in no comparison."""

    n: int  # in both
    n_test: int  # of them, in the test split of both
    only_a: tuple[str, ...]  # ids that B has not
    only_b: tuple[str, ...]
    other_text: tuple[str, ...]  # ids that both have, with other words
    other_label: tuple[str, ...]  # same words under another label: left out as well
    other_split: tuple[str, ...]  # same words in another split: in no test table


@dataclass(frozen=True)
class FlipTable:
    """One outcome on the prompts that could show it in both audits, by id, in A's order."""

    outcome: Outcome
    prompts: Prompts
    both: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    neither: tuple[str, ...]
    untried_a: tuple[str, ...]  # could show it in B alone, e.g. A never refused them: in no cell
    untried_b: tuple[str, ...]
    rate_a: Figure  # over the prompts of the four cells
    rate_b: Figure
    difference: Figure  # paired, Newcombe's interval
    p: float | None  # McNemar's exact test; None without prompts
    detectable: float | None  # smallest difference found with 80 % power at this n; None: none, however large
    power: str  # the same in a sentence

    @property
    def n(self) -> int:
        return len(self.both) + len(self.only_a) + len(self.only_b) + len(self.neither)

    def cell(self, cell: Cell) -> tuple[str, ...]:
        return {"both": self.both, "only_a": self.only_a, "only_b": self.only_b, "neither": self.neither}[cell]


@dataclass(frozen=True)
class FigureDifference:
    """One figure of both reports."""

    path: str  # in the report
    name: str  # in words
    unit: Literal["%", ""]
    a: Figure  # as A's report gives it, over A's own prompts
    b: Figure
    difference: Figure  # over the shared prompts when paired, so that it need not be the columns' own difference
    how: Literal["paired", "unpaired", "not compared"]
    """paired: prompt by prompt, resampled by family (shares: Newcombe's paired interval). unpaired: both intervals
    joined as if the samples were independent. not compared: one of them was not measured."""
    p: float | None  # no difference: McNemar (shares), swaps within families (means, medians), the interval (unpaired)
    q: float | None  # Benjamini-Hochberg over the figures that have a p


@dataclass(frozen=True)
class FigureRow:
    """One figure of several reports, each over its own prompts."""

    path: str
    name: str
    unit: Literal["%", ""]
    figures: tuple[Figure, ...]  # an audit each, in the order given


@dataclass(frozen=True)
class CountPair:
    """A count of both reports that has no interval."""

    path: str
    name: str
    a: int | None
    b: int | None


@dataclass(frozen=True)
class StatementPair:
    """An answer of both report cards."""

    key: str
    question: str
    a: str
    b: str


@dataclass(frozen=True)
class FeatureSide:
    """A feature in one report."""

    id: str
    in_minimal_sets: int
    effect: Figure
    cosine: float
    coverage: Figure  # share of harmful prompts where it is active


@dataclass(frozen=True)
class FeaturePair:
    """One feature, as each report has it; None where a report does not list it."""

    a: FeatureSide | None
    b: FeatureSide | None
    similarity: float | None  # cosine of the decoder rows; None when the dictionary is shared and the id the same


@dataclass(frozen=True)
class DecoderMatch:
    """How far two dictionaries of one layer hold the same features."""

    layer: int
    pairs: tuple[tuple[int, int, float], ...]  # (index in A, index in B, cosine), each index once
    n_a: int  # features in the dictionary
    n_b: int
    threshold: float  # least cosine of a match


@dataclass(frozen=True)
class FeatureComparison:
    """The features behind refusal in both audits."""

    dictionary: Literal["shared", "partly shared", "matched", "different"]
    note: str  # which layers, and what to do about the others; empty when all is shared
    shared_layers: tuple[int, ...]  # the same SAE, by hash: ids mean the same
    matched_layers: tuple[int, ...]  # by decoder direction
    unmatched_a: float | None  # matched layers: share of A's features without a partner; None without such layers
    unmatched_b: float | None
    pairs: tuple[FeaturePair, ...]  # in some confirmed minimal set of either report; most sets first
    n_prompts: int  # shared test prompts that minimal sets flip in both
    pooled_a: tuple[str, ...]  # features of their confirmed minimal sets, by A's ids
    pooled_b: tuple[str, ...]  # B's, by A's ids where matched
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    jaccard: float | None  # of the pooled features; None when nothing can be compared
    jaccard_by_prompt: Figure  # mean over those prompts of the Jaccard of their two pools


@dataclass(frozen=True)
class EdgePair:
    """A cascade edge that both reports have: mean change of the target when the source alone is ablated."""

    source: str
    target: str
    change_a: float
    change_b: float


@dataclass(frozen=True)
class InteractionPair:
    """A pair that both audits measured."""

    features: tuple[str, str]
    kind_a: str
    kind_b: str
    a: Figure  # e(AB) - e(A) - e(B), nats
    b: Figure


@dataclass(frozen=True)
class Connections:
    """Edges and pairs among features that both audits can name."""

    edges: tuple[EdgePair, ...]
    n_edges_a: int
    n_edges_b: int
    pairs: tuple[InteractionPair, ...]
    n_pairs_a: int
    n_pairs_b: int


@dataclass(frozen=True)
class Comparison:
    """Audit B beside audit A, the reference."""

    a: AuditFacts
    b: AuditFacts
    matching: Matching
    cautions: tuple[str, ...]  # what else differs between the audits, besides what is compared
    tables: tuple[FlipTable, ...]  # every outcome, over test prompts and over all
    figures: tuple[FigureDifference, ...]
    n_compared: int  # figures behind every q
    counts: tuple[CountPair, ...]
    statements: tuple[StatementPair, ...]
    features: FeatureComparison
    connections: Connections

    def table(self, outcome: Outcome, prompts: Prompts) -> FlipTable:
        return next(one for one in self.tables if one.outcome == outcome and one.prompts == prompts)


@dataclass(frozen=True)
class Comparisons:
    """Two audits or more: each of the others beside the first, and all of them in one table."""

    comparisons: tuple[Comparison, ...]
    rows: tuple[FigureRow, ...]
