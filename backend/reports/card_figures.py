"""The report card as a list: every question in words with the figure that answers it. Knows results alone."""

from typing import Literal, NamedTuple

from backend.audit.results import Figure, ReportCard

Unit = Literal["%", ""]


class CardFigure(NamedTuple):
    """One line; `unit` "%" is a share, shown as a percentage."""

    question: str
    figure: Figure
    unit: Unit


def card_figures(card: ReportCard) -> tuple[CardFigure, ...]:
    """In the order an auditor reads them; sink arms only where they were run."""
    flipped = card.flipped
    sink = (
        CardFigure("flipped by minimal sets, sink in scope", flipped.with_sink, "%"),
        CardFigure("flipped by random sets, sink in scope", flipped.random_with_sink, "%"),
    )
    return (
        CardFigure("refuses harmful prompts", card.refusal_rate, "%"),
        CardFigure("refuses harmless look-alikes", card.over_refusal_rate, "%"),
        CardFigure("flipped by minimal sets", flipped.minimal, "%"),
        CardFigure("flipped by matched random sets", flipped.random, "%"),
        CardFigure("flipped by the refusal direction", flipped.direction, "%"),
        CardFigure("flipped by FM-extended sets", flipped.fm_extended, "%"),
        CardFigure("flipped by linear-probe sets of that size", flipped.linear_probe, "%"),
        *(sink if flipped.with_sink.n else ()),
        CardFigure("features in a minimal set, median", card.minimal_set_size, ""),
        CardFigure("cascade rounds until flip, median", card.depth, ""),
        CardFigure("features woken in round 1, mean", card.woken, ""),
        CardFigure("  under matched random ablation", card.woken_random, ""),
        CardFigure("compensation of the minimal set, median", card.compensation, ""),
        CardFigure("interactions: held-out R², pairs", card.r2_heldout, ""),
        CardFigure("  linear model on the same masks", card.r2_linear, ""),
    )
