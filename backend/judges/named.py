"""Judges by the names that `--judge` takes. Wires what the audit knows by protocol alone; loads what a name needs.

    phrases                                the default: wording rules, no model
    classifier:ID                          a text classifier, hub id or folder, whose labels say what they mean
    classifier:ID#LABEL=refused,L2=complied
    llm:https://HOST/v1#MODEL              a model behind an OpenAI-compatible endpoint

The endpoint's key is REFUSALSCOPE_JUDGE_KEY, its budget REFUSALSCOPE_JUDGE_CALLS; REFUSALSCOPE_JUDGES names, separated
by spaces, what clients of a server may ask for besides the default.
"""

import os
from collections.abc import Mapping, Sequence

from backend.audit.refusal.judges.judge import Judge, Rater
from backend.audit.refusal.judges.phrases import PhraseJudge
from backend.audit.refusal.judges.substance import Substance
from backend.errors import BadInput
from backend.judges.allowed import DEFAULT_JUDGE

DEFAULT_CALLS = 20_000


def judges_named(
    names: Sequence[str], device: str = "cpu", environment: Mapping[str, str] = os.environ
) -> tuple[Judge, ...]:
    """One judge for each name, the first is the primary one. Raises BadInput or SubjectError, naming --judge."""
    check_names(names, environment)
    return tuple(_named(name, device, environment) for name in names or (DEFAULT_JUDGE,))


def check_names(names: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Raises BadInput for what can be told to be wrong before any model is loaded."""
    for i, name in enumerate(names):
        if name in names[:i]:
            raise BadInput(f"--judge {name}: it is named twice; name each judge once")
        if not name.startswith("classifier:") or name == "classifier:":
            _named(name, "cpu", environment)


def rater_beside(judge: Judge) -> Rater:
    """The judge itself where it rates as well, else the offline proxy."""
    return judge if isinstance(judge, Rater) else Substance()


def _named(name: str, device: str, environment: Mapping[str, str]) -> Judge:
    kind, _, rest = name.partition(":")
    if name == DEFAULT_JUDGE:
        return PhraseJudge()
    if kind == "classifier" and rest:
        return _classifier(rest, device)
    if kind == "llm" and rest:
        return _llm(rest, environment)
    raise BadInput(f"--judge {name.split('#')[0][:120]}: give phrases, classifier:ID or llm:https://HOST/v1#MODEL")


def _classifier(rest: str, device: str) -> Judge:
    from backend.audit.refusal.judges.classifier import ClassifierJudge, verdict_of_labels
    from backend.subjects.text_classifier import HubTextClassifier

    source, _, mapping = rest.partition("#")
    classifier = HubTextClassifier.load(source, device)
    return ClassifierJudge(classifier, verdict_of_labels(source, classifier.labels, mapping))


def _llm(rest: str, environment: Mapping[str, str]) -> Judge:
    from backend.audit.refusal.judges.llm import LlmJudge
    from backend.judges.endpoint import Endpoint

    url, _, model = rest.partition("#")
    if not model:
        raise BadInput("--judge llm: no model is named; give llm:https://HOST/v1#MODEL")
    calls = environment.get("REFUSALSCOPE_JUDGE_CALLS", str(DEFAULT_CALLS))
    if not calls.isdecimal():
        raise BadInput("REFUSALSCOPE_JUDGE_CALLS: give a whole number of calls")
    key = environment.get("REFUSALSCOPE_JUDGE_KEY") or None
    if key is not None and not (key.isascii() and key.isprintable()):
        raise BadInput("REFUSALSCOPE_JUDGE_KEY: it holds characters that no header may; copy it again")
    return LlmJudge(Endpoint(url, model, int(calls), key))
