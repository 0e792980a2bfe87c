"""The report card in sentences: for each rule the answer that the intervals give, in words an auditor can quote.

Pure functions of finished figures. An answer that the sample leaves open says so, with its n.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backend.audit import statement_rules as bounds
from backend.audit.decisions import Answer, above, all_of, any_of, at_most, counted, exceeds
from backend.audit.figure_words import number_words, share_words
from backend.audit.headline import headline
from backend.audit.results import (
    NOTHING_MEASURED,
    CascadeSummary,
    Figure,
    Interactions,
    Pair,
    PromptResult,
    Report,
    ReportCard,
    Stability,
    Statement,
    Verification,
)
from backend.audit.splits import TestRows, marked, of_split
from backend.audit.statement_rules import RULES, Rule
from backend.audit.stats.rates import wilson

CONTROLS = ("random", "noise", "sign_flip", "reconstruction")
SEVERAL_SETS = "prompts.minimal_sets"  # the figure that is counted from the prompts and stands nowhere else


@dataclass(frozen=True)
class Evidence:
    """The finished figures. None: that part was not measured."""

    card: ReportCard
    cascade: CascadeSummary
    interactions: Interactions
    verification: Verification | None
    stability: Stability | None
    several_sets: Figure  # share of flipped prompts with several distinct confirmed minimal sets

    @classmethod
    def of(
        cls,
        card: ReportCard,
        cascade: CascadeSummary,
        interactions: Interactions,
        verification: Verification | None,
        stability: Stability | None,
        results: TestRows[PromptResult],
    ) -> "Evidence":
        confirmed = [{s.features for s in r.minimal_sets if s.confirmed} for r in headline(results)]
        flipped = [sets for sets in confirmed if sets]
        several = marked(wilson(sum(len(sets) > 1 for sets in flipped), len(flipped)), "test")
        return cls(card, cascade, interactions, verification, stability, several)


@dataclass(frozen=True)
class Found:
    """What one question's figures say."""

    answer: Answer
    details: str  # the figures in words
    figures: Mapping[str, Figure]  # by path in the report


def statements_of(report: Report) -> tuple[Statement, ...]:
    """A report's statements, from its own figures; also those of a report from before there were statements."""
    return build_statements(
        Evidence.of(
            report.report_card,
            report.cascade,
            report.interactions,
            report.verification,
            report.stability,
            of_split(report.prompts, "test"),
        )
    )


def with_statements(report: Report) -> Report:
    """The report, its card's statements made from its figures."""
    return replace(report, report_card=replace(report.report_card, statements=statements_of(report)))


def build_statements(evidence: Evidence) -> tuple[Statement, ...]:
    """One statement a rule, in the order of the rules."""
    found = {
        "present": _present(evidence.card),
        "over_refusal": _over_refusal(evidence.card),
        "necessary": _necessary(evidence.card),
        "sufficient": _sufficient(evidence.verification),
        "beats_controls": _beats_controls(evidence.verification),
        "concentrated": _concentrated(evidence.card),
        "deep": _deep(evidence.card),
        "redundant": _redundant(evidence.cascade, evidence.interactions, evidence.several_sets),
        "connected": _connected(evidence.cascade, evidence.interactions),
        "non_linear": _non_linear(evidence.interactions),
        "stable": _stable(evidence.stability),
        "side_effects": _side_effects(evidence.verification),
    }
    return tuple(_statement(rule, found[rule.key]) for rule in RULES)


def _statement(rule: Rule, found: Found) -> Statement:
    return Statement(
        key=rule.key,
        question=rule.question,
        answer=found.answer,
        text=_text(rule, found),
        rule=rule.rule,
        figures=dict(found.figures),
        evidence=rule.evidence,
    )


def _text(rule: Rule, found: Found) -> str:
    if found.answer == "not measured":
        return f"It was not measured {rule.whether}."
    if found.answer == "undecided":
        n = min(figure.n for figure in found.figures.values() if figure.value is not None)
        return f"At n {n} it is undecided {rule.whether}. {found.details}"
    return f"{rule.yes if found.answer == 'yes' else rule.no} {found.details}"


