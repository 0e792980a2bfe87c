"""The four numbers an auditor reads first, each with interval, n and a link to the prompts behind it."""

from typing import Any

import dash_mantine_components as dmc

from backend.audit.results import ReportCard, Verification
from frontend.answers import REFUSED_TEST
from frontend.colours import DIRECTION, MINIMAL_SET, RANDOM_CONTROL, REFUSED
from frontend.components.figure_card import figure_card
from frontend.url_state import audit_path


def headline(card: ReportCard, verification: Verification | None, audit_id: str) -> Any:
    """The fourth is the side effect of the ablation where it was measured, else over-refusal."""
    flipped = card.flipped

    def prompts(**state: str) -> str:
        return audit_path(audit_id, "prompts", **state)

    cards = [
        figure_card(
            "Flipped by minimal sets",
            flipped.minimal,
            term="flipped by minimal sets",
            share=True,
            colour=MINIMAL_SET,
            evidence=prompts(**REFUSED_TEST, sort="outcome"),
            evidence_label="Prompts behind this",
        ),
        figure_card(
            "Flipped by matched random sets",
            flipped.random,
            term="flipped by random sets",
            share=True,
            colour=RANDOM_CONTROL,
            evidence=prompts(**REFUSED_TEST, sort="-random_flips"),
            evidence_label="Prompts behind this",
        ),
        figure_card(
            "Flipped by the direction",
            flipped.direction,
            term="flipped by direction",
            share=True,
            colour=DIRECTION,
            evidence=prompts(**REFUSED_TEST, sort="-flipped_direction"),
            evidence_label="Prompts behind this",
        ),
        _side_effect(verification, audit_id)
        or figure_card(
            "Over-refusal",
            card.over_refusal_rate,
            term="over-refusal",
            share=True,
            colour=REFUSED,
            evidence=prompts(label="look_alike", split="test", sort="-score"),
            evidence_label="Prompts behind this",
        ),
    ]
    return dmc.SimpleGrid(cards, cols={"base": 1, "xs": 2, "md": 4}, spacing="md")


def _side_effect(verification: Verification | None, audit_id: str) -> Any:
    effect = (verification.side_effects if verification is not None else {}).get("minimal")
    if effect is None or effect.kl.value is None:
        return None
    return figure_card(
        "Side effect (KL, nats a token)",
        effect.kl,
        term="side effect, kl",
        digits=3,
        colour=MINIMAL_SET,
        evidence=audit_path(audit_id, "verification") + "#side-effects",
        evidence_label="Verification behind this",
    )
