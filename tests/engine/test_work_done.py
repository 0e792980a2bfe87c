"""What is shared is computed once, and what an edit cannot change is not computed again. Counted, never timed."""

from dataclasses import replace

import pytest
import torch

from backend.audit.interventions import (
    DEFAULT_SCOPE,
    NO_INTERVENTION,
    SCOPE_WITH_SINK,
    DirectionEdit,
    Intervention,
    ablate,
)
from backend.engine.engine import EngineSettings, ResidualEngine
from backend.engine.protocol import Pair
from backend.engine.reference import ReferenceEngine
from backend.subjects.language_model import ChatTokens
from backend.subjects.sparse_autoencoder import FeatureId
from tests.engine.counting import CountingModel, CountingSae, Run, blocks_counted
from tests.engine.subjects import D_MODEL, Subjects, TinySubject

PREFIX = 7  # tokens


@pytest.fixture
def llama(tiny: Subjects) -> TinySubject:
    return tiny("llama")


def prompts(subject: TinySubject) -> list[ChatTokens]:
    return [subject.model.encode_chat(text) for text in ("hello", "how do i", "tell me")]


def active_at(subject: TinySubject, prompt: ChatTokens, tokens: slice) -> set[FeatureId]:
    """Features active on some of the prompt's tokens, by the slow engine."""
    table = ReferenceEngine(subject.model, subject.saes).token_activations(Pair(prompt), subject.features)
    return {f for f, fires in zip(subject.features, (table[tokens] > 0).any(0).tolist(), strict=True) if fires}


def test_greedy_filtering_shares_prefixes_and_prompts(llama: TinySubject) -> None:
    asked = prompts(llama)
    on_prefix = active_at(llama, asked[0], slice(1, PREFIX))
    last = llama.features[-1].layer  # nothing after it, so that ablating it wakes nothing on the prefix
    awake = next(f for f in llama.features if f.layer == last and f in on_prefix)
    silent = [f for f in llama.features if f not in on_prefix][::10][:8]
    everything = frozenset({awake, *silent})
    sets = [everything, *(everything - {f} for f in everything)]
    counting = CountingModel(llama.model)
    engine = ResidualEngine(counting, llama.saes)
    for prompt in asked:  # one removal at a time, as a search asks
        for features in sets:
            engine.score([Pair(prompt, ablate(features))], llama.onset_ids)
    # 10 sets on 3 prompts: the prefix is run bare, and from its layer on with the one feature that is awake on it.
    assert [run for run in counting.runs if run.tokens == PREFIX] == [Run(0, 1, PREFIX), Run(last + 1, 1, PREFIX)]
    for prompt in asked:
        assert counting.runs.count(Run(0, 1, len(prompt.ids) - PREFIX)) == 1
    before = len(counting.runs)
    engine.score([Pair(p, ablate(s)) for p in asked for s in sets], llama.onset_ids)
    assert all(run.first_block > 0 for run in counting.runs[before:])


def test_a_large_set_runs_its_own_prefix_and_starts_from_the_last_one_where_they_part(llama: TinySubject) -> None:
    prompt = prompts(llama)[0]
    everything = frozenset(active_at(llama, prompt, slice(1, None)))
    highest = max(everything)
    trial = everything - {highest}
    assert highest in active_at(llama, prompt, slice(1, PREFIX))
    found = {}
    for reuse in ("layers", "nothing"):
        counting = CountingModel(llama.model)
        engine = ResidualEngine(counting, llama.saes)
        engine.score([Pair(prompt, ablate(everything), reuse)], llama.onset_ids)
        before = len(counting.runs)
        (score,) = engine.score([Pair(prompt, ablate(trial), reuse)], llama.onset_ids)
        found[reuse] = score
        (run,) = counting.runs[before:]
        assert run.tokens == len(prompt.ids)
        lowest = min(trial).layer if reuse == "nothing" else highest.layer
        assert run.first_block == lowest + 1
    assert found["layers"].value == pytest.approx(found["nothing"].value, abs=1e-5)
    assert found["layers"].edited == found["nothing"].edited


def test_edited_prefixes_asked_for_together_are_run_together(llama: TinySubject) -> None:
    prompt = prompts(llama)[0]
    awake = sorted(active_at(llama, prompt, slice(1, PREFIX)))[:9]
    pairs = [Pair(prompt, NO_INTERVENTION), *(Pair(prompt, ablate([feature])) for feature in awake)]
    for ask in (
        lambda engine: engine.generate(pairs, 4),
        lambda engine: engine.observe(pairs, llama.onset_ids, DEFAULT_SCOPE),
    ):
        counting = CountingModel(llama.model)
        engine = ResidualEngine(counting, llama.saes)
        ask(engine)
        of_prefixes = [run for run in counting.runs if run.tokens == PREFIX]
        lowest = min(feature.layer for feature in awake)
        assert of_prefixes == [Run(0, 1, PREFIX), Run(lowest + 1, len(awake), PREFIX)]
        ask(engine)
        assert [run for run in counting.runs if run.tokens == PREFIX] == of_prefixes  # kept
    found = ResidualEngine(llama.model, llama.saes).generate(pairs, 4)
    assert found == ReferenceEngine(llama.model, llama.saes).generate(pairs, 4)


