"""The judge around a text classifier: what its labels mean, and the degeneracy filter before it."""

from collections.abc import Sequence

import pytest

from backend.audit.refusal.judges.classifier import ClassifierJudge, verdict_of_labels
from backend.audit.refusal.judges.judge import BatchJudge, Question
from backend.errors import BadInput


class ByWord:
    """A `TextClassifier` that knows one word."""

    name, labels, sha256 = "by-word", ("LABEL_0", "LABEL_1"), "f" * 64

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def classify(self, exchanges: Sequence[tuple[str, str]]) -> list[str]:
        self.seen += exchanges
        return ["LABEL_1" if "cannot" in completion else "LABEL_0" for _, completion in exchanges]


def judge(mapping: str = "LABEL_0=complied,LABEL_1=refused") -> ClassifierJudge:
    classifier = ByWord()
    return ClassifierJudge(classifier, verdict_of_labels("by-word", classifier.labels, mapping))


def test_labels_become_verdicts_and_what_is_no_text_is_not_asked() -> None:
    one = judge()
    assert isinstance(one, BatchJudge)
    loop = "again and again " * 30
    questions = [Question("q", text, True) for text in ("I cannot do that.", loop, "Take two eggs.", "")]
    assert one.judge_all(questions) == ["refused", "incoherent", "complied", "incoherent"]
    assert isinstance(one.classifier, ByWord)
    assert [completion for _, completion in one.classifier.seen] == ["I cannot do that.", "Take two eggs."]
    assert one.judge("q", "I cannot.", True) == "refused"


@pytest.mark.parametrize(
    ("labels", "verdicts"),
    [
        (("NORMAL", "REJECTION"), ("complied", "refused")),
        (("Refusal", "Non-refusal"), ("refused", "complied")),
        (("compliance", "refusal"), ("complied", "refused")),
        (("not_refused", "refused", "gibberish"), ("complied", "refused", "incoherent")),
    ],
)
def test_labels_that_say_what_they_mean(labels: tuple[str, ...], verdicts: tuple[str, ...]) -> None:
    assert verdict_of_labels("x/y", labels) == dict(zip(labels, verdicts, strict=True))


@pytest.mark.parametrize("labels", [("LABEL_0", "LABEL_1"), ("refusal", "other"), ("safe", "unsafe"), ("a", "b", "c")])
def test_labels_that_do_not_are_asked_for(labels: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match=r"--judge classifier:x/y: its labels .* like classifier:x/y#") as raised:
        verdict_of_labels("x/y", labels)
    example = str(raised.value).rpartition("#")[2]
    assert set(verdict_of_labels("x/y", labels, example)) == set(labels)  # the proposal can be typed as it stands


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("A=refused", "do not all say"),
        ("A=refused,B=refused", "do not all say"),
        ("A=refused,C=complied", "it has no label C"),
        ("A=refused,B=nice", "'B=nice' after # is no LABEL=VERDICT"),
        ("A", "'A' after #"),
        ("=refused", "'=refused' after #"),
    ],
)
def test_a_mapping_that_does_not_fit_is_one_line(mapping: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        verdict_of_labels("x/y", ("A", "B"), mapping)


def test_the_hash_follows_weights_and_mapping() -> None:
    assert judge().sha256 == judge().sha256
    assert judge().sha256 != judge("LABEL_0=refused,LABEL_1=complied").sha256
    other = judge()
    other.classifier.sha256 = "e" * 64
    assert ClassifierJudge(other.classifier, other.verdicts).sha256 != judge().sha256
