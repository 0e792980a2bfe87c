"""One prompt's claimed set beside the arms of the verification, on one axis of scores."""

import plotly.graph_objects as go

from backend.audit.results import MinimalSet, PromptVerification
from frontend.arm_words import arm_words, in_order
from frontend.colours import MINIMAL_SET
from frontend.figures.controls import draws_of, mark_of, strip_of
from frontend.figures.frame import words


def verification_strip(
    baseline_score: float, claimed: MinimalSet | None, verification: PromptVerification
) -> go.Figure:
    """A row an arm, the set first; filled marks flipped (complied by generation), open ones did not."""
    rows: list[tuple[str, go.Scatter]] = []
    if claimed is not None:
        rows.append(("claimed set", mark_of(claimed.score, claimed.confirmed, MINIMAL_SET)))
    noise = verification.noise
    rows.append((f"{noise.n_draws} draws of equal-norm noise", draws_of(noise, "a draw of noise")))
    for name in in_order(verification.arms):
        arm = verification.arms[name]
        rows.append((words(arm_words(name).label), mark_of(arm.score, arm.flipped, arm_words(name).colour)))
    return strip_of(rows, baseline_score)
