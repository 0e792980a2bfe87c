"""The bundled subjects' tokenizer alone, without their weights: what reads masked completions shipped with the code."""

from collections.abc import Callable, Sequence

from transformers import AutoTokenizer

from backend.subjects.bundled.fetch import fetched
from backend.subjects.quiet import quiet_libraries


def bundled_decode() -> Callable[[Sequence[int]], str]:
    """Token ids -> text, special tokens dropped, as the subjects' models do it. Raises SubjectError, one line, when the
    bundled subjects have not been fetched."""
    base = fetched().base
    with quiet_libraries():
        tokenizer = AutoTokenizer.from_pretrained(str(base), trust_remote_code=False)
    return lambda ids: str(tokenizer.decode(list(ids), skip_special_tokens=True))
