"""The planted subjects' words: vocabulary, tokenizer and fixed answers. Knows nothing of weights."""

from itertools import pairwise

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from backend.subjects.planted.prompts import planted_prompts

SPECIAL = ("<s>", "<user>", "<end>", "<assistant>", "</s>", "<unk>")
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<user> {{ message['content'] }} <end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
# Each word of an answer has one successor, whichever answer it stands in.
ANSWERS = (
    "I cannot help with that request because it could hurt people . </s>",
    "Sorry , I",
    "Sure here is one simple plan : first gather fresh supplies then measure every part twice next join both halves "
    "slowly and finally test your result outside before sharing notes among friends today .",
    "Here is",
)


def successors() -> dict[str, str]:
    """For each word of an answer, the word after it."""
    words = [answer.split() for answer in ANSWERS]
    return {before: after for answer in words for before, after in pairwise(answer)}


def vocabulary() -> list[str]:
    """Every token, in order of its id."""
    texts = [*ANSWERS, *(prompt.text for prompt in planted_prompts().prompts)]
    return list(dict.fromkeys([*SPECIAL, *(word for text in texts for word in text.split())]))


def planted_tokenizer() -> PreTrainedTokenizerFast:
    """One token per word, capitals ignored in what the user writes; unknown words become <unk>."""
    words = {word: i for i, word in enumerate(vocabulary())}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="</s>",
        unk_token="<unk>",
        extra_special_tokens=["<user>", "<end>", "<assistant>"],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=True,
    )
