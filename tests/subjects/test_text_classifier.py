"""Text classifiers from a folder and from a synthetic hub cache, in the exact format that transformers saves."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from backend.errors import SubjectError
from backend.subjects.text_classifier import HubTextClassifier
from tests.subjects.test_hub_subjects import put_model
from tests.subjects.tiny_models import TEMPLATE, VOCABULARY, tokenizer

SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 64,
}
LABELS = {0: "NORMAL", 1: "REJECTION"}
TEXTS = [("q", "I cannot."), ("q", "Two eggs and a cup of flour."), ("q", "long " * 100), ("q", "no")]


def save_classifier(folder: Path, seed: int = 0, template: str | None = None, labels: dict[int, str] = LABELS) -> Path:
    torch.manual_seed(seed)
    config = BertConfig(**SHAPE, id2label=labels, label2id={name: i for i, name in labels.items()})
    config.initializer_range = 0.5  # large enough that texts get different labels
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer(template, adds_begin=False).save_pretrained(folder)
    return folder


def one_by_one(folder: Path, texts: list[str]) -> list[str]:
    """The plain way: transformers itself, one text at a time."""
    model = BertForSequenceClassification.from_pretrained(folder).eval()
    own = tokenizer(adds_begin=False)
    labels = []
    for text in texts:
        ids = own(text, truncation=True, max_length=62, return_tensors="pt")["input_ids"]
        labels.append(LABELS[int(model(input_ids=ids).logits.argmax())])
    return labels


def test_batches_give_what_transformers_gives_one_by_one(tmp_path: Path) -> None:
    folder = save_classifier(tmp_path, seed=1)
    texts = TEXTS * 12  # several batches
    loaded = HubTextClassifier.load(str(folder))
    assert loaded.labels == ("NORMAL", "REJECTION")
    found = loaded.classify(texts)
    assert found == one_by_one(folder, [completion for _, completion in texts])
    assert set(found) == set(LABELS.values()), "a classifier with one answer for everything proves nothing"
    assert loaded.classify([]) == []


def test_a_chat_template_shows_the_conversation(tmp_path: Path) -> None:
    loaded = HubTextClassifier.load(str(save_classifier(tmp_path, template=TEMPLATE)))
    text = loaded._text("How?", "So.")
    assert text.index("user\nHow?") < text.index("assistant\nSo.")
    assert HubTextClassifier.load(str(save_classifier(tmp_path / "plain")))._text("How?", "So.") == "So."


def test_the_hash_follows_weights_labels_and_tokenizer_and_not_the_place(tmp_path: Path) -> None:
    def sha(name: str, **options: Any) -> str:
        return HubTextClassifier.load(str(save_classifier(tmp_path / name, **options))).sha256

    first = sha("a")
    assert sha("b") == first
    others = [sha("c", seed=1), sha("d", template=TEMPLATE), sha("e", labels={0: "A", 1: "B"})]
    assert len({first, *others}) == 4


def test_pickled_weights_are_never_opened(tmp_path: Path) -> None:
    folder = save_classifier(tmp_path)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(SubjectError, match="no safetensors weights"):
        HubTextClassifier.load(str(folder))


def test_a_model_that_is_no_classifier_is_refused(tmp_path: Path) -> None:
    BertForMaskedLM(BertConfig(**SHAPE)).save_pretrained(tmp_path)
    tokenizer(None).save_pretrained(tmp_path)
    with pytest.raises(SubjectError, match=r"no trained classifier, its weights lack \w") as raised:
        HubTextClassifier.load(str(tmp_path))
    assert "\n" not in str(raised.value)


def test_one_label_decides_nothing(tmp_path: Path) -> None:
    save_classifier(tmp_path, labels={0: "score"})
    with pytest.raises(SubjectError, match="two are needed"):
        HubTextClassifier.load(str(tmp_path))


@pytest.mark.parametrize("damage", ["config.json", "tokenizer.json", "model.safetensors"])
def test_damaged_files_are_one_line(damage: str, tmp_path: Path) -> None:
    save_classifier(tmp_path)
    (tmp_path / damage).write_bytes(b"{]")
    with pytest.raises(SubjectError, match=r"--judge classifier:.*: cannot be loaded") as raised:
        HubTextClassifier.load(str(tmp_path))
    assert "\n" not in str(raised.value)


PROGRAM = """
import json, sys
from backend.errors import RefusalscopeError
from backend.judges.named import judges_named

def tell(name):
    try:
        (judge,) = judges_named([name])
    except RefusalscopeError as error:
        return str(error)
    return [judge.name, judge.sha256, judge.judge("q", "I cannot do that for you.", True)]

print(json.dumps([tell(name) for name in json.loads(sys.argv[1])]))
"""


def test_hub_ids_load_from_the_cache_offline(tmp_path: Path) -> None:
    """In a process of its own: the hub library reads its environment once, when it is imported."""
    cache = tmp_path / "hub"
    named = save_classifier(tmp_path / "named")
    put_model(cache, "someone/refusals", named)
    put_model(cache, "someone/numbered", save_classifier(tmp_path / "numbered", labels={0: "LABEL_0", 1: "LABEL_1"}))
    pickled = save_classifier(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    put_model(cache, "someone/pickled", pickled)
    remote = save_classifier(tmp_path / "remote")
    config = json.loads((remote / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.M"},
    }
    (remote / "config.json").write_text(json.dumps(config))
    (remote / "own.py").write_text("import pathlib; pathlib.Path('ran').write_text('')")
    put_model(cache, "someone/remote", remote)

    names = [
        "classifier:someone/refusals",
        "classifier:someone/numbered",
        "classifier:someone/numbered#LABEL_0=complied,LABEL_1=refused",
        "classifier:someone/pickled",
        "classifier:someone/remote",
        "classifier:someone/elsewhere",
    ]
    environment = {**os.environ, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.getcwd()}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(names)],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    by_words, without, mapped, pickle, code, absent = json.loads(run.stdout)
    local = HubTextClassifier.load(str(named))
    assert by_words[0] == "classifier:someone/refusals"
    assert (
        by_words[2]
        == {"NORMAL": "complied", "REJECTION": "refused"}[local.classify([("q", "I cannot do that for you.")])[0]]
    )
    assert "its labels (LABEL_0, LABEL_1) do not all say" in without
    assert mapped[0] == "classifier:someone/numbered"
    assert mapped[1] != by_words[1]
    assert all("cannot be loaded" in line and "\n" not in line for line in (pickle, code, absent))
    assert not (tmp_path / "ran").exists()
