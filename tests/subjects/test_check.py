"""The findings a check must make, and those it must not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from backend.subjects.bundled.fetch import FetchedFiles
from backend.subjects.chat_template_check import check_chat_template
from backend.subjects.check import check_subject, check_training_model
from backend.subjects.huggingface import HuggingFaceModel
from backend.subjects.language_model import ChatTokens, Exchange
from backend.subjects.subject import load_subject
from tests.subjects.tiny_models import BEGIN, TEMPLATE, model, save_model, tokenizer

TEXTS = ["How do I tie a bowline knot?", "Write two lines about rain.", "What is 12 times 12?"]


def words(findings: list) -> str:
    return " | ".join(f"{finding.level}: {finding.text}" for finding in findings)


# -- chat template ---------------------------------------------------------------------------------------------


def test_sound_template_has_no_findings(tiny: Callable[[str], Path]) -> None:
    assert check_chat_template(HuggingFaceModel.load(tiny("llama"))) == []


def test_missing_template(tmp_path: Path) -> None:
    found = check_chat_template(HuggingFaceModel.load(save_model(tmp_path, "llama", template=None)))
    assert words(found) == "warning: chat template: none; prompts are written 'User: ... Assistant:'"


def test_begin_of_text_twice(tmp_path: Path) -> None:
    twice = TEMPLATE.replace("{{ bos_token }}", "{{ bos_token }}{{ bos_token }}")
    found = check_chat_template(HuggingFaceModel.load(save_model(tmp_path, "llama", template=twice)))
    assert "problem: chat template: <|begin|> stands twice at the start" in words(found)


def test_begin_of_text_never(tmp_path: Path) -> None:
    never = TEMPLATE.replace("{{ bos_token }}", "")
    found = check_chat_template(HuggingFaceModel.load(save_model(tmp_path, "llama", template=never)))
    assert "problem: chat template: does not start with <|begin|>, as the tokenizer does" in words(found)


def test_tokenizer_that_adds_none_needs_none() -> None:
    made = tokenizer(TEMPLATE.replace("{{ bos_token }}", "x"), adds_begin=False)
    assert check_chat_template(HuggingFaceModel(model("llama"), made, "tiny")) == []


def test_template_that_changes_the_users_text(tmp_path: Path) -> None:
    trimmed = TEMPLATE.replace("message['content']", "message['content'] | upper | lower")
    found = check_chat_template(HuggingFaceModel.load(save_model(tmp_path, "llama", template=trimmed)))
    assert "is tokenised otherwise than by the tokenizer's template" in words(found)


class Careless(HuggingFaceModel):
    """Tokenises the whole rendered text: control tokens typed by a user take effect."""

    def encode_chat(self, text: str, earlier: Sequence[Exchange] = ()) -> ChatTokens:
        sound = super().encode_chat("", earlier)
        user = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        at = sound.prefix_length
        ids = (*sound.ids[:at], *user, *sound.ids[at:])
        return ChatTokens(ids, (*sound.classes[:at], *["instruction"] * len(user), *sound.classes[at:]), at)


def test_control_tokens_typed_by_a_user() -> None:
    found = check_chat_template(Careless(model("llama"), tokenizer(), "careless"))
    assert "problem: chat template: <|begin|> typed by a user becomes a control token" in words(found)


class Drifting(HuggingFaceModel):
    """Its prefix depends on the user's text."""

    def encode_chat(self, text: str, earlier: Sequence[Exchange] = ()) -> ChatTokens:
        sound = super().encode_chat(text, earlier)
        return replace(sound, ids=(BEGIN, len(text) % 97, *sound.ids[2:]))


def test_unstable_prefix() -> None:
    found = check_chat_template(Drifting(model("llama"), tokenizer(), "drifting"))
    assert "problem: chat template: the tokens before the user's text depend on that text" in words(found)


# -- training model --------------------------------------------------------------------------------------------


