"""The rows of a fit and Newton's quadratics of the logistic loss over them.

Shares no code with the certificates: those sum the losses over the rows again (losses.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.moments import Moments
from mtlref.optim.quadratic import Quadratic
from mtlref.sparserows import CentredRows, column_means
from mtlref.tasks import TaskData

Array = NDArray[np.float64]

# A dense H_t is worth its p² numbers while a task has at least this share of p rows.
DENSE_ROWS = 0.5
# Of sparse rows, whose factors are products and not numbers, up to so many features always.
SMALL_GRAM = 1000


@dataclass(frozen=True, eq=False)
class RowsProblem:
    """Data, loss and intercept of one fit; ``c`` (T,) multiplies each task's sum, ``tol`` is the gap asked for."""

    data: TaskData | Moments
    loss: str
    c: Array
    fit_intercept: bool
    tol: float = 1e-6

    @property
    def T(self) -> int:
        """Number of tasks."""
        return self.data.T

    @property
    def p(self) -> int:
        """Number of features."""
        return self.data.p

    @property
    def wide(self) -> bool:
        """Whether tasks have so few rows that factors are smaller than Gram matrices."""
        return few_rows(self.data)

    @cached_property
    def masses(self) -> tuple[Array, ...]:
        """c_t s_ti of every row."""
        d = self.data
        assert isinstance(d, TaskData)
        return tuple(
            np.full(len(y), self.c[t]) if d.weights is None else self.c[t] * d.weights[t]
            for t, y in enumerate(d.y)
        )

    def predictions(self, V: Array, b: Array) -> list[Array]:
        """z_t = X_t v_t + b_t."""
        d = self.data
        assert isinstance(d, TaskData)
        if d.shared:
            return list(V @ d.X[0].T + b[:, None])
        return [X @ v + bt for X, v, bt in zip(d.X, V, b, strict=True)]

    @cached_property
    def _rows(self) -> tuple[Array, Array, NDArray[np.intp]]:
        """(y, c_t s_ti, where tasks begin) of the rows of all tasks, one after the other."""
        d = self.data
        assert isinstance(d, TaskData)
        return np.concatenate(d.y), np.concatenate(self.masses), np.cumsum(d.n)[:-1].astype(np.intp)

    def logistic_value(self, z: list[Array]) -> float:
        """Σ_ti c_t s_ti log(1 + exp(−y_ti z_ti))."""
        y, mass, _ = self._rows
        return float(mass @ np.logaddexp(0.0, -y * np.concatenate(z)))

    def logistic_slope(self, z: list[Array], dz: list[Array]) -> float:
        """The derivative of ``logistic_value`` at z along dz."""
        y, mass, _ = self._rows
        return -float((mass * y * expit(-y * np.concatenate(z))) @ np.concatenate(dz))

    def newton_model(self, V: Array, z: list[Array], share: float = 0.0) -> tuple[Quadratic, Array, Array]:
        """(q, offset, slopes): the second-order model of the logistic loss at z, its intercepts eliminated.

        q is the model as a function of the new V, offset (T,) and slopes (T, p) give the intercepts' step:
        b_new − b = offset − slopes · (V_new − V), row by row. share : of the way from the loss's own curvature to
        ``majorising_curvature``; at one the model lies nowhere below the loss.
        """
        d = self.data
        assert isinstance(d, TaskData)
        T, p = V.shape
        r, offset, slopes = np.empty((T, p)), np.zeros(T), np.zeros((T, p))
        wide = self.wide
        H = None if wide else np.empty((T, p, p))
        factors: list[Any] = []
        y, mass, begins = self._rows
        flat = y * np.concatenate(z)
        away = expit(-flat)
        bends = away * expit(flat)
        if share:
            bends += share * (majorising_curvature(flat) - bends)
        parts = zip(d.X, np.split(-mass * y * away, begins), np.split(mass * bends, begins), strict=True)
        for t, (X, slope, bend) in enumerate(parts):
            total = float(bend.sum())
            if d.sparse:
                A = CentredRows.of(X, bend, self.fit_intercept and total > 0)
                gradient = slope @ A
                if self.fit_intercept and total > 0:
                    offset[t], slopes[t] = -slope.sum() / total, column_means(X, bend)
                if H is None:
                    factors.append(A.scaled(np.sqrt(bend)))
                    r[t] = (factors[t] @ V[t]) @ factors[t] - gradient
                else:
                    H[t] = A.gram(bend)
                    r[t] = H[t] @ V[t] - gradient
                continue
            Xc = X
            if self.fit_intercept and total > 0:
                mean = (bend @ X) / total
                Xc = X - mean
                offset[t], slopes[t] = -slope.sum() / total, mean
            gradient = slope @ Xc
            root = np.sqrt(bend)[:, None] * Xc
            if H is None:
                factors.append(root)
                r[t] = (root @ V[t]) @ root - gradient
            else:
                H[t] = root.T @ root
                r[t] = H[t] @ V[t] - gradient
        return Quadratic(r, H, None if H is not None else tuple(factors)), offset, slopes

    @cached_property
    def null_intercept(self) -> Array:
        """(T,): the best intercepts at V = 0 under the logistic loss."""
        d = self.data
        assert isinstance(d, TaskData)
        if not self.fit_intercept:
            return np.zeros(self.T)
        up = np.array([float(m[y > 0].sum()) for m, y in zip(self.masses, d.y, strict=True)])
        down = np.array([float(m[y < 0].sum()) for m, y in zip(self.masses, d.y, strict=True)])
        return np.asarray(np.log(up) - np.log(down))


def few_rows(data: TaskData | Moments) -> bool:
    """Whether tasks have so few rows that factors are smaller than Gram matrices."""
    if isinstance(data, Moments) or (data.sparse and data.p <= SMALL_GRAM):
        return False
    return float(data.n.max()) <= DENSE_ROWS * data.p


def majorising_curvature(z: Array) -> Array:
    """tanh(z/2) / (2 z): of the parabola through log(1 + exp(−z)) with its slope, which lies nowhere below it.

    It falls off as 1/z where the loss's own curvature does as exp(−abs(z)). Jaakkola & Jordan 2000, Bayesian parameter
    estimation via variational methods, section 2.
    """
    half = np.abs(z) / 2
    return np.divide(np.tanh(half), 4 * half, out=np.full_like(half, 0.25), where=half > 1e-8)
