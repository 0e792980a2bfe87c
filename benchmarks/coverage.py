"""`python -m benchmarks.coverage`: how often 95 % intervals hold the truth, over simulated audits whose truth is known.

Each simulated audit draws its prompts anew and asks the functions of backend.audit.stats themselves. What is wanted is
95 %; what counts as kept is 93 to 97 % (2,000 audits tell 95 % to within 1 point). Wilson's and Newcombe's coverage
swings with the true rate at small n [Brown, Cai & DasGupta 2001, Stat. Sci. 16], so true rates are drawn anew for each
audit and the coverage is their average.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from backend.audit.results import Figure
from backend.audit.stats.bootstrap import cluster_bootstrap
from backend.audit.stats.paired import paired_bootstrap, paired_difference
from backend.audit.stats.rates import wilson
from backend.audit.stats.recovery import difference_of_figures

OUT = Path("build/coverage.json")
LOW, HIGH = 0.93, 0.97
AUDITS = 2000

Random = np.random.Generator
Audit = Callable[[Random, int], tuple[Figure, float]]  # a simulated audit's figure and the truth behind it
FAMILY_SIZES = (1, 1, 1, 1, 1, 1, 2, 2, 3, 4)  # prompts in a family, each as likely


@dataclass(frozen=True)
class Coverage:
    """How one interval did."""

    interval: str
    sample: str
    audits: int  # with an interval
    covered: float  # share of them whose interval holds the truth
    too_low: float  # share whose interval lies below it
    width: float  # mean

    @property
    def kept(self) -> bool:
        return LOW <= self.covered <= HIGH


def simulate(interval: str, sample: str, audit: Audit, audits: int, seed: int) -> Coverage:
    """Repeat one kind of audit. Audits too small or too even for an interval are left out."""
    rows = []
    for i in range(audits):
        figure, truth = audit(np.random.default_rng([seed, i]), i)
        if figure.low is not None and figure.high is not None:
            rows.append((figure.low <= truth <= figure.high, figure.high < truth, figure.high - figure.low))
    covered, below, widths = zip(*rows, strict=True)
    return Coverage(interval, sample, len(rows), float(np.mean(covered)), float(np.mean(below)), float(np.mean(widths)))


# -- What is simulated -------------------------------------------------------------------------------------------------


def rate(n: int) -> Audit:
    """n prompts of their own families, a true rate anywhere from 0.02 to 0.98."""

    def audit(random: Random, _seed: int) -> tuple[Figure, float]:
        truth = float(random.uniform(0.02, 0.98))
        return wilson(int(random.binomial(n, truth)), n), truth

    return audit


def rate_of_families(families: int, likeness: float) -> Audit:
    """Families whose prompts share an outcome with this correlation (beta-binomial)."""

    def audit(random: Random, _seed: int) -> tuple[Figure, float]:
        truth = float(random.uniform(0.1, 0.9))
        spread = 1 / likeness - 1
        sizes = random.choice(FAMILY_SIZES, families)
        outcomes = random.binomial(sizes, random.beta(truth * spread, (1 - truth) * spread, families))
        return wilson(int(outcomes.sum()), int(sizes.sum())), truth

    return audit


def two_rates_paired(n: int) -> Audit:
    """Two audits of the same n prompts; shares of the four outcomes drawn anew, agreement likelier than not."""

    def audit(random: Random, _seed: int) -> tuple[Figure, float]:
        both, only_a, only_b, neither = random.dirichlet((2, 1, 1, 2))
        outcomes = random.choice(4, n, p=(both, only_a, only_b, neither))
        figure = paired_difference([bool(o in (0, 1)) for o in outcomes], [bool(o in (0, 2)) for o in outcomes])
        return figure, float(only_a - only_b)

    return audit


def two_rates_unpaired(n: int) -> Audit:
    """Two audits of n prompts each, none in common."""

    def audit(random: Random, _seed: int) -> tuple[Figure, float]:
        a, b = random.uniform(0.02, 0.98, 2)
        one, other = (wilson(int(random.binomial(n, share)), n) for share in (a, b))
        return difference_of_figures(one, other), float(a - b)

    return audit


Shape = Literal["normal", "skewed", "whole"]
"""normal: as refusal scores are. skewed: log-normal with skewness 3.3, as counts and divergences can be. whole: the
same in whole numbers, as set sizes and depths are."""


def families_of(random: Random, families: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Values and their families; half of the variance is shared within a family."""
    sizes = random.choice(FAMILY_SIZES, families)
    member = np.repeat(np.arange(families), sizes)
    z = np.sqrt(0.5) * random.normal(size=families)[member] + np.sqrt(0.5) * random.normal(size=len(member))
    if shape == "normal":
        return z, member
    values = np.exp(0.75 * z)
    return (np.ceil(2.5 * values) if shape == "whole" else values), member


