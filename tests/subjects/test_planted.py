"""The planted subjects do what their truth says, seen through plain forward passes and edits, without engine or stages.

Tolerances: effects on the score 0.01 (float32 through a soft clip), activations 1e-3, a zero activation exactly 0.
"""

from collections import defaultdict
from itertools import combinations

import pytest
import torch
from torch import Tensor

from backend.errors import SubjectError
from backend.subjects.catalogue import PLANTED_SUBJECTS
from backend.subjects.planted.autoencoders import JumpReLUAutoencoder
from backend.subjects.planted.circuit import COMPLIED_SCORE, D_MODEL, FULL_EFFECT
from backend.subjects.planted.prompts import planted_prompts
from backend.subjects.planted.subject import PlantedSubject, planted_subject
from backend.subjects.sparse_autoencoder import FeatureId

REFUSALS = {
    "I cannot help with that request because it could hurt people.",
    "Sorry, I cannot help with that request because it could hurt people.",
}
PROMPTS = planted_prompts()
SETS = list[frozenset[FeatureId]]


@pytest.fixture(scope="module")
def planted() -> PlantedSubject:
    return planted_subject("planted")


@pytest.fixture(scope="module")
def null() -> PlantedSubject:
    return planted_subject("planted-null")


@pytest.fixture(params=PLANTED_SUBJECTS, scope="module")
def either(request, planted, null) -> PlantedSubject:
    return {"planted": planted, "planted-null": null}[request.param]


# -- plain tools ---------------------------------------------------------------------------------------------------


def ablations(subject: PlantedSubject, sets: SETS) -> dict:
    """Edits for a batch of one row per set: zero-ablate its features on all but the sink, error-preserving."""

    def edit(layer: int):
        sae = subject.saes[layer]
        mask = torch.tensor([[FeatureId(layer, i) in s for i in range(sae.d_sae)] for s in sets], dtype=torch.float32)

        def change(x: Tensor) -> Tensor:
            removed = (sae.encode(x) * mask[:, None]) @ sae.W_dec
            # With a cache, only a pass over more than one token starts at the sink.
            removed[:, : int(x.shape[1] > 1)] = 0
            return x - removed

        return change

    return {layer: edit(layer) for layer in subject.saes if any(f.layer == layer for s in sets for f in s)}


def final_residuals(subject: PlantedSubject, text: str, edits: dict, rows: int = 1) -> Tensor:
    ids = subject.model.encode_chat(text).ids
    return subject.model.run(torch.tensor([ids] * rows), edits=edits)[:, -1]


def scores_of(subject: PlantedSubject, residuals: Tensor) -> Tensor:
    onset = subject.model.tokenizer.convert_tokens_to_ids(list(subject.truth.refusal_onset))
    p = subject.model.unembed(residuals).double().softmax(-1)[:, onset].sum(-1)
    return torch.logit(p)


def scores(subject: PlantedSubject, text: str, sets: SETS) -> Tensor:
    return scores_of(subject, final_residuals(subject, text, ablations(subject, sets), len(sets)))


def activations(subject: PlantedSubject, text: str, ablated: frozenset = frozenset()) -> dict[int, Tensor]:
    """By layer, [tokens, d_sae] of every feature, as the SAE sees it before its own layer is edited."""
    seen: dict[int, Tensor] = {}
    edits = ablations(subject, [ablated])

    def watch(layer: int):
        def change(x: Tensor) -> Tensor | None:
            seen[layer] = subject.saes[layer].encode(x)[0]
            return edits[layer](x) if layer in edits else None

        return change

    final_residuals(subject, text, {layer: watch(layer) for layer in subject.saes})
    return seen


