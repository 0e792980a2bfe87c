"""Prefix states: which interventions share one, and that a state is what a plain run would find."""

from dataclasses import replace

import pytest
import torch

from backend.audit.interventions import (
    NO_INTERVENTION,
    SCOPE_WITH_SINK,
    DirectionEdit,
    Intervention,
    Scope,
    ablate,
)
from backend.engine.baselines import Baselines, State
from backend.engine.caches import attention_window, resumed_cache
from backend.engine.hooks import BatchEdits
from backend.engine.protocol import Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.sparse_autoencoder import FeatureId
from tests.engine.subjects import D_MODEL, N_LAYERS, SAE_LAYERS, Subjects, TinySubject

PREFIX = 7  # tokens: the sink and six of the system class


@pytest.fixture
def llama(tiny: Subjects) -> TinySubject:
    return tiny("llama")


@pytest.fixture
def baselines(llama: TinySubject) -> Baselines:
    return Baselines(llama.model, llama.saes, 2**30, 1024, 70)


def prefix(baselines: Baselines, subject: TinySubject, intervention: Intervention, text: str = "hello") -> State:
    state = baselines.prefix(subject.model.encode_chat(text), intervention)
    assert state is not None
    return state


def active(subject: TinySubject, ablated: tuple[FeatureId, ...] = ()) -> set[FeatureId]:
    """Features active on the prefix, sink left out, by the slow engine."""
    pair = Pair(subject.model.encode_chat("hello"), ablate(ablated))
    table = ReferenceEngine(subject.model, subject.saes).token_activations(pair, subject.features)
    fires = (table[1:PREFIX] > 0).any(0).tolist()
    return {f for f, yes in zip(subject.features, fires, strict=True) if yes}


