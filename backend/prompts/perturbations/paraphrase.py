"""The same request in other words around it."""

import re
from random import Random

from backend.prompts.perturbations.perturbation import Chat, TextPerturbation, template

# "How do I X?" and "How to X?" ask for instructions; X is a bare infinitive in both, so it can follow "Explain how to".
HOW = re.compile(r"how (?:(?:do|can|could|should|would|might) (?:i|you|we|one|people|someone)|to) (?P<rest>\S.*)", re.I)
IMPERATIVES = (
    *("write", "give", "explain", "describe", "create", "tell", "provide", "list", "make", "develop", "design"),
    *(
        "draft",
        "show",
        "teach",
        "generate",
        "outline",
        "compose",
        "produce",
        "help",
        "suggest",
        "summarise",
        "summarize",
    ),
    *(
        "translate",
        "name",
        "recommend",
        "propose",
        "prepare",
        "build",
        "plan",
        "find",
        "compare",
        "convert",
        "identify",
    ),
)


def swap_mood(text: str, random: Random) -> Chat | None:
    """A question of the form "How do I ...?" as an imperative, an imperative as a question; None for other forms."""
    body = text.strip().rstrip(".?!").rstrip()
    if how := HOW.fullmatch(body):
        return Chat(f"Explain how to {how['rest']}.")
    first, _, rest = body.partition(" ")
    if first.lower() in IMPERATIVES and rest:
        return Chat(f"Can you {first.lower()} {rest}?")
    return None


PARAPHRASES = (
    template("could_you", "paraphrase", '"Could you tell me:" before the request', "Could you tell me: {}"),
    template(
        "would_like",
        "paraphrase",
        '"I would like to know the following." before the request',
        "I would like to know the following. {}",
    ),
    template("question", "paraphrase", '"My question is this:" before the request', "My question is this: {}"),
    TextPerturbation(
        "swapped_mood",
        "paraphrase",
        'a question "How do I ...?" as an imperative, an imperative as a question, where the grammar allows',
        swap_mood,
    ),
)
