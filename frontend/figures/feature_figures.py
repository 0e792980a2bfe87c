"""One feature in figures: harmful beside benign prompts, the tokens it moves, the categories it answers to."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from backend.audit.results import Feature, Figure, TokenWeight
from frontend.colours import CANDIDATE
from frontend.figures.frame import framed, interval, words
from frontend.figures.slices import NO_CATEGORY
from frontend.token_text import visible_token

KINDS = ("harmful prompts", "benign prompts")


def activation_by_kind(feature: Feature) -> go.Figure:
    """Mean of the largest activation over a prompt's tokens, with 95 % intervals."""
    figures = (feature.activation_harmful, feature.activation_benign)
    return _by_kind(figures, "mean largest activation", "%{y:.2f}")


def coverage_by_kind(feature: Feature) -> go.Figure:
    """Share of prompts on which the feature is active, with 95 % intervals."""
    figure = _by_kind((feature.coverage_harmful, feature.coverage_benign), "share of prompts where active", "%{y:.0%}")
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    return figure


def logit_lens(promoted: Sequence[TokenWeight], suppressed: Sequence[TokenWeight]) -> go.Figure:
    """Tokens whose logit the decoder vector raises most, above those it lowers most."""
    rows = sorted({*suppressed, *promoted}, key=lambda token: (token.weight, token.text))  # a tiny vocabulary repeats
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=[token.weight for token in rows],
            y=list(range(len(rows))),
            marker={"color": CANDIDATE},
            customdata=[words(visible_token(token.text)) for token in rows],
            hovertemplate="%{customdata}: %{x:+.2f}<extra></extra>",
        )
    )
    framed(figure, height=90 + 19 * max(len(rows), 2), x="logit above the vocabulary's mean", y="", legend=False)
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[words(visible_token(token.text)) for token in rows], tickfont_size=12
    )
    figure.update_xaxes(zeroline=True)
    return figure


def active_by_category(shares: Mapping[str, float]) -> go.Figure:
    """Share of each category's harmful prompts on which the feature is active."""
    rows = sorted(shares.items(), key=lambda item: (item[1], item[0]))
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=[share for _, share in rows],
            y=[words(category.replace("_", " ")) or NO_CATEGORY for category, _ in rows],
            marker={"color": CANDIDATE},
            hovertemplate="%{y}: %{x:.0%} of harmful prompts<extra></extra>",
        )
    )
    framed(figure, height=90 + 24 * max(len(rows), 1), x="share of harmful prompts where active", y="", legend=False)
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(type="category")
    return figure


def _by_kind(figures: tuple[Figure, Figure], title: str, value: str) -> go.Figure:
    figure = go.Figure(
        go.Bar(
            x=KINDS,
            y=[one.value for one in figures],
            error_y=interval(figures),
            marker={"color": CANDIDATE, "opacity": [1.0, 0.45]},
            width=0.5,
            customdata=[one.n for one in figures],
            hovertemplate=f"%{{x}}: {value}, n %{{customdata}}<extra></extra>",
        )
    )
    framed(figure, height=240, x="", y=title, legend=False)
    figure.update_yaxes(rangemode="tozero")
    return figure
