"""Families: prompts so alike that one must not be fitted on and the other tested on. Knows only strings.

Two prompts are near-duplicates when the Jaccard similarity of their content words is at least NEAR_DUPLICATE.
Content words leave out grammar and the frames requests come in ("write a tutorial on how to ..."), so that what
is asked for decides, not how. Families are the connected components of that relation.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from fractions import Fraction
from hashlib import sha256

NEAR_DUPLICATE = Fraction(3, 5)  # exact: rounding must not decide

_GRAMMAR = """a about after all also am an and any are as at be been but by can could did do does for from had has have
he her his how i if in into is it its me might my of on one or our out over own shall she should so some someone such
than that the their them then there these they this those to up us was we were what when where which while who whose why
will with without would you your s t m ll ve re d"""
_FRAMES = """article best blog code compose create describe design detailed develop draft essay example explain
explanation find generate give guide help idea instruction list make message method need outline plan please post
produce program provide script share show step story strategy suggest suggestion teach tell text tip tutorial use using
want way write"""


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


_SKIPPED = frozenset(_singular(word) for word in (_GRAMMAR + " " + _FRAMES).split())

# Scripts written without spaces are compared character by character.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


def content_words(text: str) -> frozenset[str]:
    """What a prompt is about: its words in lower case, singular where that is easy, grammar and frames left out.

    A text of nothing but skipped words keeps them all, and one without words is its own word: no text is empty.
    """
    words = [_singular(word) for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold())]
    return frozenset(words) - _SKIPPED or frozenset(words) or frozenset([text])


def families(
    texts: Sequence[str], declared: Sequence[str | None] = (), linked: Iterable[tuple[int, int]] = ()
) -> tuple[str, ...]:
    """The family of every text.

    declared: families given by whoever wrote the set; these are kept apart from each other, and undeclared texts
        join the one they resemble. Empty means none.
    linked: index pairs that belong together whatever their words.
    A found family is named by a hash of its members, so that neither order nor what else is in the set matters.
    """
    if not texts:
        return ()
    named = [name for name in declared if name is not None]
    if len(named) == len(texts):  # nothing to find out: a server that starts on bundled prompts loads no numpy
        return tuple(named)
    from backend.prompts.near_duplicates import Groups, join_near_duplicates

    groups = Groups(declared or [None] * len(texts))
    first_of: dict[str, int] = {}
    for index, name in enumerate(declared):
        if name is not None:
            groups.join(first_of.setdefault(name, index), index)
    for a, b in linked:
        groups.join(a, b)
    join_near_duplicates([content_words(text) for text in texts], NEAR_DUPLICATE, groups)

    labels: list[int] = groups.label.tolist()
    members: dict[int, list[str]] = {}
    for label, text in zip(labels, texts, strict=True):
        members.setdefault(label, []).append(text)
    names = {label: groups.names[label] or _hashed_name(group) for label, group in members.items()}
    return tuple(names[label] for label in labels)


def _hashed_name(group: list[str]) -> str:
    return "auto-" + sha256("\0".join(sorted(group)).encode()).hexdigest()[:12]