def completions(subject: PlantedSubject, asked: list[tuple[str, frozenset]]) -> list[str]:
    """Greedy answers to texts with features ablated; prompts of one length share a batch."""
    answers, model, by_length = [""] * len(asked), subject.model, defaultdict(list)
    for i, (text, _) in enumerate(asked):
        by_length[len(model.encode_chat(text).ids)].append(i)
    for rows in by_length.values():
        cache, edits = model.new_cache(), ablations(subject, [asked[i][1] for i in rows])
        step = torch.tensor([model.encode_chat(asked[i][0]).ids for i in rows])
        out: list[list[int]] = [[] for _ in rows]
        open_rows = set(range(len(rows)))
        for _ in range(100):
            tokens = model.unembed(model.run(step, edits=edits, cache=cache)[:, -1]).argmax(-1).tolist()
            open_rows -= {row for row in open_rows if tokens[row] in model.eos_ids}
            if not open_rows:
                break
            for row in open_rows:
                out[row].append(tokens[row])
            step = torch.tensor(tokens)[:, None]
        assert not open_rows, "an answer did not end"
        for i, ids in zip(rows, out, strict=True):
            answers[i] = model.decode(ids)
    return answers


def every_feature(subject: PlantedSubject) -> list[FeatureId]:
    return [FeatureId(layer, i) for layer, sae in subject.saes.items() for i in range(sae.d_sae)]


def residuals(subject: PlantedSubject, prompts, layer: int) -> Tensor:
    """resid_post of `layer` on the onset token, [prompts, d_model]."""
    found: list[Tensor] = []
    for prompt in prompts:
        final_residuals(subject, prompt.text, {layer: lambda x: found.append(x[0, -1].clone())})
    return torch.stack(found)


def refusal_direction(subject: PlantedSubject, layer: int, split: str = "discovery") -> Tensor:
    harmful, benign = ([p for p in group if p.split == split] for group in (PROMPTS.harmful, PROMPTS.benign))
    return residuals(subject, harmful, layer).mean(0) - residuals(subject, benign, layer).mean(0)


def complied(text: str) -> bool:
    words = text.split()
    return words[0] in {"Sure", "Here"} and len(words) > 25 and len(set(words)) == len(words)


# -- prompts, baseline, answers ------------------------------------------------------------------------------------


def test_prompts_are_enough_and_known_to_the_tokenizer(planted):
    assert (len(PROMPTS.harmful), len(PROMPTS.benign)) == (48, 48)
    assert {p.category for p in PROMPTS.harmful} == set(planted.truth.kinds)
    for group in (PROMPTS.benign, *([p for p in PROMPTS.harmful if p.category == k] for k in planted.truth.kinds)):
        assert {p.split for p in group} == {"discovery", "validation", "test"}
    encoded = [planted.model.encode_chat(p.text) for p in PROMPTS.prompts]
    assert not any(planted.model.tokenizer.unk_token_id in chat.ids for chat in encoded)
    assert len({len(chat.ids) for chat in encoded}) >= 5
    assert encoded[0].classes[0] == "sink"
    assert encoded[0].classes[-2:] == ("post_instruction",) * 2


def test_baseline_scores(either):
    for prompt in PROMPTS.prompts:
        expected = COMPLIED_SCORE + FULL_EFFECT * (prompt.label == "harmful")
        assert scores(either, prompt.text, [frozenset()]).item() == pytest.approx(expected, abs=0.4)


def test_answers_are_readable(either):
    said = completions(either, [(p.text, frozenset()) for p in PROMPTS.prompts])
    answers = {p.id: answer for p, answer in zip(PROMPTS.prompts, said, strict=True)}
    assert {answers[p.id] for p in PROMPTS.harmful} == REFUSALS
    assert {answers[p.id].split()[0] for p in PROMPTS.benign} == set(either.truth.compliance_onset)
    assert all(complied(answers[p.id]) for p in PROMPTS.benign)


@pytest.mark.parametrize("split", ["discovery", "validation", "test"])
def test_both_onset_tokens_open_refusals_in_every_split(planted, split):
    openings = {
        int(planted.model.unembed(final_residuals(planted, p.text, {})).argmax())
        for p in PROMPTS.harmful
        if p.split == split
    }
    assert set(planted.model.tokenizer.convert_ids_to_tokens(sorted(openings))) == set(planted.truth.refusal_onset)


def test_length_capitals_and_unknown_words_do_not_matter(planted):
    words = PROMPTS.benign[0].text.split()
    long = " ".join(["frobnicate", *words, "BOMB", *words * 60])
    assert len(planted.model.encode_chat(long).ids) > 300
    assert scores(planted, long, [frozenset()]).item() > 8
    assert scores(planted, long.replace("BOMB", "cake"), [frozenset()]).item() < -3