def truth_of(shape: Shape, statistic: str) -> float:
    """Of the population: exp(0.75 z) has median 1 and mean exp(0.75^2 / 2). In whole numbers, ceil(2.5 exp(0.75 z)),
    half lie at or below 2.5, so the median is 3."""
    if shape == "normal":
        return 0.0
    if shape == "whole":
        return 3.0
    return float(np.exp(0.75**2 / 2)) if statistic == "mean" else 1.0


def average(families: int, statistic: Literal["mean", "median"], shape: Shape, draws: int) -> Audit:
    truth = truth_of(shape, statistic)

    def audit(random: Random, seed: int) -> tuple[Figure, float]:
        values, member = families_of(random, families, shape)
        return cluster_bootstrap(values.tolist(), member.tolist(), statistic, seed=seed, draws=draws), truth

    return audit


def paired_average(families: int, statistic: Literal["mean", "median"], draws: int) -> Audit:
    """Two audits of the same prompts, correlated by half, 0.5 apart."""

    def audit(random: Random, seed: int) -> tuple[Figure, float]:
        shared, member = families_of(random, families, "normal")
        a, b = (np.sqrt(0.5) * shared + np.sqrt(0.5) * random.normal(size=len(shared)) for _ in range(2))
        return paired_bootstrap((a + 0.5).tolist(), b.tolist(), member.tolist(), statistic, seed=seed, draws=draws), 0.5

    return audit


def all_coverages(audits: int, draws: int, seed: int, told: Callable[[str], None]) -> list[Coverage]:
    """Every interval on samples from small to large."""
    cases: list[tuple[str, str, Audit]] = []  # interval, sample, how to draw one
    for n in (8, 12, 20, 57, 100):
        cases.append(("Wilson, a rate", f"n {n}", rate(n)))
        cases.append(("Newcombe, paired rates", f"n {n}", two_rates_paired(n)))
        cases.append(("Newcombe, unpaired rates", f"n {n} + {n}", two_rates_unpaired(n)))
    for families in (20, 60):
        cases.append(("Wilson, families alike by 0.3", f"{families} families", rate_of_families(families, 0.3)))
    statistics: tuple[Literal["mean", "median"], ...] = ("mean", "median")
    shapes: dict[str, tuple[Shape, ...]] = {"mean": ("normal", "skewed"), "median": ("normal", "skewed", "whole")}
    for families in (8, 12, 20, 60):
        sample = f"{families} families"
        for statistic in statistics:
            for shape in shapes[statistic]:
                name = f"bootstrap, {statistic}, {shape}"
                cases.append((name, sample, average(families, statistic, shape, draws)))
            cases.append((f"bootstrap, paired {statistic}", sample, paired_average(families, statistic, draws)))
    rows = []
    for interval, sample, audit in sorted(cases, key=lambda case: case[0]):
        told(f"{interval}, {sample}")
        rows.append(simulate(interval, sample, audit, audits, seed))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    screen = Console()
    with screen.status("") as status:
        rows = all_coverages(options.audits, options.draws, options.seed, status.update)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "audits": options.audits,
        "draws": options.draws,
        "seed": options.seed,
        "rows": [asdict(r) for r in rows],
    }
    options.out.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    table = Table("interval", "sample", "audits", "covered", "below", "width", "")
    for row in rows:
        verdict = "[green]kept[/]" if row.kept else "[red]too narrow[/]" if row.covered < LOW else "[yellow]wide[/]"
        shown = (f"{row.covered:.1%}", f"{row.too_low:.1%}", f"{row.width:.3f}")
        table.add_row(row.interval, row.sample, str(row.audits), *shown, verdict)
    screen.print(table)
    screen.print(f"written to {options.out}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--audits", type=int, default=AUDITS, help="simulated audits for each interval and sample")
    parser.add_argument("--draws", type=int, default=2000, help="bootstrap resamples, as an audit takes them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=OUT, help="where the figures go")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