def test_long_batches_are_read_in_pieces_and_go_on_as_one(llama: TinySubject) -> None:
    texts = ["hello", "tell me", "how do i do what you tell me", "how do i do what you said", "hello", "tell me"]
    pairs = [Pair(llama.model.encode_chat(text)) for text in texts]
    longest = max(pair.prompt.n_own for pair in pairs)
    counting = CountingModel(llama.model)
    found = ResidualEngine(counting, llama.saes, EngineSettings(max_tokens=2 * longest)).generate(pairs, 4)
    first = [run for run in counting.runs if run.tokens > 1 and run.tokens != PREFIX]
    assert len(first) > 1
    assert sum(run.rows for run in first) == len(pairs)
    assert all(run.rows * run.tokens <= 2 * longest for run in first)
    then = [run.rows for run in counting.runs if run.tokens == 1]
    assert then[0] == len(pairs)
    assert found == ReferenceEngine(llama.model, llama.saes).generate(pairs, 4)


def test_a_set_that_is_silent_costs_nothing(llama: TinySubject) -> None:
    prompt = prompts(llama)[0]
    silent = set(llama.features) - active_at(llama, prompt, slice(1, None))
    counting = CountingModel(llama.model)
    engine = ResidualEngine(counting, llama.saes)
    plain = engine.score([Pair(prompt)], llama.onset_ids)
    before = len(counting.runs)
    assert engine.score([Pair(prompt, ablate(frozenset(silent)))], llama.onset_ids) == plain
    assert len(counting.runs) == before


def test_the_sink_is_outside_the_default_scope(llama: TinySubject) -> None:
    prompt = prompts(llama)[0]
    on_sink = active_at(llama, prompt, slice(0, 1)) - active_at(llama, prompt, slice(1, None))
    assert on_sink
    counting = CountingModel(llama.model)
    engine = ResidualEngine(counting, llama.saes)
    plain = engine.score([Pair(prompt)], llama.onset_ids)[0]
    before = len(counting.runs)
    assert engine.score([Pair(prompt, ablate(frozenset(on_sink)))], llama.onset_ids)[0] == plain
    assert len(counting.runs) == before
    included = engine.score([Pair(prompt, ablate(frozenset(on_sink), SCOPE_WITH_SINK))], llama.onset_ids)[0]
    assert included.edited
    assert included.value != plain.value


def test_blocks_up_to_the_first_edited_layer_are_not_run(llama: TinySubject) -> None:
    prompt = prompts(llama)[1]
    engine = ResidualEngine(llama.model, llama.saes)
    only_here = active_at(llama, prompt, slice(PREFIX, None)) - active_at(llama, prompt, slice(0, PREFIX))
    silent = set(llama.features) - active_at(llama, prompt, slice(0, None))
    engine.score([Pair(prompt)], llama.onset_ids)
    for layer in llama.saes:
        feature = next(f for f in only_here if f.layer == layer)
        silent_below = frozenset(f for f in silent if f.layer < layer)
        with blocks_counted(llama.model) as calls:
            engine.score([Pair(prompt, ablate({feature} | silent_below))], llama.onset_ids)
        assert calls == dict.fromkeys(range(layer + 1, llama.model.n_layers), 1)


def test_one_batch_per_starting_layer(llama: TinySubject) -> None:
    prompt = prompts(llama)[1]
    only_here = active_at(llama, prompt, slice(PREFIX, None)) - active_at(llama, prompt, slice(0, PREFIX))
    pairs = [Pair(prompt, ablate((f,))) for f in sorted(only_here)]
    counting = CountingModel(llama.model)
    engine = ResidualEngine(counting, llama.saes, EngineSettings(max_tokens=10_000))
    engine.score([Pair(prompt)], llama.onset_ids)
    before = len(counting.runs)
    engine.score(pairs, llama.onset_ids)
    by_layer = [sum(f.layer == layer for f in only_here) for layer in llama.saes]
    own = len(prompt.ids) - PREFIX
    assert counting.runs[before:] == [Run(layer + 1, n, own) for layer, n in zip(llama.saes, by_layer, strict=True)]


