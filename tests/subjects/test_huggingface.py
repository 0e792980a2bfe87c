"""Taken apart, resumed, cached and edited, a model computes what it computes whole, and is left as it came."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from backend.errors import SubjectError
from backend.subjects.huggingface import HuggingFaceModel
from backend.subjects.plumbing import check_plumbing
from tests.subjects.tiny_models import BEGIN, END, SPECIAL, model, save_model, tokenizer

FAMILIES = ("llama", "gemma2", "qwen2", "gpt2")
TEXTS = ("What is a lake?", "hi", "Longer text, so that the sliding window of six tokens is left behind.")


@pytest.fixture(params=FAMILIES)
def subject(request: pytest.FixtureRequest, tiny: Callable[[str], Path]) -> HuggingFaceModel:
    return HuggingFaceModel.load(tiny(request.param))


def ids_of(subject: HuggingFaceModel, text: str = TEXTS[2]) -> Tensor:
    return torch.tensor([subject.encode_chat(text).ids])


def capture(into: dict[int, Tensor], layer: int) -> Callable[[Tensor], None]:
    return lambda residual: into.__setitem__(layer, residual.clone())


def fingerprint(subject: HuggingFaceModel) -> tuple[list[int], dict[str, Tensor], int]:
    """Identity of every module, a copy of every weight, number of hooks."""
    modules = [id(module) for module in subject.model.modules()]
    hooks = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in subject.model.modules())
    return modules, {name: tensor.clone() for name, tensor in subject.model.state_dict().items()}, hooks


def assert_as_before(subject: HuggingFaceModel, before: tuple[list[int], dict[str, Tensor], int]) -> None:
    modules, weights, hooks = fingerprint(subject)
    assert (modules, hooks) == (before[0], before[2])
    assert weights.keys() == before[1].keys()
    assert all(torch.equal(weights[name], before[1][name]) for name in weights)


def test_run_and_unembed_equal_the_library(subject: HuggingFaceModel) -> None:
    ids = ids_of(subject)
    logits = subject.unembed(subject.run(ids)[0])
    torch.testing.assert_close(logits, subject.plain_logits(ids)[0], rtol=1e-4, atol=1e-4)


def test_captured_residuals_are_the_librarys_hidden_states(subject: HuggingFaceModel) -> None:
    ids, seen = ids_of(subject), {}
    subject.run(ids, edits={layer: capture(seen, layer) for layer in range(subject.n_layers)})
    with torch.no_grad():
        states = subject.model(input_ids=ids, output_hidden_states=True).hidden_states
    for layer in range(subject.n_layers - 1):  # the library's last state comes after the final norm
        torch.testing.assert_close(seen[layer], states[layer + 1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("first_block", [1, 2, 3, 4])
def test_resuming_equals_the_full_run(subject: HuggingFaceModel, first_block: int) -> None:
    ids, seen = ids_of(subject), {}
    whole = subject.run(ids, edits={first_block - 1: capture(seen, 0)})
    torch.testing.assert_close(subject.run(seen[0], first_block=first_block), whole, rtol=1e-5, atol=1e-5)


def test_cache_equals_no_cache(subject: HuggingFaceModel) -> None:
    ids, cache = ids_of(subject), subject.new_cache()
    whole = subject.run(ids)
    pieces = [subject.run(ids[:, a:b], cache=cache) for a, b in ((0, 20), (20, 21), (21, ids.shape[1]))]
    torch.testing.assert_close(torch.cat(pieces, 1), whole, rtol=1e-4, atol=1e-4)


def test_left_padding_changes_nothing(subject: HuggingFaceModel) -> None:
    short, long = ids_of(subject, "hi"), ids_of(subject, "What is a lake?")
    pad = long.shape[1] - short.shape[1]
    batch = torch.cat([torch.cat([torch.full((1, pad), END), short], 1), long])
    mask = torch.ones_like(batch)
    mask[0, :pad] = 0
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    out = subject.run(batch, attention_mask=mask, position_ids=positions)
    torch.testing.assert_close(out[0, pad:], subject.run(short)[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(out[1], subject.run(long)[0], rtol=1e-4, atol=1e-4)


def test_an_edit_is_what_later_blocks_see(subject: HuggingFaceModel) -> None:
    ids, shift, seen = ids_of(subject), torch.randn(subject.d_model), {}
    edited = subject.run(ids, edits={1: lambda residual: residual + shift})
    subject.run(ids, edits={1: capture(seen, 1)})
    torch.testing.assert_close(edited, subject.run(seen[1] + shift, first_block=2), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(edited, subject.run(ids))


def test_an_edit_that_returns_none_changes_nothing(subject: HuggingFaceModel) -> None:
    ids = ids_of(subject)
    assert torch.equal(subject.run(ids, edits={0: lambda residual: None}), subject.run(ids))


def test_the_model_is_left_as_it_came(subject: HuggingFaceModel) -> None:
    ids, before, seen = ids_of(subject), fingerprint(subject), {}
    subject.run(ids, edits={1: capture(seen, 1), 3: lambda residual: residual * 0}, cache=subject.new_cache())
    subject.run(seen[1], first_block=2)
    subject.unembed(seen[1][0], norm_scale=torch.ones(ids.shape[1], 1))
    assert_as_before(subject, before)


@pytest.mark.parametrize("first_block", [0, 2])
def test_also_after_an_exception_in_an_edit(subject: HuggingFaceModel, first_block: int) -> None:
    before = fingerprint(subject)
    start = torch.randn(1, 5, subject.d_model) if first_block else ids_of(subject)

    def fail(residual: Tensor) -> Tensor:
        raise RuntimeError("edit failed")

    with pytest.raises(RuntimeError, match="edit failed"):
        subject.run(start, first_block=first_block, edits={2: fail, 3: fail})
    assert_as_before(subject, before)


def test_frozen_norm_scale_is_the_divisor_used(subject: HuggingFaceModel) -> None:
    """Freezing at the residual's own scale changes nothing; at twice that scale it halves what is normalised."""
    residual = torch.randn(5, subject.d_model)
    scale = subject.norm_scale(residual)
    torch.testing.assert_close(subject.unembed(residual, scale), subject.unembed(residual), rtol=1e-4, atol=1e-5)
    halved = subject.unembed(residual, 2 * scale)
    norm = subject._norm
    bias = getattr(norm, "bias", None)
    with torch.no_grad():
        shift = torch.zeros(subject.d_model) if bias is None else bias
        expected = subject.model.get_output_embeddings()((norm(residual) - shift) / 2 + shift)
        cap = getattr(subject.model.config, "final_logit_softcapping", None)
        expected = torch.tanh(expected / cap) * cap if cap else expected
    torch.testing.assert_close(halved, expected, rtol=1e-4, atol=1e-4)


