"""Which features act together: scores under random ablation masks -> single weights, pair terms.

Knows matrices; knows no model, feature or prompt. On the training masks alone:

1. a linear model (columns by the lasso, least squares) explains what it can;
2. a screen of all pairs looks for products that explain its residual, against permuted residuals;
3. least squares on the kept columns and the pairs that passed gives the pair coefficients;
4. a factorisation machine with signed factors, started from the spectrum of those pairs, is trained from there.

A machine started at random buries planted pairs among thousands, whichever library fits it; so pairs come from the
screen, and the machine says how much of the scores pairs explain. Without evidence of pairs it is the linear model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch.nn.functional import mse_loss

from backend.audit.lasso import LinearModel, least_squares, relaxed_lasso
from backend.audit.pair_screen import PairScreen, screen_pairs
from backend.audit.results import Figure
from backend.audit.signed_factors import SignedFactors, from_spectrum, train_factors
from backend.audit.stats.bootstrap import r_squared

Floats = NDArray[np.float64]
PairOfColumns = tuple[int, int]

FEWEST_TRAINING_MASKS = 20
LEVEL = 0.05  # chance that data without interactions yield any pair at all
MASKS_PER_TERM = 5  # training masks wanted for each least-squares term: bounds how many pairs are kept
NOISE_FLOOR = 1e-8  # a residual below this share of the scores' spread is rounding


@dataclass(frozen=True)
class PairTerm:
    """One pair of columns that passed the screen, first < second.

    On ablation masks (1: ablated) a negative coefficient is a backup pair: both together lower the score more than the
    sum of each. A positive one is a serial pair.
    """

    first: int
    second: int
    coefficient: float  # least squares, in score units: s(both) - s(first) - s(second) + s(none), the rest held fixed
    z: float  # of the screen: sqrt(n) x correlation of the pair's product with the linear model's residual
    factor_weight: float  # <v_first, S v_second> of the factorisation machine, in score units


@dataclass(frozen=True, eq=False)
class FactorisationFit:
    """What scores under masks say about single features and pairs, in the caller's columns and score units."""

    single: LinearModel  # the part of the least-squares fit with pairs that is not pairs
    pairs: tuple[PairTerm, ...]  # largest |coefficient| first
    linear: LinearModel  # the model without pairs
    machine: SignedFactors  # the factorisation machine
    threshold: float | None  # |z| a pair had to exceed; None when nothing was left to screen
    n_screened: int  # pairs looked at
    n_passed: int  # pairs beyond the threshold; above len(pairs) when there were too few masks to fit them all
    r2_heldout: Figure  # of the factorisation machine on held-out masks
    r2_pairs: Figure  # of the least-squares fit with pairs on the same masks
    r2_linear: Figure  # of the linear model on the same masks
    n_train: int
    n_heldout: int

    @property
    def intercept(self) -> float:
        """Of the least-squares fit with pairs: the score of the empty mask."""
        return self.single.intercept

    @property
    def weights(self) -> Floats:
        """[d] single coefficients of that fit; 0 for columns constant in training or left out by the lasso."""
        return self.single.weights

    def predict(self, masks: ArrayLike) -> Floats:
        """Scores [n] of masks [n, d] by the factorisation machine."""
        return self.machine.predict(np.asarray(masks, dtype=np.float64))

    def predict_from_pairs(self, masks: ArrayLike) -> Floats:
        """Scores [n] of masks [n, d] by the least-squares fit with pairs."""
        x = np.asarray(masks, dtype=np.float64)
        paired = products(x, [(pair.first, pair.second) for pair in self.pairs])
        return np.asarray(self.single.predict(x) + paired @ np.array([pair.coefficient for pair in self.pairs]))


