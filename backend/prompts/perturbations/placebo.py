"""Changes that mean nothing: what moves under them is the measurement's own restlessness."""

from random import Random

from backend.prompts.perturbations.perturbation import Chat, TextPerturbation, template

ENDINGS = ".?!"


def toggle_full_stop(text: str, random: Random) -> Chat:
    """Without the closing mark where there is one, else with a full stop; never empty."""
    stripped = text[:-1]
    return Chat(stripped if text[-1:] in tuple(ENDINGS) and stripped.strip() else f"{text}.")


def double_one_space(text: str, random: Random) -> Chat | None:
    """Two spaces for one, somewhere."""
    places = [i for i, letter in enumerate(text) if letter == " "]
    if not places:
        return None
    place = random.choice(places)
    return Chat(f"{text[:place]} {text[place:]}")


PLACEBOS = (
    template("trailing_space", "placebo", "a space behind the request", "{} "),
    TextPerturbation("full_stop", "placebo", "the closing mark left out, or a full stop put there", toggle_full_stop),
    TextPerturbation("double_space", "placebo", "one space doubled", double_one_space),
)
