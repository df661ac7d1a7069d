"""Any loss over the rows. Those of all tasks stand in one array after the other, so that sums are not loops."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit.curvature import RowCurvature
from mtlref.datafit.dual import DualPoint
from mtlref.datafit.intercept import logistic_intercept, logistic_intercepts
from mtlref.datafit.term import EPS, means_times
from mtlref.linalg.fewrows import rows_in_use
from mtlref.losses import LOSSES

Array = NDArray[np.float64]
# Centred designs of up to so many numbers are kept for the next certificate; larger ones are centred anew each time.
KEPT = 2**23
# Rows of about so many numbers are looked at twice in a row, in the processor's cache.
BLOCK = 2**16
# Where tasks have as many numbers, looking at them once is worth what the steps a task cost.
LONG = 2**13
# So many rows of so few numbers are compared several at a time: one by one they cost more than their numbers do.
MANY, SHORT = 2**8, 2**7
# Where fewer than one column in so many is used, those are looked at alone.
FEW = 5


@dataclass(frozen=True, eq=False)
class RowFit(RowCurvature):
    """L(W, b) from the rows."""

    # -- the rows of all tasks, (N,) ---------------------------------------------------------------------------------

    @cached_property
    def _y(self) -> Array:
        return np.concatenate(self.data.y)

    @cached_property
    def _s(self) -> Array:
        """Row weights."""
        d = self.data
        return np.ones(len(self._y)) if d.weights is None else np.concatenate(d.weights)

    @cached_property
    def _starts(self) -> NDArray[np.intp]:
        return np.concatenate([[0], np.cumsum(self.data.n)[:-1]]).astype(np.intp)

    @cached_property
    def _share(self) -> Array:
        """c_t s_ti."""
        return self._spread(self.c) * self._s

    @cached_property
    def _blocks(self) -> list[slice]:
        """The rows of each task."""
        return [slice(start, start + n) for start, n in zip(self._starts, self.data.n, strict=True)]

    def _spread(self, v: Array) -> Array:
        """A number a task to all its rows."""
        return np.repeat(v, self.data.n)

    def _sums(self, v: Array) -> Array:
        """(T,): a number a row, summed over each task."""
        return np.add.reduceat(v, self._starts)

    def _predictions(self, W: Array) -> Array:
        """x_ti' w_t. What the last W gave is kept: a certificate asks for it several times, and between for W = 0."""
        none = not W.any()
        if not (none or (self._last and np.array_equal(self._last[0], W))):
            self._last[:] = [W.copy(), *self._products(W)]
        return np.zeros(len(self._y)) if none else self._last[1]

    def _products(self, W: Array) -> tuple[Array, Array]:
        """(x_ti' w_t (N,), Σ_j |w_jt| max_i |x_tij| (T,)); where few columns are used, these alone are looked at."""
        used, X = rows_in_use(W), self.data.X
        few = FEW * used.size < self.data.p
        if not few and sum(x.size for x in X) < LONG * len(X):
            return self._products_of_all(W)
        z, reach, G = np.empty(len(self._y)), np.empty(self.data.T), np.empty((self.data.T, self.data.p))
        sizes = None if few or "_column_sizes" in self.__dict__ else np.empty_like(G)
        # Then θ of a task follows from its predictions alone, and its rows are read from memory once.
        alone = self.loss == "squared" and not self.fit_intercept
        for t, (x, rows, w) in enumerate(zip(X, self._blocks, W[used].T if few else W.T, strict=True)):
            # No index is out of bounds; to be told so spares NumPy a look.
            columns = x.take(used, axis=1, mode="clip") if few else x
            np.matmul(columns, w, out=z[rows])
            if alone:
                np.matmul(self._share[rows] * (self._y[rows] - z[rows]), x, out=G[t])
            if few:
                reach[t] = np.abs(columns, out=columns).max(axis=0) @ np.abs(w)
            elif sizes is not None:
                sizes[t] = _sizes(x)
        if sizes is not None:
            self.__dict__["_column_sizes"] = sizes
        self._passed[:] = [z, G.T] if alone else []
        return z, reach if few else means_times(self._column_sizes, np.abs(W))

    def _products_of_all(self, W: Array) -> tuple[Array, Array]:
        """The same from all columns, whatever their number."""
        z = np.concatenate([x @ w for x, w in zip(self.data.X, W.T, strict=True)])
        return z, means_times(self._column_sizes, np.abs(W))

    @cached_property
    def _passed(self) -> list[Any]:
        """[predictions, the X_t' θ_t that were found with them]."""
        return []

    @cached_property
    def _last(self) -> list[Any]:
        return []

    # -- the term ----------------------------------------------------------------------------------------------------

    @cached_property
    def mass(self) -> Array:
        """(T,): the sum of each task's weights."""
        return self._sums(self._s)

    @cached_property
    def target_squares(self) -> Array:
        """(T,): Σ_i s_ti y_ti²."""
        return self._sums(self._s * self._y**2)

    def total(self, W: Array, b: Array) -> float:
        """L(W, b); W (p, T), b (T,)."""
        losses = LOSSES[self.loss].value(self._y, self._predictions(W) + self._spread(b))
        return float(self.c @ self._sums(self._s * losses))

    def best_intercept(self, W: Array) -> Array:
        """(T,): argmin_b L(W, b), zeros where no intercept is fitted."""
        T = self.data.T
        if not self.fit_intercept:
            return np.zeros(T)
        z = self._predictions(W)
        if self.loss == "squared":
            each = self._sums(self._s * (self._y - z)) / self.mass
            if self.pooled_intercept:
                share = self.c * self.mass
                return np.full(T, share @ each / share.sum())
            return np.asarray(each)
        if self.pooled_intercept:
            return np.full(T, logistic_intercept(self._y, z, self._share))
        return logistic_intercepts(self._y, z, self._s, self._starts)

    def dual_point(self, W: Array) -> DualPoint:
        """θ and G at W with the best intercepts."""
        b = self.best_intercept(W)
        return self._squared_point(W, b) if self.loss == "squared" else self._point(W, b)

    def _squared_point(self, W: Array, b: Array) -> DualPoint:
        y, level, z = self._y, self._spread(b), self._predictions(W)
        residual = y - z - level
        if self.fit_intercept and self.pooled_intercept:
            # What rounding left of Σ_t 1'θ_t goes: the targets' mean and the columns' would multiply it.
            residual = residual - float(self._share @ residual) / float(self.c @ self.mass)
        elif self.fit_intercept:
            for _ in range(2):  # the second pass takes off the rounding of the first
                residual = residual - self._spread(self._sums(self._s * residual) / self.mass)
        theta = self._share * residual
        # 1'θ = 0 allows y − b in place of y, which loses no digits to a large mean of y.
        linear, quadratic = self._sums(theta * (y - level)), self._sums(theta * residual)
        size = EPS * (np.abs(y) + self._spread(self._reach(W, b)))
        rounding = float(np.abs(theta) @ size) + float(self._share @ size**2)
        found = self._passed[1] if self._passed and self._passed[0] is z else self._correlations(theta)
        return DualPoint(found, linear, quadratic, None, rounding)

    def free_point(self, W: Array) -> DualPoint:
        """θ at W without its part in the span of the columns, which QR of the rows finds whatever their condition."""
        level, root = self._spread(self.best_intercept(W)), np.sqrt(self._share)
        u = root * (self._y - self._predictions(W) - level)
        X, blocks = self._designs(), self._blocks
        if self.pooled_intercept:  # one w: the columns of all tasks stand below one another
            X, blocks = (np.vstack([X[k % len(X)] for k in range(self.data.T)]),), [slice(None)]
        for k, rows in enumerate(blocks):
            if k == 0 or len(X) > 1:
                A = np.column_stack([np.full(len(X[k]), float(self.fit_intercept)), X[k]]) * root[rows, None]
                size = np.linalg.norm(A, axis=0)
                Q = np.linalg.qr(A[:, size > 0] / size[size > 0])[0]
            u[rows] -= Q @ (Q.T @ u[rows])
            u[rows] -= Q @ (Q.T @ u[rows])  # the rounding of the first pass
        theta, y = root * u, self._y - level
        values = self._sums(theta * y), self._sums(u * u)
        return DualPoint(self._correlations(theta), *values, None, EPS * float(np.abs(theta) @ np.abs(y)))

    def _point(self, W: Array, b: Array) -> DualPoint:
        slope = LOSSES[self.loss].grad(self._y, self._predictions(W) + self._spread(b))
        reach = self._spread(self._reach(W, b))
        rounding = EPS * float(self._share @ (1.0 + np.abs(slope) * reach))
        terms = (-slope * self._y, self._share, self._starts)
        return DualPoint(self._correlations(-self._share * slope), None, None, terms, rounding)

    def _correlations(self, theta: Array) -> Array:
        """(p, T): X_t' θ_t, by 1'θ = 0 about the columns' means, so that large ones cost no digits."""
        X = self._designs()
        G = np.empty((len(X), self.data.p))
        for x, rows, g in zip(X, self._blocks, G, strict=True):
            np.matmul(theta[rows], x, out=g)
        return G.T

    def _designs(self) -> tuple[Array, ...]:
        """The designs, centred where an intercept is fitted; one where shared."""
        X = self.data.X[:1] if self.data.shared else self.data.X
        if not self.fit_intercept:
            return X
        return self._centred if sum(x.size for x in X) <= KEPT else self._centre(X)

    @cached_property
    def _centred(self) -> tuple[Array, ...]:
        return self._centre(self.data.X[:1] if self.data.shared else self.data.X)

    def _centre(self, X: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(x - m for x, m in zip(X, self._column_means[: len(X)], strict=True))

    @cached_property
    def _column_sizes(self) -> Array:
        """(T, p) or (1, p): the largest |x_tij| of each column."""
        return np.array([_sizes(x) for x in (self.data.X[:1] if self.data.shared else self.data.X)])

    def _reach(self, W: Array, b: Array) -> Array:
        """(T,): a bound on the terms of which predictions are the sum, and so on their rounding in units of eps."""
        if not W.any():
            return np.abs(b)
        self._predictions(W)
        return np.asarray(self._last[2] + np.abs(b))


def _sizes(x: Array) -> Array:
    """(p,): the largest |x_ij| of each column of x (n, p)."""
    n, p = x.shape
    if n * p > BLOCK and p <= BLOCK // 2:
        half = n // 2
        return np.maximum(_sizes(x[:half]), _sizes(x[half:]))
    side = isqrt(n) if n >= MANY and p <= SHORT else 1
    if side > 1:
        whole = n // side * side
        wide = x[:whole].reshape(-1, side * p)
        size = np.maximum(wide.max(axis=0), -wide.min(axis=0)).reshape(side, p).max(axis=0)
        return size if whole == n else np.maximum(size, _sizes(x[whole:]))
    return np.maximum(x.max(axis=0), -x.min(axis=0))