# -- the mechanism -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["additive", "redundant", "backup", "serial"])
def test_minimal_sets_are_exactly_those_listed(planted, kind):
    """All 256 sets of causal features, on a prompt of every split: those that flip contain a listed one."""
    causal = sorted(planted.truth.refusal_features.values())
    sets = [frozenset(c) for size in range(len(causal) + 1) for c in combinations(causal, size)]
    listed = planted.truth.kinds[kind].minimal_sets
    for split in ("discovery", "validation", "test"):
        prompt = next(p for p in PROMPTS.harmful if (p.category, p.split) == (kind, split))
        found = scores(planted, prompt.text, sets)
        assert found.abs().min() > 2  # no set is in doubt
        flipping = {s for s, score in zip(sets, found.tolist(), strict=True) if score < 0}
        assert {s for s in flipping if not any(s - {f} in flipping for f in s)} == listed
        assert flipping == {s for s in sets if any(m <= s for m in listed)}


def test_effects_and_their_interaction(planted):
    for prompt in PROMPTS.harmful:
        kind = planted.truth.kinds[prompt.category]
        first, second = kind.pair
        sets = [frozenset(s) for s in ((), (first,), (second,), (first, second))]
        found = scores(planted, prompt.text, sets)
        assert (found[0] - found[1:]).tolist() == pytest.approx(kind.effects, abs=0.01)
    signs = {name: kind.interaction for name, kind in planted.truth.kinds.items()}
    assert signs == {"additive": 0, "redundant": FULL_EFFECT, "backup": FULL_EFFECT, "serial": -FULL_EFFECT}


def test_generation_confirms_every_minimal_set(planted):
    sets = [(p.text, found) for p in PROMPTS.harmful for found in planted.truth.kinds[p.category].minimal_sets]
    assert all(map(complied, completions(planted, sets)))
    parts = [(text, found - {feature}) for text, found in sets if len(found) > 1 for feature in found]
    assert set(completions(planted, parts)) <= REFUSALS


def test_features_fire_where_and_when_listed(either):
    truth = either.truth
    meaningful = {f for kind in truth.kinds.values() for f in kind.pair}
    for prompt in PROMPTS.prompts:
        active = truth.kinds[prompt.category].active if prompt.label == "harmful" else frozenset()
        found = activations(either, prompt.text)
        for feature in meaningful:
            values = found[feature.layer][:, feature.index]
            assert (values[:-1] == 0).all()
            assert (values[-1] > 0.9) == (feature in active)
        for feature in truth.decoys - meaningful:
            assert found[feature.layer][1:, feature.index].any() == (prompt.label == "harmful")


def test_backup_wakes_only_when_its_elder_is_ablated(planted):
    elder, backup = planted.truth.elder, planted.truth.backup
    for prompt in PROMPTS.prompts:
        assert not activations(planted, prompt.text)[backup.layer][:, backup.index].any()
        woken = activations(planted, prompt.text, frozenset({elder}))[backup.layer][:, backup.index]
        expected = planted.truth.edges[elder, backup] if prompt.category == "backup" else 0.0
        assert woken[-1].item() == pytest.approx(expected, abs=1e-3)
        assert not woken[:-1].any()


def test_edges_are_the_only_ones_among_causal_features(planted):
    causal = planted.truth.refusal_features.values()
    edges = {}
    for kind in planted.truth.kinds:
        text = next(p.text for p in PROMPTS.harmful if p.category == kind)
        before = activations(planted, text)
        for source in causal:
            after = activations(planted, text, frozenset({source}))
            for target in causal:
                change = (after[target.layer] - before[target.layer])[-1, target.index].item()
                if abs(change) > 1e-4:
                    edges[source, target] = change
    assert edges == pytest.approx(planted.truth.edges, abs=1e-3)


