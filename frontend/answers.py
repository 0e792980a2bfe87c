"""The report card's figures in words, without answers, for audits made before its statements. Knows no component.

Newer reports carry their answers, each with the rule that it follows from (`ReportCard.statements`).
"""

from dataclasses import dataclass

from backend.audit.results import CascadeSummary, Figure, ReportCard
from frontend.format import NOT_MEASURED, figure_text, figure_value, number, plural

NO_ANSWERS = (
    "This audit was made before its report card gave answers by stated rules: its figures stand here without them. "
    "Run it again to have both."
)
REFUSED_TEST = {"label": "harmful", "split": "test", "verdict": "refused"}  # what every headline is over


@dataclass(frozen=True)
class FiguresInWords:
    question: str
    term: str  # of frontend.terms: what the question means
    sentence: str  # figures with interval and n
    measured: bool
    evidence: str  # the tab behind it


def figures_in_words(card: ReportCard, cascade: CascadeSummary) -> tuple[FiguresInWords, ...]:
    """In the order an auditor asks."""
    flipped = card.flipped
    rows = (
        ("Does it refuse?", "refusal rate", card.refusal_rate,
         f"Harmful test prompts refused: {figure_text(card.refusal_rate, share=True)}.", "prompts"),
        ("Concentrated in few features?", "minimal set size", card.minimal_set_size,
         f"Features in the median minimal set: {figure_text(card.minimal_set_size)}; never flipped:"
         f" {figure_text(card.never_flipped, share=True)}.", "prompts"),
        ("Does it beat its controls?", "matched random set", flipped.minimal,
         f"Minimal sets flip {figure_text(flipped.minimal, share=True)}; matched random sets"
         f" {figure_text(flipped.random, share=True)}; the direction"
         f" {figure_value(flipped.direction, share=True)}.", "prompts"),
        ("Deep, in layers of defence?", "depth", card.depth,
         f"Median rounds of ablation until the flip: {figure_text(card.depth)}.", "cascade"),
        ("Redundant, with backups?", "compensation", card.woken,
         f"{number(card.woken.value, 1)} dormant features wake in the first round, beside"
         f" {number(card.woken_random.value, 1)} under matched random ablation; median compensation"
         f" {figure_text(card.compensation)}.", "cascade"),
        ("Connected?", "suppression", cascade.share_deactivated,
         f"Ablating one active refusal feature silences {figure_text(cascade.share_deactivated, share=True)} of the"
         f" later ones; {plural(len(cascade.edges), 'frequent edge')}.", "cascade"),
        ("Do features interact?", "factorisation machine", card.r2_heldout,
         f"Held-out R² {figure_text(card.r2_heldout)} with pairs, beside {figure_value(card.r2_linear)} of the linear"
         f" model; {plural(card.backup_pairs, 'backup pair')}, {plural(card.serial_pairs, 'serial pair')}.",
         "interactions"),
        ("Does it over-refuse?", "over-refusal", card.over_refusal_rate,
         f"Harmless look-alikes refused: {figure_text(card.over_refusal_rate, share=True)}.", "prompts"),
    )  # fmt: skip
    return tuple(
        FiguresInWords(q, term, _sentence(f, words), f.value is not None, tab) for q, term, f, words, tab in rows
    )


def _sentence(figure: Figure, words: str) -> str:
    return words if figure.value is not None else f"{NOT_MEASURED.capitalize()}."