def test_a_state_is_what_a_plain_run_finds(llama: TinySubject, baselines: Baselines) -> None:
    prompt = llama.model.encode_chat("hello")
    model = llama.model.model.model
    with torch.inference_mode():
        hidden = model(input_ids=torch.tensor([prompt.ids]), output_hidden_states=True).hidden_states
    before, own = prefix(baselines, llama, NO_INTERVENTION), baselines.prompt(prompt)
    for layer in SAE_LAYERS:
        if layer + 1 < N_LAYERS:  # the library norms the last one
            expected = hidden[layer + 1][0]
            torch.testing.assert_close(before.residuals[layer], expected[:PREFIX], rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(own.residuals[layer], expected[PREFIX:], rtol=1e-5, atol=1e-5)
    normed = model.norm(torch.cat([before.final, own.final]))
    torch.testing.assert_close(normed, hidden[-1][0], rtol=1e-5, atol=1e-5)
    assert own.cache is None  # only prefixes are resumed by other tokens


def test_one_prefix_for_every_prompt_and_every_silent_set(llama: TinySubject, baselines: Baselines) -> None:
    bare = prefix(baselines, llama, NO_INTERVENTION)
    silent = tuple(set(llama.features) - active(llama))
    along = DirectionEdit(torch.ones(D_MODEL), (2,), "add")
    after = Scope(frozenset({"instruction", "post_instruction", "response"}))
    assert prefix(baselines, llama, NO_INTERVENTION, "another text") is bare
    assert prefix(baselines, llama, ablate(silent)) is bare
    assert prefix(baselines, llama, Intervention(silent[:5], "scale", -2.0)) is bare
    assert prefix(baselines, llama, Intervention(silent[:5], "mean", values=(0.0,) * 5)) is bare
    assert prefix(baselines, llama, Intervention(silent[:5], "noise", noise_seed=3)) is bare
    assert prefix(baselines, llama, Intervention(reconstructed=(2,), scope=after)) is bare
    assert prefix(baselines, llama, ablate(tuple(llama.features), after)) is bare
    assert prefix(baselines, llama, Intervention(direction=along, scope=after)) is bare


def test_sets_share_a_prefix_by_what_they_change_there(llama: TinySubject, baselines: Baselines) -> None:
    last = SAE_LAYERS[-1]  # after it nothing can wake
    awake = [f for f in sorted(active(llama)) if f.layer == last][:2]
    silent = [f for f in llama.features if f not in active(llama)]
    one = prefix(baselines, llama, ablate((awake[0],)))
    assert one.edited == {awake[0]}
    assert prefix(baselines, llama, ablate((awake[0], *silent[:6]))) is one
    assert prefix(baselines, llama, ablate((awake[0], *silent[6:]))) is one
    assert prefix(baselines, llama, Intervention((awake[0],), "scale", 0.0)) is one
    assert prefix(baselines, llama, ablate(tuple(awake))) is not one
    assert prefix(baselines, llama, Intervention((awake[0],), "scale", -1.0)) is not one
    assert prefix(baselines, llama, ablate((awake[0],), SCOPE_WITH_SINK)) is not one
    assert prefix(baselines, llama, Intervention((awake[0],), reconstructed=(1,))) is not one
    noise = prefix(baselines, llama, Intervention((awake[0],), "noise", noise_seed=1))
    assert noise is not one
    assert noise.edited == {awake[0]}
    assert prefix(baselines, llama, Intervention((awake[0], *silent[:6]), "noise", noise_seed=1)) is noise
    assert prefix(baselines, llama, Intervention((awake[0],), "noise", noise_seed=2)) is not noise


def test_a_feature_woken_by_another_edit_is_edited_too(llama: TinySubject, baselines: Baselines) -> None:
    at_baseline = active(llama)
    early = tuple(f for f in sorted(at_baseline) if f.layer == SAE_LAYERS[0])
    woken = next(f for f in sorted(active(llama, early) - at_baseline))
    state = prefix(baselines, llama, ablate((*early, woken)))
    assert state.edited == {*early, woken}
    assert prefix(baselines, llama, ablate((woken,))).edited == frozenset()


def test_more_edits_start_from_fewer_at_the_layer_where_they_part(llama: TinySubject) -> None:
    """Each state is what the whole prefix run from its first token gives, lower layers and cache included."""
    features = [f for f in sorted(active(llama)) if f.layer in SAE_LAYERS[:2]]
    along = DirectionEdit(torch.ones(D_MODEL), (0, 3), "ablate")
    edits = [ablate(tuple(features[:n])) for n in (1, len(features))]
    edits += [Intervention(direction=along), Intervention((features[-1],), "mean", values=(2.0,))]
    for intervention in edits:
        states = Baselines(llama.model, llama.saes, 2**30, 1024, 70)
        state = prefix(states, llama, intervention)
        prompt = llama.model.encode_chat("hello")
        edit = BatchEdits(llama.saes, [intervention], llama.model.device, capture=list(llama.saes))
        edit.scope_mask = torch.tensor([[float(c in intervention.scope.classes) for c in prompt.classes[:PREFIX]]])
        cache = llama.model.new_cache()
        final = llama.model.run(torch.tensor([prompt.ids[:PREFIX]]), edits=edit.callables(), cache=cache)
        torch.testing.assert_close(state.final, final[0], rtol=1e-5, atol=1e-5)
        assert state.edited == edit.edited()[0]
        for layer in SAE_LAYERS:
            torch.testing.assert_close(state.residuals[layer], edit.captured[layer][0], rtol=1e-5, atol=1e-5)
        for own, whole in zip(state.cache.layers, cache.layers, strict=True):
            torch.testing.assert_close(own.keys, whole.keys, rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(own.values, whole.values, rtol=1e-5, atol=1e-5)


def test_target_values_edit_silent_features(llama: TinySubject, baselines: Baselines) -> None:
    silent = next(f for f in llama.features if f not in active(llama))
    state = prefix(baselines, llama, Intervention((silent,), "mean", values=(1.0,)))
    assert state.edited == {silent}


def test_no_prefix_no_state(llama: TinySubject, baselines: Baselines) -> None:
    prompt = replace(llama.model.encode_chat("hello"), prefix_length=0)
    assert baselines.prefix(prompt, NO_INTERVENTION) is None
    assert len(baselines.prompt(prompt).final) == len(prompt.ids)


def same_bits(one: State, other: State) -> bool:
    layers = all(torch.equal(one.residuals[layer], other.residuals[layer]) for layer in SAE_LAYERS)
    return layers and torch.equal(one.final, other.final) and one.active == other.active


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_what_is_expected_together_is_what_each_is_alone(tiny: Subjects, kind: str) -> None:
    subject = tiny(kind)
    alone = Baselines(subject.model, subject.saes, 2**30, 1024, 70)
    together = Baselines(subject.model, subject.saes, 2**30, 1024, 70)
    prompts = [subject.model.encode_chat(text) for text in ("hello", "a longer text", "", "word", "hello")]
    prompts.append(replace(prompts[1], prefix_length=0))
    together.expect(prompts)
    for prompt in prompts:
        a, b = alone.prompt(prompt), together.prompt(prompt)
        assert a.active == b.active
        torch.testing.assert_close(a.final, b.final, rtol=1e-5, atol=1e-5)
        for layer in SAE_LAYERS:
            torch.testing.assert_close(a.residuals[layer], b.residuals[layer], rtol=1e-5, atol=1e-5)


def test_expected_prompts_are_the_same_to_the_last_bit_in_whatever_order_and_however_little_is_kept(
    llama: TinySubject,
) -> None:
    prompts = [llama.model.encode_chat("word " * n) for n in range(1, 30)]
    runs = []
    for budget, order in ((2**30, prompts), (2**30, prompts[::-1]), (1, prompts), (1, prompts[::-1])):
        states = Baselines(llama.model, llama.saes, budget, 1024, 70)
        states.prompt(prompts[3])  # asked for before it was expected
        states.expect(prompts)
        states.expect([prompts[8], prompts[3], *prompts[::2]])  # changes nothing: they have their groups
        runs.append({prompt: states.prompt(prompt) for prompt in order})
    assert all(same_bits(runs[0][prompt], run[prompt]) for run in runs[1:] for prompt in prompts)


def test_expected_prompts_are_run_a_few_at_a_time(llama: TinySubject) -> None:
    passes: list[int] = []
    states = Baselines(llama.model, llama.saes, 2**30, 1024, 70, between_batches=lambda: passes.append(1))
    prompts = [llama.model.encode_chat(f"text {n}") for n in range(40)]
    states.expect(prompts)
    assert passes == []  # nothing before it is asked for
    for prompt in prompts:
        states.prompt(prompt)
    assert 1 < len(passes) - 1 <= len(prompts) / 4  # the first was the prefix


@pytest.mark.parametrize(("kind", "window"), [("llama", None), ("gemma2", 6)])
def test_caches_are_resumed_row_by_row(tiny: Subjects, kind: str, window: int | None) -> None:
    subject = tiny(kind)
    assert attention_window(subject.model) == window
    states = Baselines(subject.model, subject.saes, 2**30, 1024, 70)
    always = [f for f in subject.features if f.index in (0, 1)]
    caches = [prefix(states, subject, ablate((f,))).cache for f in always[:2]]
    for first_block in (0, 3):
        resumed = resumed_cache(subject.model, [caches[0], caches[1], caches[0]], first_block)
        assert [layer.get_seq_length() for layer in resumed.layers] == [PREFIX] * N_LAYERS
        for index in range(first_block, N_LAYERS):
            for row, cache in enumerate([caches[0], caches[1], caches[0]]):
                assert torch.equal(resumed.layers[index].keys[row], cache.layers[index].keys[0])
                assert torch.equal(resumed.layers[index].values[row], cache.layers[index].values[0])
    before = [layer.keys.clone() for layer in caches[0].layers]
    ids = torch.tensor([[65, 66]] * 3)
    subject.model.run(ids, cache=resumed_cache(subject.model, [caches[0]] * 3, 0))
    assert all(torch.equal(layer.keys, keys) for layer, keys in zip(caches[0].layers, before, strict=True))