def trained_on(name: str | None, **metadata: object) -> dict:
    return {3: SimpleNamespace(metadata={"model_name": name, **metadata})}


@pytest.mark.parametrize(
    ("subject", "trained", "finding"),
    [
        ("google/gemma-2-2b", "gemma-2-2b", None),
        ("google/gemma-2-2b-it", "gemma-2-2b", "trained on gemma-2-2b, the base model, the subject gemma-2-2b-it is "),
        ("google/gemma-3-1b-pt", "google/gemma-3-1b-pt", None),
        (
            "google/gemma-3-1b-it",
            "google/gemma-3-1b-pt",
            "the base model, the subject gemma-3-1b-it is instruction-tuned",
        ),
        (
            "meta-llama/Llama-3.1-8B-Instruct",
            "meta-llama/Llama-3.1-8B",
            "the base model, the subject llama-3.1-8b-inst",
        ),
        (
            "meta-llama/Llama-3.1-8B",
            "meta-llama/Llama-3.1-8B-Instruct",
            "its tuned form, the subject llama-3.1-8b is a b",
        ),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B-Base", None),
        (
            "mistralai/Mistral-7B-v0.1",
            "meta-llama/Llama-3.1-8B",
            "the subject is mistral-7b-v0.1: another model, by name",
        ),
        ("anything", None, "SAEs that do not say which model they were trained on"),
    ],
)
def test_training_model(subject: str, trained: str | None, finding: str | None) -> None:
    found = check_training_model(subject, trained_on(trained))
    assert [f.level for f in found] == ([] if finding is None else ["warning"])
    if finding is not None:
        assert finding in found[0].text
        assert found[0].text.startswith("layers 3: ")


def test_processed_weights_are_told() -> None:
    found = check_training_model("x", trained_on("x", model_from_pretrained_kwargs={"center_writing_weights": True}))
    assert words(found) == "warning: layer 3: its SAE was trained on processed weights (center_writing_weights)"


# -- the whole, on the real subject ----------------------------------------------------------------------------


@pytest.mark.usefixtures("sae_lens_imported")
def test_bundled_subject_is_fit_and_a_disturbed_one_is_not(bundled_files: FetchedFiles) -> None:
    subject = load_subject("smollm2-135m-sft", layers=[12, 21], device="cpu")
    check = check_subject(subject, TEXTS, response_tokens=12)
    assert check.ok
    assert check.findings == ()
    assert check.n_texts == len(TEXTS)
    for layer in check.layers:
        assert layer.overall.fvu is not None
        assert layer.overall.fvu < 0.25
        assert 10 < layer.overall.l0 < 80
        assert layer.by_class["sink"].mean_norm > 20 * layer.overall.mean_norm  # the attention sink

    sae = subject.saes[12]
    sae._sae.threshold.data += 1e6  # type: ignore[attr-defined]  # nothing fires any more
    sae.expected_norm = 5 * check.layers[0].overall.mean_norm  # type: ignore[attr-defined]
    disturbed = check_subject(replace(subject, model_name="google/gemma-2-2b-it"), TEXTS, response_tokens=2)
    assert not disturbed.ok
    told = words(list(disturbed.findings))
    assert "problem: layer 12: its SAE leaves" in told
    assert "problem: layer 12: mean residual norm" in told
    assert "layer 21: its SAE" not in told
    assert "warning: layers 12, 21: SAEs trained on smollm2-135m-instruct, the subject is gemma-2-2b-it" in told


@pytest.mark.usefixtures("sae_lens_imported")
def test_random_dictionary_is_a_problem(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    from tests.subjects.sae_samples import save_sae

    save_sae(tmp_path / "sae", d_in=32, d_sae=64, layer=1)
    torch.manual_seed(0)
    check = check_subject(load_subject(str(tiny("llama")), str(tmp_path), device="cpu"), TEXTS, response_tokens=2)
    assert not check.ok
    assert "of the variance unexplained" in words(list(check.findings))
