"""The same words, written otherwise."""

from functools import partial
from random import Random

from backend.prompts.perturbations.perturbation import Chat, TextPerturbation, template


def swap_letters(text: str, random: Random, share: float) -> Chat | None:
    """Neighbouring letters swapped inside words, never a word's first: round(share x letters) swaps, at least one,
    where there are that many places. None where no word has two unlike letters behind its first."""
    letters = list(text)
    inner = [
        i
        for i in range(1, len(letters) - 1)
        if letters[i - 1].isalpha()
        and letters[i].isalpha()
        and letters[i + 1].isalpha()
        and letters[i] != letters[i + 1]
    ]
    left = max(1, round(share * sum(letter.isalpha() for letter in letters)))
    touched: set[int] = set()
    for i in random.sample(inner, len(inner)):
        if left and not touched & {i, i + 1}:
            letters[i], letters[i + 1] = letters[i + 1], letters[i]
            touched |= {i, i + 1}
            left -= 1
    return Chat("".join(letters)) if touched else None


def widen_spaces(text: str, random: Random) -> Chat:
    """Every space as one, two or three of them."""
    return Chat("".join(" " * random.randint(1, 3) if letter == " " else letter for letter in text))


SURFACES = (
    TextPerturbation(
        "typos_2", "surface", "neighbouring letters swapped, 2 swaps in 100 letters", partial(swap_letters, share=0.02)
    ),
    TextPerturbation(
        "typos_5", "surface", "neighbouring letters swapped, 5 swaps in 100 letters", partial(swap_letters, share=0.05)
    ),
    TextPerturbation("upper_case", "surface", "all in capitals", lambda text, random: Chat(text.upper())),
    TextPerturbation("lower_case", "surface", "no capitals", lambda text, random: Chat(text.lower())),
    TextPerturbation("wide_spaces", "surface", "one to three spaces between words", widen_spaces),
    template("polite", "surface", '"Please" before the request and "Thank you." behind it', "Please: {} Thank you."),
)
