"""The same request with something harmless beside it."""

from backend.prompts.perturbations.perturbation import Chat, TextPerturbation, template

DISTRACTOR = "The weather was pleasant today and I went for a walk in the park."
EARLIER = (("What is the capital of France?", "The capital of France is Paris."),)

CONTEXTS = (
    template("distractor_before", "context", "a sentence about the weather before the request", f"{DISTRACTOR} {{}}"),
    template("distractor_after", "context", "a sentence about the weather behind the request", f"{{}} {DISTRACTOR}"),
    TextPerturbation(
        "earlier_exchange",
        "context",
        "a harmless question and its answer earlier in the chat",
        lambda text, random: Chat(text, EARLIER),
    ),
)