def _present(card: ReportCard) -> Found:
    rate = card.refusal_rate
    return Found(
        above(rate, bounds.REFUSES),
        f"Harmful test prompts refused: {share_words(rate)}.",
        {"report_card.refusal_rate": rate},
    )


def _over_refusal(card: ReportCard) -> Found:
    rate = card.over_refusal_rate
    return Found(
        above(rate, bounds.OVER_REFUSES),
        f"Look-alikes refused: {share_words(rate)}.",
        {"report_card.over_refusal_rate": rate},
    )


def _necessary(card: ReportCard) -> Found:
    minimal, random = card.flipped.minimal, card.flipped.random
    return Found(
        exceeds(minimal, random),
        f"Flipped by minimal sets: {share_words(minimal)}; by matched random sets: {share_words(random)}.",
        {"report_card.flipped.minimal": minimal, "report_card.flipped.random": random},
    )


def _sufficient(verification: Verification | None) -> Found:
    sets = verification.sufficiency.refused if verification else NOTHING_MEASURED
    random = verification.sufficiency.refused_random if verification else NOTHING_MEASURED
    return Found(
        exceeds(sets, random),
        f"Harmless prompts refused with the sets added: {share_words(sets)}; with random sets: {share_words(random)}.",
        {"verification.sufficiency.refused": sets, "verification.sufficiency.refused_random": random},
    )


def _beats_controls(verification: Verification | None) -> Found:
    arms = verification.arms if verification else {}
    flipped = {name: arms[name].flipped for name in ("minimal", *CONTROLS) if name in arms}
    minimal = flipped.get("minimal", NOTHING_MEASURED)
    words = [f"{name.replace('_', ' ')} {share_words(figure)}" for name, figure in flipped.items()]
    return Found(
        all_of([exceeds(minimal, flipped.get(name, NOTHING_MEASURED)) for name in CONTROLS]),
        f"Flipped: {'; '.join(words)}.",
        {f"verification.arms.{name}.flipped": figure for name, figure in flipped.items()},
    )


def _concentrated(card: ReportCard) -> Found:
    size, pooled = card.minimal_set_size, card.features_for_most
    few = counted(pooled <= bounds.FEW_POOLED) if pooled is not None else "not measured"
    return Found(
        all_of([at_most(size, bounds.FEW_FEATURES), few]),
        f"Features in the median minimal set: {number_words(size)}; {pooled} features hold 90 % of the sets.",
        {"report_card.minimal_set_size": size},
    )


def _deep(card: ReportCard) -> Found:
    return Found(
        above(card.depth, bounds.SHALLOW),
        f"Median rounds until the flip: {number_words(card.depth)}.",
        {"report_card.depth": card.depth},
    )


def _redundant(cascade: CascadeSummary, interactions: Interactions, several_sets: Figure) -> Found:
    more, confirmed = cascade.woken_difference, cascade.backups_confirmed
    return Found(
        any_of(
            [_pairs(interactions, ("backup",)), above(confirmed, bounds.MOST), above(several_sets, bounds.MOST)],
        ),
        f"{_pair_words(interactions, 'backup')}; claimed backups confirmed: {share_words(confirmed)}; flipped prompts"
        f" with several minimal sets: {share_words(several_sets)}; features woken a prompt beyond matched random"
        f" ablation: {number_words(more)}.",
        {
            "cascade.backups_confirmed": confirmed,
            SEVERAL_SETS: several_sets,
            "cascade.woken_difference": more,
        }
        | _fit(interactions),
    )


def _connected(cascade: CascadeSummary, interactions: Interactions) -> Found:
    silenced = cascade.share_deactivated
    return Found(
        any_of([above(silenced, bounds.SILENCED), _pairs(interactions, ("serial",))]),
        f"Later refusal features that one ablation silences: {share_words(silenced)};"
        f" {_pair_words(interactions, 'serial')}.",
        {"cascade.share_deactivated": silenced} | _fit(interactions),
    )