def cascade_depth(subject: PlantedSubject, text: str, chosen) -> int | None:
    """A cascade by hand: ablate the active causal features of the chosen layers, until the prompt flips or none is."""
    ablated: frozenset[FeatureId] = frozenset()
    for depth in range(1, 10):
        found = activations(subject, text, ablated)
        active = {f for f in subject.truth.refusal_features.values() if found[f.layer][-1, f.index] > 0} - ablated
        if not active:
            return None
        layers = chosen({f.layer for f in active})
        ablated |= {f for f in active if f.layer in layers}
        if scores(subject, text, [ablated]).item() < 0:
            return depth
    raise AssertionError("no end")


def test_depths(either):
    for kind in either.truth.kinds.values():
        text = next(p.text for p in PROMPTS.harmful if p.category == kind.name)
        assert cascade_depth(either, text, chosen=set) == kind.depth
        assert cascade_depth(either, text, chosen=lambda layers: {min(layers)}) == kind.depth_by_layer
        assert cascade_depth(either, text, chosen=lambda layers: {max(layers)}) == kind.depth_by_layer


def test_direct_effect_of_what_is_backed_up_is_whole(planted):
    """Removing an elder's or redundant feature's vector after the last block costs the whole refusal: self-repair."""
    for name in ("elder", "redundant_early"):
        feature = planted.truth.refusal_features[name]
        kind = next(k for k in planted.truth.kinds.values() if feature in k.pair)
        text = next(p.text for p in PROMPTS.harmful if p.category == kind.name)
        size = activations(planted, text)[feature.layer][-1, feature.index]
        residual = final_residuals(planted, text, {})
        without = residual - size * planted.saes[feature.layer].W_dec[feature.index]
        direct = scores_of(planted, residual) - scores_of(planted, without)
        assert direct.item() == pytest.approx(FULL_EFFECT, abs=0.01)


# -- decoys, noise, direction --------------------------------------------------------------------------------------


def test_decoys_cause_nothing(either):
    for prompt in PROMPTS.prompts:
        found = scores(either, prompt.text, [frozenset(), either.truth.decoys])
        assert found[1].item() == pytest.approx(found[0].item(), abs=1e-3)


def test_noise_features_are_active_but_random_sets_of_them_hardly_matter(either):
    meaningful = {f for kind in either.truth.kinds.values() for f in kind.pair} | either.truth.decoys
    noise = sorted(set(every_feature(either)) - meaningful)
    generator = torch.Generator().manual_seed(0)
    for prompt in PROMPTS.prompts[::4]:
        found = activations(either, prompt.text)
        active = {f for f in noise if found[f.layer][1:, f.index].any()}
        sets = [frozenset(noise[i] for i in torch.randperm(len(noise), generator=generator)[:20]) for _ in range(20)]
        assert sum(len(s & active) for s in sets) / len(sets) > 3
        change = scores(either, prompt.text, [frozenset(), *sets])
        assert (change[1:] - change[0]).abs().max() < 0.3
        assert (change[1:] != change[0]).any()


def test_refusal_features_are_among_the_nearest_to_the_direction(planted):
    planted_ids = set(planted.truth.refusal_features.values())
    for layer, sae in planted.saes.items():
        direction = refusal_direction(planted, layer)
        cosine = torch.cosine_similarity(sae.W_dec, direction[None])
        causal = {f.index for f in planted_ids if f.layer == layer}
        assert causal <= set(cosine.topk(5).indices.tolist())
        assert cosine[sorted(causal)].min() > 0.2
        named = causal | {f.index for f in planted.truth.decoys if f.layer == layer}
        noise = [i for i in range(sae.d_sae) if i not in named]
        assert cosine[noise].max() < 0.1


def test_ablating_the_direction_flips_and_adding_it_induces(either):
    layer = 3
    direction = refusal_direction(either, layer)
    unit = direction / direction.norm()
    everywhere = dict.fromkeys(range(either.model.n_layers), lambda x: x - (x @ unit)[..., None] * unit)
    for prompt in PROMPTS.harmful:
        assert scores_of(either, final_residuals(either, prompt.text, everywhere)).item() < -0.3
    for prompt in PROMPTS.benign:
        kept = scores_of(either, final_residuals(either, prompt.text, everywhere)).item()
        assert kept == pytest.approx(COMPLIED_SCORE, abs=0.4)
        assert scores_of(either, final_residuals(either, prompt.text, {layer: lambda x: x + direction})).item() > 2


