"""Which features wake in first rounds more often than under matched random ablation. Knows counts by prompt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from backend.audit.results import WokenFeature
from backend.audit.stats.multiple import benjamini_hochberg
from backend.audit.stats.rates import wilson

LEVEL = 0.05  # smallest attainable p above it: not screened
SMALLEST_P = 1e-6  # stands for any smaller p: a report keeps six decimals, and no p is 0


@dataclass(frozen=True)
class Trial:
    """A prompt on which the feature was dormant: did the round wake it, and in how many of the random draws it woke."""

    prompt: str
    family: str
    woke: bool
    draws_woke: int
    draws: int


def screen_woken(trials: Mapping[str, Sequence[Trial]]) -> tuple[WokenFeature, ...]:
    """The features that could be found to wake more often than at random, smallest q first, by their trials.

    q is Benjamini-Hochberg over the features screened: those whose smallest attainable p is at most LEVEL. How often a
    feature woke in all, in rounds and draws together, decides that, not when it woke, so that leaving out those that
    can show nothing (one that woke once, say) takes nothing from the control (Tarone 1990, Biometrics 46; Gilbert 2005,
    J. R. Stat. Soc. C 54).
    """
    found = []
    for name, of_feature in trials.items():
        n, independent = len(of_feature), one_a_family(of_feature)
        if smallest_p(independent) <= LEVEL:
            woken = wilson(sum(t.woke for t in of_feature), n)
            woken_random = wilson(sum(t.draws_woke / t.draws for t in of_feature), n)
            found.append(WokenFeature(name, n, woken, woken_random, p=excess_p(independent), q=1.0))
    q_values = benjamini_hochberg([f.p for f in found])
    ranked = [replace(f, q=q) for f, q in zip(found, q_values, strict=True)]
    return tuple(sorted(ranked, key=lambda f: (f.q, f.p, -(f.woken.value or 0.0), f.feature)))


def one_a_family(trials: Sequence[Trial]) -> list[Trial]:
    """The first trial, by prompt id, of every family: near-duplicates are no independent evidence."""
    first: dict[str, Trial] = {}
    for trial in sorted(trials, key=lambda t: t.prompt):
        first.setdefault(trial.family, trial)
    return list(first.values())


def excess_p(trials: Sequence[Trial]) -> float:
    """One-sided exact p that a feature wakes no more often in the round than in a random draw of the same prompt.

    Within a prompt the round and its m draws are exchangeable under that null, so that given k of these 1 + m
    ablations woke the feature, the round is one of them with chance k / (1 + m); prompts are independent. The number
    of prompts on which the round woke it is then a sum of independent Bernoulli variables, whose distribution is
    worked out by convolution: the permutation test within prompts, every permutation counted. Never 0: at least
    SMALLEST_P. Valid whatever share of draws wake a feature, which differs from prompt to prompt.
    """
    distribution = np.ones(1)
    for chance in _chances(trials):
        distribution = np.convolve(distribution, [1 - chance, chance])
    observed = sum(t.woke for t in trials)
    return min(1.0, max(SMALLEST_P, float(distribution[observed:].sum())))


def smallest_p(trials: Sequence[Trial]) -> float:
    """The p if the round had woken it wherever anything did."""
    return max(SMALLEST_P, prod(_chances(trials)))


def _chances(trials: Sequence[Trial]) -> list[float]:
    """Chance of each trial's round under the null to be one that woke it, over the trials where any ablation did."""
    return [(t.woke + t.draws_woke) / (1 + t.draws) for t in trials if t.woke or t.draws_woke]