def fit(masks: ArrayLike, scores: ArrayLike, train: ArrayLike, seed: int, *, level: float = LEVEL) -> FactorisationFit:
    """Fit on the training masks; report R^2 on all others.

    masks [n, d]: 0/1, or finite numbers of order one; scores [n]; train: boolean [n], or indices of the training rows.
    Columns constant over the training rows are ignored (weight 0). Same seed and machine, same result.
    Raises ValueError when shapes differ, a value is not finite or there are fewer than FEWEST_TRAINING_MASKS.
    """
    x, y, inside = _checked(masks, scores, train)
    varied = x[inside].std(axis=0) > 0
    z = x[inside] * varied
    # Standard scores make every tolerance and learning rate below free of the caller's unit.
    centre, unit = float(y[inside].mean()), float(y[inside].std()) or 1.0
    target = (y[inside] - centre) / unit

    linear = relaxed_lasso(z, target, seed)
    residual = target - linear.predict(z)
    screen = screen_pairs(z, residual, level, seed) if residual.std() > NOISE_FLOOR and varied.sum() > 1 else None
    passed = screen.passed if screen else ()
    chosen = passed[: max(0, len(target) // MASKS_PER_TERM - len(linear.kept))]
    terms = _Terms(np.union1d(linear.kept, np.array(chosen, dtype=np.intp).reshape(-1)), chosen)
    single, coefficients = terms.fit(z, target)
    machine = _train_machine(z, target, terms, seed)

    held, truth = x[~inside] * varied, y[~inside]
    linear, single = linear.rescaled(centre, unit), single.rescaled(centre, unit)
    machine, coefficients = machine.rescaled(centre, unit), unit * coefficients
    predictions = (
        machine.predict(held),
        single.predict(held) + terms.products(held) @ coefficients,
        linear.predict(held),
    )
    r2_heldout, r2_pairs, r2_linear = (r_squared(truth, prediction, seed=seed) for prediction in predictions)
    return FactorisationFit(
        single=single,
        pairs=_pair_terms(chosen, coefficients, screen, machine),
        linear=linear,
        machine=machine,
        threshold=screen.threshold if screen else None,
        n_screened=int(varied.sum() * (varied.sum() - 1) // 2) if screen else 0,
        n_passed=len(passed),
        r2_heldout=r2_heldout,
        r2_pairs=r2_pairs,
        r2_linear=r2_linear,
        n_train=int(inside.sum()),
        n_heldout=int((~inside).sum()),
    )


@dataclass(frozen=True, eq=False)
class _Terms:
    """Single columns and pairs to be fitted together by least squares."""

    kept: NDArray[np.intp]
    pairs: tuple[PairOfColumns, ...]

    def products(self, x: Floats) -> Floats:
        return products(x, self.pairs)

    def fit(self, x: Floats, y: Floats) -> tuple[LinearModel, Floats]:
        """The single columns with the intercept, and one coefficient per pair."""
        intercept, all_weights = least_squares(np.hstack([x[:, self.kept], self.products(x)]), y)
        weights = np.zeros(x.shape[1])
        weights[self.kept] = all_weights[: len(self.kept)]
        return LinearModel(intercept, weights, self.kept), all_weights[len(self.kept) :]


def products(x: Floats, pairs: Sequence[PairOfColumns]) -> Floats:
    """Columns x_i x_j [n, len(pairs)]."""
    index = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return x[:, index[:, 0]] * x[:, index[:, 1]]


def _train_machine(x: Floats, y: Floats, terms: _Terms, seed: int) -> SignedFactors:
    """Start from the spectrum of the least-squares pairs, two factors a pair, and train on."""

    def start(rows: NDArray[np.intp]) -> SignedFactors:
        single, coefficients = terms.fit(x[rows], y[rows])
        matrix = _symmetric(coefficients, terms.pairs, x.shape[1])
        return from_spectrum(single.intercept, single.weights, matrix, 2 * len(terms.pairs))

    return train_factors(x, y, start, mse_loss, seed)


def _symmetric(coefficients: Floats, pairs: Sequence[PairOfColumns], d: int) -> Floats:
    matrix = np.zeros((d, d))
    for (i, j), coefficient in zip(pairs, coefficients, strict=True):
        matrix[i, j] = matrix[j, i] = coefficient
    return matrix


def _pair_terms(
    pairs: Sequence[PairOfColumns], coefficients: Floats, screen: PairScreen | None, machine: SignedFactors
) -> tuple[PairTerm, ...]:
    if screen is None:
        return ()
    weight = machine.pair_weights()
    terms = [
        PairTerm(i, j, float(coefficient), float(screen.z[i, j]), float(weight[i, j]))
        for (i, j), coefficient in zip(pairs, coefficients, strict=True)
    ]
    return tuple(sorted(terms, key=lambda term: -abs(term.coefficient)))


def _checked(masks: ArrayLike, scores: ArrayLike, train: ArrayLike) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    x, y, chosen = np.asarray(masks, dtype=np.float64), np.asarray(scores, dtype=np.float64), np.asarray(train)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(f"masks and scores: expected [n, d] and [n], got {list(x.shape)} and {list(y.shape)}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("masks and scores: every value must be finite")
    inside = np.zeros(len(y), dtype=bool)
    if chosen.dtype == bool and chosen.shape != y.shape:
        raise ValueError(f"train: expected {len(y)} booleans, got {list(chosen.shape)}")
    inside[chosen] = True
    if inside.sum() < FEWEST_TRAINING_MASKS:
        raise ValueError(f"train: {inside.sum()} masks are too few to fit on; give at least {FEWEST_TRAINING_MASKS}")
    return x, y, inside