def test_only_the_features_asked_for_are_encoded(llama: TinySubject) -> None:
    prompt = prompts(llama)[0]
    saes = {layer: CountingSae(sae) for layer, sae in llama.saes.items()}
    engine = ResidualEngine(llama.model, dict(saes))
    engine.score([Pair(prompt)], llama.onset_ids)
    along = DirectionEdit(torch.ones(D_MODEL), tuple(saes), "ablate")
    engine.score([Pair(prompt, Intervention(direction=along))], llama.onset_ids)
    assert all(sae.full == [] for sae in saes.values())  # no feature was asked for
    own = len(prompt.ids) - PREFIX
    for _ in range(2):  # what is active is listed in full, once: on the prompt, and on the prefix under each set
        engine.score([Pair(prompt, ablate({f})) for f in llama.features[:2]], llama.onset_ids)
        assert all(sorted(sae.full, reverse=True) == [own, PREFIX, PREFIX, PREFIX] for sae in saes.values())
    wanted = [f for f in llama.features if f.index in (0, 1, 2)]  # always active
    pairs = [Pair(prompt, Intervention((f,), "mean", values=(1.0,))) for f in wanted]
    for sae in saes.values():
        sae.full.clear(), sae.columns.clear()
    engine.final_residuals(pairs[:1])
    first = llama.features[0].layer
    assert [sae.columns for layer, sae in saes.items() if layer != first] == [[], []]
    assert {columns for _, columns in saes[first].columns} == {1}
    for sae in saes.values():
        sae.full.clear(), sae.columns.clear()
    engine.forget()
    engine.final_residuals([pair for pair in pairs if pair.intervention.features[0].layer == first])
    # Prefixes one by one, then the three prompts in one batch with the union of their features.
    assert (3 * own, 3) in saes[first].columns


def test_families_that_cannot_be_split_are_encoded_in_full(tiny: Subjects) -> None:
    subject = tiny("topk")
    prompt = prompts(subject)[0]
    saes = {layer: CountingSae(sae) for layer, sae in subject.saes.items()}
    engine = ResidualEngine(subject.model, dict(saes))
    active = active_at(subject, prompt, slice(PREFIX, None))
    engine.score([Pair(prompt, ablate(frozenset(active)))], subject.onset_ids)
    assert all(sae.columns == [] for sae in saes.values())
    assert all(sae.full for sae in saes.values())


def test_states_are_dropped_when_the_budget_is_passed(llama: TinySubject) -> None:
    asked = prompts(llama)
    pairs = [Pair(prompt, NO_INTERVENTION) for prompt in asked]
    for budget, computed in ((0, 2), (2**30, 1)):
        counting = CountingModel(llama.model)
        engine = ResidualEngine(counting, llama.saes, EngineSettings(cache_bytes=budget))
        twice = [engine.score(pairs, llama.onset_ids) for _ in range(2)]
        assert twice[0] == twice[1]
        assert counting.runs.count(Run(0, 1, len(asked[0].ids) - PREFIX)) == computed


def test_a_prompt_without_prefix_has_its_own_state(llama: TinySubject) -> None:
    prompt = replace(prompts(llama)[0], prefix_length=0)
    counting = CountingModel(llama.model)
    ResidualEngine(counting, llama.saes).score([Pair(prompt)], llama.onset_ids)
    assert counting.runs == [Run(0, 1, len(prompt.ids))]


def test_a_removal_costs_only_what_is_above_its_layer(llama: TinySubject) -> None:
    prompt = prompts(llama)[0]
    awake = active_at(llama, prompt, slice(PREFIX, None)) - active_at(llama, prompt, slice(0, PREFIX))
    first, last = min(awake), max(awake)
    assert first.layer < last.layer
    everything = frozenset({first, last})
    counting = CountingModel(llama.model)
    engine = ResidualEngine(counting, llama.saes)
    asked = [everything, everything - {last}, everything - {first}]
    scores = []
    for features in asked:
        scores += engine.score([Pair(prompt, ablate(features))], llama.onset_ids)
    starts = [run.first_block for run in counting.runs if run.tokens == len(prompt.ids) - PREFIX]
    assert starts == [0, first.layer + 1, last.layer + 1, last.layer + 1]
    expected = ReferenceEngine(llama.model, llama.saes).score([Pair(prompt, ablate(s)) for s in asked], llama.onset_ids)
    assert [score.value for score in scores] == pytest.approx(expected, abs=1e-4)
    assert [score.edited for score in scores] == asked


def test_what_is_forgotten_is_computed_again(llama: TinySubject) -> None:
    prompt = prompts(llama)[0]
    awake = sorted(active_at(llama, prompt, slice(PREFIX, None)) - active_at(llama, prompt, slice(0, PREFIX)))
    pair = Pair(prompt, ablate(frozenset({awake[0], awake[-1]})))
    counting = CountingModel(llama.model)
    engine = ResidualEngine(counting, llama.saes)
    first = engine.score([pair], llama.onset_ids)
    engine.forget()
    again = engine.score([pair], llama.onset_ids)
    assert again == first
    assert counting.runs[-1].first_block == awake[0].layer + 1