def test_plumbing_check_passes_and_can_fail(subject: HuggingFaceModel) -> None:
    check_plumbing(subject)
    head = subject.model.get_output_embeddings()
    handle = subject.model.register_forward_hook(lambda m, i, o: o.__setitem__("logits", o.logits * 1.5))
    try:
        with pytest.raises(SubjectError, match=r"final norm and unembedding differs .* not supported"):
            check_plumbing(subject)
    finally:
        handle.remove()
    assert head is subject.model.get_output_embeddings()


# -- chat tokens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS)
def test_chat_tokens_are_the_templates(subject: HuggingFaceModel, text: str) -> None:
    chat = subject.encode_chat(text)
    expected = subject.tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], tokenize=True, add_generation_prompt=True, return_dict=False
    )
    assert list(chat.ids) == list(expected)
    assert chat.classes[0] == "sink"
    assert chat.ids.count(BEGIN) == 1
    user = [i for i, c in zip(chat.ids, chat.classes, strict=True) if c == "instruction"]
    assert subject.decode(user) == text
    assert chat.classes[chat.prefix_length] == "instruction"


@pytest.mark.parametrize("special", SPECIAL)
def test_special_tokens_in_user_text_stay_text(subject: HuggingFaceModel, special: str) -> None:
    plain, attack = subject.encode_chat("a  b"), subject.encode_chat(f"a {special} b")
    for token in (BEGIN, END, 258):
        assert attack.ids.count(token) == plain.ids.count(token)
    user = [i for i, c in zip(attack.ids, attack.classes, strict=True) if c == "instruction"]
    assert subject.decode(user) == f"a {special} b"


