"""A what-if as the reader sets it up: from and into the URL, and from the form's fields. Knows no component."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from backend.api.schemas import FEATURE_PATTERN, InterventionSpec
from frontend.url_state import names

MODES = {
    "zero": "zero",
    "mean": "mean on benign prompts",
    "resample": "from a random benign prompt",
    "scale": "scale by a factor",
}
"""mode -> what the activations are set to"""

SCOPES = {
    "sink": "sink",
    "system": "system",
    "instruction": "instruction",
    "post_instruction": "post-instruction",
    "response": "response",
}
DEFAULT_SCOPE = ("system", "instruction", "post_instruction", "response")
MOST_FEATURES = 500


class NotAWhatIf(ValueError):
    """One line naming the field and the fix."""


def from_form(
    ticked: Sequence[str] | None, typed: Sequence[str] | None, mode: str | None, scale: Any, scope: Sequence[str] | None
) -> InterventionSpec:
    """The fields as an intervention; raises NotAWhatIf."""
    chosen = list(dict.fromkeys(name.strip() for name in (*(ticked or ()), *(typed or ())) if name.strip()))
    for name in chosen:
        if not re.fullmatch(FEATURE_PATTERN, name):
            raise NotAWhatIf(f"Features: '{name[:40]}' is no feature; write LAYER:INDEX, for example 21:1130")
    if not chosen:
        raise NotAWhatIf("Features: tick or type at least one")
    if len(chosen) > MOST_FEATURES:
        raise NotAWhatIf(f"Features: {len(chosen)} are too many; at most {MOST_FEATURES}")
    if not scope:
        raise NotAWhatIf("Scope: choose at least one kind of token")
    if mode == "scale" and not _is_factor(scale):
        raise NotAWhatIf("Factor: give a number from -10 to 10")
    ordered = [name for name in SCOPES if name in scope]
    factor = float(scale) if mode == "scale" else 0.0
    return InterventionSpec.model_validate(
        {"features": chosen, "mode": mode or "zero", "scale": factor, "scope": ordered}
    )


def from_query(query: Mapping[str, str], minimal: Sequence[str]) -> InterventionSpec:
    """The what-if a link asks for; where it asks for none, the minimal set zeroed. Whatever it says, a page opens."""
    features = [name for name in names(query, "set") if re.fullmatch(FEATURE_PATTERN, name)][:MOST_FEATURES]
    mode = query.get("mode", "zero")
    scope = [name for name in SCOPES if name in names(query, "scope")] or list(DEFAULT_SCOPE)
    scale = query.get("scale", "0")
    return InterventionSpec.model_validate(
        {
            "features": features or list(minimal),
            "mode": mode if mode in MODES else "zero",
            "scale": float(scale) if _is_factor(scale) else 0.0,
            "scope": scope,
        }
    )


def to_query(intervention: InterventionSpec, minimal: Sequence[str]) -> dict[str, Any]:
    """What of it a link must say: the rest is how the page opens anyway."""
    state: dict[str, Any] = {}
    if list(intervention.features) != list(minimal):
        state["set"] = intervention.features
    if intervention.mode != "zero":
        state["mode"] = intervention.mode
    if intervention.mode == "scale":
        state["scale"] = f"{intervention.scale:g}"
    if tuple(intervention.scope) != DEFAULT_SCOPE:
        state["scope"] = intervention.scope
    return state


def in_words(intervention: InterventionSpec) -> str:
    """`2 features, zero` as a line of a list."""
    count = len(intervention.features)
    mode = f"scale by {intervention.scale:g}" if intervention.mode == "scale" else intervention.mode
    words = f"{count} feature{'' if count == 1 else 's'}, {mode}"
    if tuple(intervention.scope) != DEFAULT_SCOPE:
        words += ", at " + ", ".join(SCOPES[name] for name in intervention.scope)
    return words


def _is_factor(value: Any) -> bool:
    try:
        return -10 <= float(value) <= 10  # NaN compares false
    except (TypeError, ValueError):
        return False