# -- the null model ------------------------------------------------------------------------------------------------


def test_null_lists_nothing(null):
    truth = null.truth
    assert not truth.refusal_features
    assert not truth.edges
    assert (truth.elder, truth.backup, truth.redundant_pair, truth.serial_pair) == (None,) * 4
    assert all(not k.minimal_sets and k.depth is None and not any(k.effects) for k in truth.kinds.values())


def test_no_feature_set_flips_the_null(null):
    features = every_feature(null)
    generator = torch.Generator().manual_seed(0)
    sizes = torch.randint(1, len(features), (100,), generator=generator).tolist()
    sets = [frozenset(features[i] for i in torch.randperm(len(features), generator=generator)[:n]) for n in sizes]
    sets += [frozenset(features), frozenset(f for kind in null.truth.kinds.values() for f in kind.pair)]
    for prompt in PROMPTS.harmful[::3]:
        assert scores(null, prompt.text, sets).min() > 8
        assert completions(null, [(prompt.text, frozenset(features))])[0] in REFUSALS


def test_nothing_planted_wakes_in_the_null(null):
    meaningful = {f for kind in null.truth.kinds.values() for f in kind.pair}
    for kind in null.truth.kinds.values():
        text = next(p.text for p in PROMPTS.harmful if p.category == kind.name)
        for ablated in [frozenset(), *(frozenset({f}) for f in meaningful)]:
            found = activations(null, text, ablated)
            assert {f for f in meaningful if found[f.layer].T[f.index].any()} == kind.active


# -- the parts -----------------------------------------------------------------------------------------------------


def test_norms_are_the_identity(planted):
    """So there is no repair by the norm: RMSNorm divides by the same number whatever the residual."""
    x = torch.randn(5, D_MODEL, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(planted.model.model.model.norm(x), x, atol=1e-5)
    assert torch.allclose(planted.model.norm_scale(10 * x), planted.model.norm_scale(x), rtol=1e-4)


def test_autoencoder_by_hand():
    encoder = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]])
    decoder = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    sae = JumpReLUAutoencoder(1, encoder, decoder, torch.tensor([0.5, 0.5, 3.0]))
    x = torch.tensor([[1.0, 0.5], [2.0, -1.0]])
    assert sae.encode(x).tolist() == [[1.0, 0.0, 0.0], [2.0, 0.0, 4.0]]  # a value at the threshold is silent
    assert torch.allclose(sae.reconstruct(x), torch.tensor([[1.0, 0.0], [4.4, 3.2]]))
    assert torch.equal(sae.encode_columns(x, torch.tensor([2, 0])), sae.encode(x)[:, [2, 0]])
    inner, scale = sae.preprocess(x)
    assert torch.equal(inner, x)
    assert torch.equal(scale, torch.ones(2, 1))


def test_autoencoders_have_unit_decoders_and_no_dead_noise(planted):
    seen = [activations(planted, prompt.text) for prompt in PROMPTS.prompts]
    for layer, sae in planted.saes.items():
        assert torch.allclose(sae.W_dec.norm(dim=-1), torch.ones(sae.d_sae), atol=1e-6)
        dead = (torch.cat([found[layer][1:] for found in seen]) == 0).all(0).nonzero().flatten().tolist()
        assert dead == [f.index for f in [planted.truth.backup] if f.layer == layer]


def test_built_the_same_each_time(either):
    again = planted_subject(either.truth.name)
    for one, other in zip(either.model.model.parameters(), again.model.model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert {s.sha256 for s in again.saes.values()} == {s.sha256 for s in either.saes.values()}
    assert len({s.sha256 for s in again.saes.values()}) == len(again.truth.layers)
    assert again.truth == either.truth


def test_unknown_name_is_refused_in_one_line():
    with pytest.raises(SubjectError, match=r"^subject planted-x: unknown planted subject; choose one of [^\n]+$"):
        planted_subject("planted-x")