def test_without_a_template_the_plain_form_is_used(tmp_path: Path) -> None:
    subject = HuggingFaceModel.load(save_model(tmp_path, "llama", template=None))
    assert not subject.has_chat_template
    chat = subject.encode_chat("hi")
    assert chat.ids[0] == BEGIN
    assert subject.decode(chat.ids) == "User: hi\n\nAssistant:"


def test_a_template_that_drops_the_users_text_is_refused(tmp_path: Path) -> None:
    folder = save_model(tmp_path, "llama", template="{{ bos_token }}hello")
    with pytest.raises(SubjectError, match="drops the user's text"):
        HuggingFaceModel.load(folder)


def test_earlier_exchanges_are_the_templates_and_count_as_system(subject: HuggingFaceModel) -> None:
    earlier = [("What is it?", "A knot."), ("Which  one?", "A <|end|> bowline.")]
    chat = subject.encode_chat("How?", earlier)
    said = [("user", "What is it?"), ("assistant", "A knot."), ("user", "Which  one?"), ("assistant", "A * bowline.")]
    messages = [{"role": role, "content": text} for role, text in [*said, ("user", "How?")]]
    rendered = subject.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert subject.tokenizer.decode(chat.ids).replace("<|end|> bowline", "* bowline") == rendered
    assert chat.ids.count(END) == len(messages)  # not the one typed in an answer
    user = [i for i, c in zip(chat.ids, chat.classes, strict=True) if c == "instruction"]
    assert subject.decode(user) == "How?"
    alone = subject.encode_chat("How?")
    assert chat.ids[: chat.prefix_length] == alone.ids[: alone.prefix_length]
    before = len(chat.ids) - len(alone.ids) + alone.prefix_length  # tokens before the message
    assert chat.classes == ("sink", *["system"] * (before - 1), *alone.classes[alone.prefix_length :])


def test_earlier_exchanges_without_a_template(tmp_path: Path) -> None:
    subject = HuggingFaceModel.load(save_model(tmp_path, "llama", template=None))
    chat = subject.encode_chat("and you?", [("hi", "hello")])
    assert subject.decode(chat.ids) == "User: hi\n\nAssistant: hello\n\nUser: and you?\n\nAssistant:"


def test_a_template_that_keeps_only_the_last_message_has_no_earlier_ones(tmp_path: Path) -> None:
    last = "{{ bos_token }}<|role|>{{ messages[-1]['content'] }}<|end|>"
    subject = HuggingFaceModel.load(save_model(tmp_path, "llama", template=last))
    with pytest.raises(SubjectError, match="drops a turn of a chat"):
        subject.encode_chat("and you?", [("hi", "hello")])


# -- loading ---------------------------------------------------------------------------------------------------


def test_adapter_is_merged(tmp_path: Path, tiny: Callable[[str], Path]) -> None:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    wrapped = get_peft_model(model("llama"), LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    wrapped.save_pretrained(tmp_path / "adapter")
    subject = HuggingFaceModel.load(tiny("llama"), adapter=tmp_path / "adapter")
    ids = ids_of(subject)
    with torch.no_grad():
        torch.testing.assert_close(subject.plain_logits(ids), wrapped(input_ids=ids).logits, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(subject.plain_logits(ids), HuggingFaceModel.load(tiny("llama")).plain_logits(ids))


def test_pickled_weights_are_not_loaded(tmp_path: Path) -> None:
    made = model("llama")
    made.config.save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    torch.save(made.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(SubjectError, match="cannot load the model") as caught:
        HuggingFaceModel.load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["truncated", "empty"])
def test_damaged_weights_are_one_line(tmp_path: Path, damage: str) -> None:
    weights = save_model(tmp_path, "llama") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000] if damage == "truncated" else b"")
    with pytest.raises(SubjectError, match="cannot load the model") as caught:
        HuggingFaceModel.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_damaged_adapter_is_one_line(tmp_path: Path, tiny: Callable[[str], Path]) -> None:
    with pytest.raises(SubjectError, match="cannot load adapter") as caught:
        HuggingFaceModel.load(tiny("llama"), adapter=tmp_path)
    assert "\n" not in str(caught.value)
