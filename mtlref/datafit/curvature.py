"""How a loss over rows bends, for the dual points that are moved along it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit.dual import DualPoint
from mtlref.datafit.term import DataFit
from mtlref.losses import LOSSES
from mtlref.sparserows import RowSpan
from mtlref.tasks import TaskData

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RowCurvature(DataFit):
    """Means, second derivatives and the moves along them, from the rows."""

    data: TaskData

    @cached_property
    def _column_means(self) -> Array:
        """(T, p) or (1, p)."""
        d = self.data
        count = 1 if d.shared and not self.pooled_intercept else d.T
        s = (None,) * count if d.weights is None else d.weights[:count]
        means = np.array([_mean(x, w) for x, w in zip(d.X[:count], s, strict=True)])
        if self.pooled_intercept:
            share = (self.c * self.mass)[:, None]
            return np.asarray(np.repeat((share * means).sum(0, keepdims=True) / share.sum(), d.T, axis=0))
        return means

    @cached_property
    def row_basis(self) -> Any:
        """(p, k): an orthonormal basis of the span of the rows where they are fewer than the features."""
        d = self.data
        if (len(d.y[0]) if d.shared else d.N) >= d.p:
            return None
        rows = d.X[0] if d.shared else np.vstack(d.X)
        found = RowSpan.of_many(rows)
        return np.linalg.qr(rows.T)[0] if found is None else found[0]

    @cached_property
    def column_energy(self) -> Array:
        """(T, p): c_t Σ_i s_ti x_tij², centred where an intercept is fitted."""
        d = self.data
        energy = np.empty((d.T, d.p))
        for t, X in enumerate(d.X):
            s = np.ones(len(X)) if d.weights is None else d.weights[t]
            energy[t] = self.c[t] * (s @ np.square(X - (_mean(X, s) if self.fit_intercept else 0.0)))
        return energy

    def _bend(self, t: int, w: Array, b: float) -> Array:
        """(n_t,): s_ti l''."""
        X, y = self.data.X[t], self.data.y[t]
        s = np.ones(len(y)) if self.data.weights is None else self.data.weights[t]
        return s if self.loss == "squared" else np.asarray(s * LOSSES[self.loss].hess(y, X @ w + b))

    def _coordinates(self, t: int) -> Array:
        """(n_t, k): the rows of task t, in ``row_basis`` where there is one."""
        X = self.data.X[t]
        return X if self.row_basis is None else np.asarray(X @ self.row_basis)

    def curvature(self, t: int, w: Array, b: float) -> Array:
        """c_t X_t' diag(s_ti l'') X_t, centred where an intercept is fitted; in ``row_basis``."""
        s, X = self._bend(t, w, b), self._coordinates(t)
        if self.fit_intercept and s.any():
            X = X - (s @ X) / s.sum()
        return np.asarray(self.c[t] * (X.T @ (s[:, None] * X)))

    def pooled_curvature(self) -> Array:
        """Σ_t c_t X_t' diag(s_t) X_t about the mean of all rows; in ``row_basis``."""
        total: Array | float = 0.0
        for t, X in enumerate(self.data.X):
            Xc = X - self._column_means[t] if self.fit_intercept else X
            Xc = Xc if self.row_basis is None else Xc @ self.row_basis
            s = self.c[t] if self.data.weights is None else self.c[t] * self.data.weights[t][:, None]
            total = total + Xc.T @ (s * Xc)
        return np.asarray(total)

    def moved(self, point: DualPoint, W: Array, b: Array, V: Array) -> DualPoint:
        """The point at θ_t − D_t X_t v_t, rows centred by D_t where an intercept is fitted; V in ``row_basis``."""
        assert point.terms is not None
        a, weight, starts = point.terms
        a, G = a.copy(), point.G.copy()
        ends = np.append(starts[1:], len(a))
        for t, X in enumerate(self.data.X):
            rows = slice(starts[t], ends[t])
            bend = LOSSES[self.loss].hess(self.data.y[t], X @ W[:, t] + b[t])
            move, lost = self._move(t, weight[rows], bend, V[:, t])
            a[rows] -= self.data.y[t] * move
            G[:, t] -= lost
        return DualPoint(G, None, None, (a, weight, starts), point.rounding)

    def _move(self, t: int, s: Array, bend: Array, v: Array) -> tuple[Array, Array]:
        """(l'' x' v (n_t,), what G_t loses by it (p,)), rows of weights s centred where an intercept is fitted."""
        X, total = self._coordinates(t), s @ bend
        if self.fit_intercept and total > 0:
            X = X - ((s * bend) @ X) / total
        move = bend * (X @ v)
        lost = X.T @ (s * move)
        return move, lost if self.row_basis is None else self.row_basis @ lost


def _mean(x: Array, s: Array | None) -> Array:
    return np.asarray(x.mean(axis=0) if s is None else (s @ x) / s.sum())
