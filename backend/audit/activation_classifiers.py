"""Telling harmful from benign prompts by feature activations: a linear probe, and a factorisation machine beside it.

Knows matrices and labels; knows no model and no feature. The second variant of Stage 3 (Prakash et al. 2509.09708):
what activations say about a prompt, which is not yet what they cause.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit
from torch.nn.functional import binary_cross_entropy_with_logits

from backend.audit.results import Figure
from backend.audit.signed_factors import SignedFactors, from_spectrum, train_factors
from backend.audit.stats.rates import auc

Floats = NDArray[np.float64]

RANK = 4  # factors of the machine
START = 0.1  # of the pair weights, as a share of their (noisy) slopes: training grows what holds


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """Logistic regression on standardised activations."""

    intercept: float
    weights: Floats  # [d] change in log-odds of "positive" per standard deviation; 0 for constant columns
    auc: Figure  # on held-out rows
    n_train: int


@dataclass(frozen=True, eq=False)
class FactorisationProbe:
    """Logistic factorisation machine on standardised activations."""

    machine: SignedFactors  # log-odds of "positive" from standardised activations
    auc: Figure  # on held-out rows
    n_train: int


def linear_probe(activations: ArrayLike, labels: ArrayLike, train: ArrayLike) -> LinearProbe:
    """Fit on the training rows; AUC on all others.

    activations [n, d]; labels [n], true for positive; train: boolean [n] or indices. The L2 penalty is d/2 |w|^2 on the
    summed log-loss, d the columns that vary: the prior under which a logit has variance one, whatever the number of
    columns. Deterministic. Raises ValueError when shapes differ, a value is not finite or a class is missing in train.
    """
    x, y, inside = _standardised(activations, labels, train)
    intercept, weights = _logistic(x[inside], y[inside])
    logits = intercept + x[~inside] @ weights
    return LinearProbe(intercept, weights, _auc(logits, y[~inside]), int(inside.sum()))


def factorisation_probe(activations: ArrayLike, labels: ArrayLike, train: ArrayLike, seed: int) -> FactorisationProbe:
    """The linear probe with a rank-RANK signed pair term, trained on from it; arguments and errors as there.

    The factors start from the leading eigenvectors of the slope of the probe's residuals on products of columns, so
    time and memory grow with d^2 and d^3: for pools of at most a few thousand features.
    """
    x, y, inside = _standardised(activations, labels, train)
    fitted, target = x[inside], y[inside]

    def start(rows: NDArray[np.intp]) -> SignedFactors:
        intercept, weights = _logistic(fitted[rows], target[rows])
        surprise = target[rows] - expit(intercept + fitted[rows] @ weights)
        slope = fitted[rows].T @ (fitted[rows] * surprise[:, None]) / len(rows)
        np.fill_diagonal(slope, 0.0)
        return from_spectrum(intercept, weights, START * slope, RANK)

    machine = train_factors(fitted, target, start, binary_cross_entropy_with_logits, seed)
    return FactorisationProbe(machine, _auc(machine.predict(x[~inside]), y[~inside]), int(inside.sum()))


def _logistic(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Intercept and weights of the penalised logistic regression of y [n] (0/1) on standardised x [n, d]."""
    penalty = float((x.std(axis=0) > 0).sum())

    def objective(parameters: Floats) -> tuple[float, Floats]:
        logits = parameters[0] + x @ parameters[1:]
        loss = np.logaddexp(0.0, logits).sum() - y @ logits + 0.5 * penalty * (parameters[1:] ** 2).sum()
        slope = expit(logits) - y
        return float(loss), np.concatenate([[slope.sum()], x.T @ slope + penalty * parameters[1:]])

    start = np.zeros(1 + x.shape[1])
    best = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "ftol": 1e-13})
    return float(best.x[0]), np.asarray(best.x[1:])


def _standardised(
    activations: ArrayLike, labels: ArrayLike, train: ArrayLike
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Activations in the training rows' standard deviations (constant columns 0), labels as 0/1, training rows."""
    x, chosen = np.asarray(activations, dtype=np.float64), np.asarray(train)
    y = np.asarray(labels, dtype=bool).astype(np.float64)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(f"activations and labels: expected [n, d] and [n], got {list(x.shape)} and {list(y.shape)}")
    if not np.isfinite(x).all():
        raise ValueError("activations: every value must be finite")
    inside = np.zeros(len(y), dtype=bool)
    inside[chosen] = True
    if not 0 < y[inside].sum() < inside.sum():
        raise ValueError("train: needs rows of both labels")
    spread = x[inside].std(axis=0)
    return (x - x[inside].mean(axis=0)) / np.where(spread > 0, spread, 1.0) * (spread > 0), y, inside


def _auc(logits: Floats, y: Floats) -> Figure:
    return auc(logits[y == 1].tolist(), logits[y == 0].tolist())