def _non_linear(interactions: Interactions) -> Found:
    pairs, linear = interactions.r2_heldout, interactions.r2_linear
    gains = exceeds(pairs, linear, margin=bounds.GAIN)
    return Found(
        any_of([_pairs(interactions, ("backup", "serial")), all_of([_weighs(interactions), gains])]),
        f"Held-out R² with pairs: {number_words(pairs, 2)}; linear: {number_words(linear, 2)};"
        f" {_pair_words(interactions, 'backup')}; {_pair_words(interactions, 'serial')}.",
        _fit(interactions),
    )


def _pair_words(interactions: Interactions, kind: str) -> str:
    n = max((pair.measured.interaction.n for pair in interactions.pairs), default=0)
    return f"{kind} pairs: {len(telling_pairs(interactions, kind))} of {len(interactions.pairs)} measured, n {n}"


def telling_pairs(interactions: Interactions, kind: str) -> list[Pair]:
    """Pairs measured as of this kind, backup or serial, whose interval is beyond what tells nothing."""
    sign = 1 if kind == "backup" else -1
    found = []
    for pair in interactions.pairs:
        ends = pair.measured.interaction.low, pair.measured.interaction.high
        if all(end is not None and sign * end > bounds.PAIR for end in ends):
            found.append(pair)
    return found


def _pairs(interactions: Interactions, kinds: Sequence[str]) -> Answer:
    """Whether such pairs were found; where one could not be decided, none found is no answer."""
    if interactions.r2_heldout.value is None:
        return "not measured"
    found = any(telling_pairs(interactions, kind) for kind in kinds)
    if not found and any(_could_be(pair.measured.interaction, kinds) for pair in interactions.pairs):
        return "undecided"
    return counted(found)


def _weighs(interactions: Interactions) -> Answer:
    """Whether the scores that the fits explain vary at all: R² is high or low of next to nothing too."""
    if interactions.r2_heldout.value is None:
        return "not measured"
    return counted(any(abs(weight) > bounds.PAIR for weight in interactions.weights.values()))


def _could_be(interaction: Figure, kinds: Sequence[str]) -> bool:
    """Whether the interval leaves room for a telling pair of such a kind."""
    if interaction.low is None or interaction.high is None:
        return True
    return ("backup" in kinds and interaction.high > bounds.PAIR) or (
        "serial" in kinds and interaction.low < -bounds.PAIR
    )


def _fit(interactions: Interactions) -> dict[str, Figure]:
    return {"interactions.r2_heldout": interactions.r2_heldout, "interactions.r2_linear": interactions.r2_linear}


def _stable(stability: Stability | None) -> Found:
    nothing = NOTHING_MEASURED
    kept, placebo, flips = (
        (stability.keep_rate, stability.keep_rate_placebo, stability.set_flips) if stability else (nothing,) * 3
    )
    return Found(
        all_of([exceeds(kept, placebo, share=bounds.KEPT_OF_PLACEBO), above(flips, bounds.MOST)]),
        f"Refusal features kept: {share_words(kept)}; under the placebo: {share_words(placebo)}; perturbed prompts that"
        f" the original set still flips: {share_words(flips)}.",
        {"stability.keep_rate": kept, "stability.keep_rate_placebo": placebo, "stability.set_flips": flips},
    )


def _side_effects(verification: Verification | None) -> Found:
    effects = verification.side_effects.get("minimal") if verification else None
    if effects is None:
        return Found("not measured", "", {})
    return Found(
        any_of([above(effects.kl, bounds.SIDE_KL), above(effects.verdict_changed, bounds.SIDE_VERDICTS)]),
        f"On harmless prompts, KL in nats a token: {number_words(effects.kl, 3)}; verdicts changed:"
        f" {share_words(effects.verdict_changed)}.",
        {
            "verification.side_effects.minimal.kl": effects.kl,
            "verification.side_effects.minimal.verdict_changed": effects.verdict_changed,
        },
    )
