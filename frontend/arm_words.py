"""What each arm of the verification does to a prompt, in words and a colour. Knows no component."""

from collections.abc import Iterable
from typing import NamedTuple

from frontend.colours import BASELINE, DIRECTION, MINIMAL_SET, RANDOM_CONTROL


class ArmWords(NamedTuple):
    label: str
    words: str  # one line: what is done, and what it would show
    colour: str


ARMS = {
    "minimal": ArmWords("minimal sets", "The claimed features are set to 0.", MINIMAL_SET),
    "random": ArmWords(
        "matched random sets",
        "As many features a layer, alike in how often and how strongly they fire, are set to 0.",
        RANDOM_CONTROL,
    ),
    "noise": ArmWords(
        "equal-norm noise",
        "At every layer a random direction, as long as what the set's ablation takes away there.",
        RANDOM_CONTROL,
    ),
    "sign_flip": ArmWords(
        "sign flip", "The same features are doubled instead of silenced: as large a change, the other way.", BASELINE
    ),
    "reconstruction": ArmWords(
        "reconstruction alone",
        "The SAEs' reconstructions at the set's layers, nothing ablated: what their error alone would do.",
        BASELINE,
    ),
    "direction": ArmWords(
        "refusal direction", "The direction is ablated at every layer: the positive control.", DIRECTION
    ),
    "mean": ArmWords(
        "set at benign mean", "The claimed features are set to their mean on benign prompts.", MINIMAL_SET
    ),
    "resample": ArmWords(
        "set resampled", "The claimed features take the values they have on a random benign prompt.", MINIMAL_SET
    ),
    "clamp": ArmWords("set clamped", "The claimed features are set to minus their activation.", MINIMAL_SET),
}
"""In the order they are shown: the claim, what should not flip, what should."""

CONTROLS = ("random", "noise", "sign_flip", "reconstruction")  # arms that should leave the refusal as it is


def arm_words(name: str) -> ArmWords:
    """Of an arm that is not known here, its name alone."""
    return ARMS.get(name, ArmWords(name.replace("_", " "), "", BASELINE))


def in_order(names: Iterable[str]) -> list[str]:
    """The arms among `names` in the order they are shown, unknown ones last."""
    given = list(names)
    return [name for name in ARMS if name in given] + sorted(name for name in given if name not in ARMS)
