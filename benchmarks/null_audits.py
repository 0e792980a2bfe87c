"""`python -m benchmarks.null_audits`: what audits claim where there is nothing to find, and find where something is.

Whole audits of the planted subjects over many seeds. Each seed deals the planted prompts anew to the splits and draws
everything random anew. In `planted-null` no feature causes refusal, so every claim about it is false; of `planted` the
truth is known, so claims are held against it.

What wakes is another matter: features of the null subject do wake one another, which has nothing to do with refusal. A
claim that one wakes is false when the same ablations do not wake it on other prompts.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from backend.audit.interventions import DEFAULT_SCOPE, ablate
from backend.audit.progress import NothingKept
from backend.audit.results import PromptResult, Report
from backend.audit.spec import AuditSettings
from backend.audit.statements import telling_pairs
from backend.audit.stats.rates import wilson
from backend.audit.woken_features import Trial, excess_p
from backend.engine.engine import ResidualEngine
from backend.engine.protocol import Pair
from backend.jobs.audit_run import AuditRun
from backend.prompts.prompt import SPLITS, Prompt, PromptSet
from backend.subjects.planted.circuit import PlantedTruth, planted_truth
from backend.subjects.planted.prompts import planted_prompts
from backend.subjects.sparse_autoencoder import FeatureId
from backend.subjects.subject import Subject, load_subject

OUT = Path("build/null_audits.json")
NOMINAL = 0.05
Q = 0.05  # false discovery rate at which a woken feature counts as claimed
FEATURE_STATEMENTS = ("necessary", "sufficient", "beats_controls", "redundant", "connected", "non_linear")
OTHERS = 20  # other features ablated beside the one that woke something
DEALT = {"discovery": 2, "validation": 2, "test": 4}  # prompts of each kind of harm; four times as many benign ones


@dataclass(frozen=True)
class NullClaims:
    """What one audit of the null subject claims. All of it is false."""

    seed: int
    confirmed_sets: int
    pairs: int
    woken_features: int
    woken_once: int  # of those, the ones that do not wake on other prompts
    backups_confirmed: int
    statements: tuple[str, ...]  # about features, answered yes


@dataclass(frozen=True)
class Found:
    """What one audit of the planted subject claims, right and wrong, and what it should have."""

    seed: int
    sets_right: int
    sets_wrong: int
    prompts_with_set: int
    prompts: int
    pairs_right: int
    pairs_wrong: int
    pairs_planted: int
    woken_right: int
    woken_wrong: int
    woken_planted: int


def audit(subject: Subject, seed: int) -> Report:
    """One quick audit on prompts dealt by this seed, each a family of its own."""
    run = AuditRun.prepare(subject, deal(seed), AuditSettings("quick", seed=seed), "", "")
    return run.go(NothingKept(), lambda step: None).report


def deal(seed: int) -> PromptSet:
    """Some of the planted prompts, of each kind as many, to splits by chance."""
    random, dealt = np.random.default_rng(seed), list[Prompt]()
    prompts = planted_prompts().prompts
    for label, kind in sorted({(p.label, p.category or "") for p in prompts}):
        of_kind = [p for p in prompts if (p.label, p.category or "") == (label, kind)]
        order = iter(random.permutation(len(of_kind)))
        for split in SPLITS:
            for _ in range(DEALT[split] * (1 if label == "harmful" else 4)):
                prompt = of_kind[next(order)]
                dealt.append(replace(prompt, split=split, family=prompt.id))
    return PromptSet("planted", tuple(dealt))


def null_claims(subject: Subject, report: Report, seed: int) -> NullClaims:
    woken = claimed_woken(report)
    cascades = [p.cascade for p in report.prompts if p.cascade is not None]
    return NullClaims(
        seed=seed,
        confirmed_sets=sum(s.confirmed for p in report.prompts for s in p.minimal_sets),
        pairs=len(claimed_pairs(report)),
        woken_features=len(woken),
        woken_once=sum(not wakes_again(subject, report, name) for name in sorted(woken)),
        backups_confirmed=sum(w.confirmed is True for c in cascades for one in c.rounds for w in one.woken),
        statements=tuple(
            s.key for s in report.report_card.statements if s.key in FEATURE_STATEMENTS and s.answer == "yes"
        ),
    )


def found(report: Report, truth: PlantedTruth, seed: int) -> Found:
    worked = [p for p in report.prompts if p.controls is not None]
    sets = [right for p in worked for right in _right_sets(p, truth)]
    pairs, woken = claimed_pairs(report), claimed_woken(report)
    planted = {
        (kind, frozenset(map(str, pair)))
        for kind, pair in (
            ("backup", truth.redundant_pair),
            ("backup", truth.kinds["backup"].pair),
            ("serial", truth.serial_pair),
        )
        if pair is not None
    }
    waking = {str(truth.backup)}
    return Found(
        seed=seed,
        sets_right=sum(sets),
        sets_wrong=len(sets) - sum(sets),
        prompts_with_set=sum(any(_right_sets(p, truth)) for p in worked),
        prompts=len(worked),
        pairs_right=len(pairs & planted),
        pairs_wrong=len(pairs - planted),
        pairs_planted=len(planted),
        woken_right=len(woken & waking),
        woken_wrong=len(woken - waking),
        woken_planted=len(waking),
    )


def claimed_pairs(report: Report) -> set[tuple[str, frozenset[str]]]:
    """Kind and features of each pair that a statement would count."""
    return {
        (kind, frozenset((p.a, p.b))) for kind in ("backup", "serial") for p in telling_pairs(report.interactions, kind)
    }


def claimed_woken(report: Report) -> set[str]:
    return {w.feature for w in report.cascade.woken_features if w.q <= Q}


def wakes_again(subject: Subject, report: Report, name: str) -> bool:
    """Whether the first-round ablations that woke a feature on test prompts wake it on the other planted prompts too,
    more often than ablating other features of their layers does (exact, at NOMINAL)."""
    first = {p.id: p.cascade.rounds[0] for p in report.prompts if p.split == "test" and p.cascade and p.cascade.rounds}
    culprits = sorted({FeatureId.parse(r.ablated[0]) for r in first.values() if name in r.woke})
    engine, random = ResidualEngine(subject.model, dict(subject.saes)), np.random.default_rng(report.manifest.seed)
    feature, trials = FeatureId.parse(name), list[Trial]()
    others = {p.id: subject.model.encode_chat(p.text) for p in planted_prompts().prompts if p.id not in first}
    unablated = engine.observe([Pair(tokens) for tokens in others.values()], [0], DEFAULT_SCOPE)
    for (prompt, tokens), before in zip(others.items(), unablated, strict=True):
        culprit = next((c for c in culprits if c in before.active), None)
        if culprit is None or feature in before.active:
            continue
        beside = [f for f in sorted(before.active) if f.layer == culprit.layer and f != culprit]
        drawn = [beside[i] for i in random.permutation(len(beside))[:OTHERS]]
        if drawn:
            observed = engine.observe([Pair(tokens, ablate([f])) for f in (culprit, *drawn)], [0], DEFAULT_SCOPE)
            woke, *draws_woke = [feature in one.active for one in observed]
            trials.append(Trial(prompt, prompt, woke, sum(draws_woke), len(drawn)))
    return excess_p(trials) <= NOMINAL


def _right_sets(prompt: PromptResult, truth: PlantedTruth) -> list[bool]:
    """Of each confirmed minimal set, whether it is a planted one."""
    planted = {frozenset(map(str, s)) for s in truth.kinds[prompt.category or ""].minimal_sets}
    return [frozenset(s.features) in planted for s in prompt.minimal_sets if s.confirmed]


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    screen = Console()
    claims, finds = audit_seeds(options.seeds, options.processes, screen)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    content = {"null": [asdict(c) for c in claims], "planted": [asdict(f) for f in finds]}
    options.out.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    _show_null(screen, claims)
    _show_planted(screen, finds)
    screen.print(f"written to {options.out}")


def audit_seeds(seeds: int, processes: int, screen: Console) -> tuple[list[NullClaims], list[Found]]:
    """What each seed's two audits claim, in order of seeds."""
    done = dict[int, tuple[NullClaims, Found]]()
    # Spawned, because torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with (
        screen.status(f"0 of {seeds} seeds") as status,
        ProcessPoolExecutor(processes, context, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        for one in as_completed([pool.submit(_audit_seed, seed) for seed in range(seeds)]):
            claims, finds = one.result()
            done[claims.seed] = claims, finds
            status.update(f"{len(done)} of {seeds} seeds")
    return [done[seed][0] for seed in range(seeds)], [done[seed][1] for seed in range(seeds)]


def _audit_seed(seed: int) -> tuple[NullClaims, Found]:
    null, planted = load_subject("planted-null"), load_subject("planted")
    truth = planted_truth("planted", null=False)
    return null_claims(null, audit(null, seed), seed), found(audit(planted, seed), truth, seed)


def _show_null(screen: Console, claims: Sequence[NullClaims]) -> None:
    table = Table("false claim", "audits that make it", "95 % interval", "n", "", title="planted-null")
    rows: list[tuple[str, Callable[[NullClaims], bool]]] = [
        ("a minimal set confirmed", lambda c: c.confirmed_sets > 0),
        ("an interacting pair", lambda c: c.pairs > 0),
        (f"a woken feature, q <= {Q}, that does not wake again", lambda c: c.woken_once > 0),
        ("a backup confirmed", lambda c: c.backups_confirmed > 0),
        *((f'statement "{key}": yes', lambda c, key=key: key in c.statements) for key in FEATURE_STATEMENTS),  # type: ignore[misc]
    ]
    for name, claimed in rows:
        rate = wilson(sum(map(claimed, claims)), len(claims))
        verdict = "[green]not above nominal[/]" if (rate.low or 0) <= NOMINAL else "[red]above nominal[/]"
        table.add_row(name, f"{rate.value:.0%}", f"{rate.low:.1%} to {rate.high:.1%}", str(rate.n), verdict)
    screen.print(table)
    woken, once = (sum(getattr(c, name) for c in claims) for name in ("woken_features", "woken_once"))
    some = sum(c.woken_features > 0 for c in claims)
    screen.print(f"{some} of {len(claims)} null audits claim woken features, {woken} in all; {once} do not wake again")


def _show_planted(screen: Console, finds: Sequence[Found]) -> None:
    table = Table("planted", "precision", "recall", title=f"planted, {len(finds)} seeds")
    for name, right, wrong, reached, there in (
        ("minimal sets, by prompt", "sets_right", "sets_wrong", "prompts_with_set", "prompts"),
        ("pairs", "pairs_right", "pairs_wrong", "pairs_right", "pairs_planted"),
        ("waking features", "woken_right", "woken_wrong", "woken_right", "woken_planted"),
    ):
        total = {key: sum(getattr(f, key) for f in finds) for key in (right, wrong, reached, there)}
        rates = (wilson(total[right], total[right] + total[wrong]), wilson(total[reached], total[there]))
        table.add_row(
            name,
            *(f"{r.value:.3f} ({r.low:.3f} to {r.high:.3f}), n {r.n}" if r.n else "nothing claimed" for r in rates),
        )
    screen.print(table)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.null_audits", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="audits of each planted subject")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="seeds at once")
    parser.add_argument("--out", type=Path, default=OUT, help="where the claims of every seed go")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
