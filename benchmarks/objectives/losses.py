"""L(W) at the best intercepts and what its dual needs, straight from the rows.

Squared: l = (z − y)²/2. Logistic: l = log(1 + exp(−y z)). θ = −c l'(z), G = X'θ, and the dual of the loss at a
multiple a of θ: −Σ c l*(−aθ / c).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, expit

from benchmarks.datasets.table import Table

Array = NDArray[np.float64]


@dataclass(frozen=True)
class At:
    """The loss at W: value, G (p, T), and the dual of the loss as a function of the multiple of θ.

    linear, square : the dual is linear a − square a² for the squared loss; None for the logistic one
    largest : no multiple beyond it is in the domain of the conjugate
    """

    value: float
    G: Array
    dual: Callable[[float], float]
    linear: float | None = None
    square: float | None = None
    largest: float = np.inf


class Loss(ABC):
    """Σ_t c_t Σ_i l(y_ti, x_ti' w_t + b_t) at the best b."""

    @abstractmethod
    def at(self, W: Array) -> At:
        """Value and dual parts at W (p, T)."""


class Squared(Loss):
    """Half the squared error; intercepts are eliminated by centring."""

    def __init__(self, table: Table, scaling: str, fit_intercept: bool) -> None:
        X, y = table.X, table.y
        if fit_intercept:
            X = tuple(x - x.mean(axis=0) for x in X)
            y = tuple(v - v.mean(axis=0) for v in y)
        self.X, self.y, self.shared = X, y, table.shared
        self.c = np.array([1.0 / len(x) if scaling == "mean" else 1.0 for x in X])

    def at(self, W: Array) -> At:
        """Value and dual parts at W."""
        if self.shared:
            left = self.y[0] - self.X[0] @ W
            square = float(np.vdot(left, left)) * self.c[0] / 2
            linear = float(np.vdot(left, self.y[0])) * self.c[0]
            G = self.c[0] * (self.X[0].T @ left)
        else:
            rows = [y - x @ w for x, y, w in zip(self.X, self.y, W.T, strict=True)]
            square = sum(c * float(r @ r) for c, r in zip(self.c, rows, strict=True)) / 2
            linear = sum(c * float(r @ y) for c, r, y in zip(self.c, rows, self.y, strict=True))
            G = np.column_stack([c * (r @ x) for c, r, x in zip(self.c, rows, self.X, strict=True)])
        return At(square, G, lambda a: a * linear - a * a * square, linear, square)


class Logistic(Loss):
    """The logistic loss of labels -1 and +1; an intercept by a Newton iteration of one variable a task."""

    def __init__(self, table: Table, scaling: str, fit_intercept: bool) -> None:
        self.X, self.y, self.fit_intercept = table.X, table.y, fit_intercept
        self.c = [1.0 / len(x) if scaling == "mean" else 1.0 for x in self.X]

    def at(self, W: Array) -> At:
        """Value and dual parts at W."""
        value, columns, share = 0.0, [], []
        for x, y, w, c in zip(self.X, self.y, W.T, self.c, strict=True):
            z = x @ w
            if self.fit_intercept:
                z = z + _best_shift(z, y)
            value += c * float(np.logaddexp(0.0, -y * z).sum())
            u = expit(-y * z)
            columns.append(x.T @ (c * y * u))
            share.append((c, u))

        def dual(a: float) -> float:
            return sum(c * float((entr(a * u) + entr(1.0 - a * u)).sum()) for c, u in share)

        return At(value, np.column_stack(columns), dual, largest=1.0)


def _best_shift(z: Array, y: Array) -> float:
    b = 0.0
    for _ in range(100):
        u = expit(-y * (z + b))
        slope, curvature = float(y @ u), float(u @ (1.0 - u))
        move = slope / curvature
        b += float(np.clip(move, -2.0, 2.0))
        if abs(move) <= 1e-15 * max(1.0, abs(b)):
            break
    return b
