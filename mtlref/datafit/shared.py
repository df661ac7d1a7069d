"""Any loss over the rows of one design for all tasks: (T, n) arrays, and no pass over the design that is not needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit.dual import DualPoint
from mtlref.datafit.rows import KEPT, RowFit
from mtlref.datafit.shortrows import ShortRows
from mtlref.datafit.term import EPS
from mtlref.losses import LOSSES

Array = NDArray[np.float64]
# Rows are centred in blocks of about so many numbers, which stay in the processor's cache.
BLOCK = 2**17
# Fewer rows than this at a time cost more for what they are added to.
FEWEST = 32
# Where fewer than one column in so many is used, gathering those costs less than multiplying all.
SPARSE = 3
# Where more than one row of X'θ in so many is in doubt, all are multiplied.
DOUBTFUL = 25


@dataclass(frozen=True, eq=False)
class SharedRowFit(RowFit):
    """L(W, b) from the rows of one design."""

    @cached_property
    def _targets(self) -> Array:
        """(T, n): targets on one design."""
        return self._y.reshape(self.data.T, -1)

    @cached_property
    def _target_sizes(self) -> Array:
        return np.abs(self._targets)

    @cached_property
    def _target_sums(self) -> Array:
        """(T,): Σ_i s_i |y_ti|."""
        s = self._one_weight
        return np.asarray(self._target_sizes.sum(axis=1) if s is None else self._target_sizes @ s)

    @property
    def _one_weight(self) -> Array | None:
        """(n,): the weights of the rows of one design."""
        return None if self.data.weights is None else self.data.weights[0]

    def _predictions(self, W: Array, used: NDArray[np.intp] | None = None) -> Array:
        """(N,): X W, task after task; columns that no task uses are not looked at. What the last W gave is kept."""
        used = _used(W) if used is None else used
        if not used.size:
            return np.zeros(self._y.size)
        part = W[used]
        if not (self._last and np.array_equal(self._last[0], used) and np.array_equal(self._last[1], part)):
            few = SPARSE * used.size < len(W)
            z = self.times(part.T, self._used_columns(used)) if few else self.times(W.T, self.data.X[0].T)
            self._last[:] = [used, part, z.ravel()]
        return self._last[2]

    def _used_columns(self, used: NDArray[np.intp]) -> Array:
        """``_columns`` that a W uses, for as long as the next uses the same."""
        if not np.array_equal(self._last_used[0], used):
            self._last_used[:] = used, self._columns(used)
        return np.asarray(self._last_used[1])

    @cached_property
    def _last_used(self) -> list[Any]:
        return [np.empty(0), np.empty((0, self._targets.shape[1]))]

    def _columns(self, used: NDArray[np.intp]) -> Array:
        """(k, n): columns of the design, each in a row; they are kept, for the next W uses much the same."""
        X, (place, kept, count) = self.data.X[0], self._known
        fresh = used[place[used] < 0]
        if (count + fresh.size) * len(X) > KEPT:
            place[:], count, fresh = -1, 0, used
        if fresh.size:
            total = count + fresh.size
            if total > len(kept):
                kept = np.concatenate([kept[:count], np.empty((2 * total - count, len(X)))])
            kept[count:total] = np.take(X, fresh, axis=1).T
            place[fresh] = np.arange(count, total)
            self._known[1:] = kept, total
        return np.take(kept, place[used], axis=0)

    @cached_property
    def _known(self) -> list[Any]:
        """[the row of each column in what is kept (p,), or -1; the columns that are kept; how many they are]."""
        return [np.full(self.data.p, -1), np.empty((0, len(self.data.X[0]))), 0]

    def total(self, W: Array, b: Array) -> float:
        """L(W, b); W (p, T), b (T,)."""
        Z = self._predictions(W).reshape(self._targets.shape) + b[:, None]
        losses, s = LOSSES[self.loss].value(self._targets, Z), self._one_weight
        return float(self.c @ (losses.sum(axis=1) if s is None else losses @ s))

    def _squared_point(self, W: Array, b: Array) -> DualPoint:
        if self.pooled_intercept:
            return super()._squared_point(W, b)
        theta, linear, quadratic, rounding = self._squared_values(W, b, _used(W))
        return DualPoint(self._correlations(theta), linear, quadratic, None, rounding)

    def long_rows_point(self, W: Array, least: float) -> tuple[NDArray[np.intp] | slice, DualPoint]:
        """As of all fits: the rows are those that (B) of ``shortrows`` does not show to be short."""
        if self.loss != "squared" or self.pooled_intercept:
            return slice(None), self.dual_point(W)
        used = _used(W)
        theta, linear, quadratic, rounding = self._squared_values(W, self.best_intercept(W), used)
        rows, G = self._long_rows(theta, used, least)
        return rows, DualPoint(G, linear, quadratic, None, rounding)

    def _long_rows(
        self, theta: Array, used: NDArray[np.intp], least: float
    ) -> tuple[NDArray[np.intp] | slice, Array]:
        """(``used`` and the rows of X'θ that may be as long as ``least`` or as the longest of those, X'θ in them)."""
        p, known = self.data.p, self._known_points
        if known.ready and 0 < SPARSE * used.size < p:
            inside = self.times(theta, self._about_means(self._used_columns(used), used).T)
            longest = float(np.sqrt(np.einsum("tj,tj->j", inside, inside).max()))
            doubt = known.doubtful(theta, self._lengths, min(least, longest))
            doubt[used] = False
            doubtful = np.flatnonzero(doubt)
            if DOUBTFUL * doubtful.size <= p:
                further = self.times(theta, self._about_means(self._columns(doubtful), doubtful).T)
                return np.concatenate([used, doubtful]), np.hstack([inside, further]).T
        G = self._correlations(theta)
        known.add(theta, G.T)
        return slice(None), G

    def _about_means(self, columns: Array, features: NDArray[np.intp]) -> Array:
        """(k, n): columns as ``_correlations`` takes them."""
        return columns - self._column_means[0, features, None] if self.fit_intercept else columns

    @cached_property
    def _known_points(self) -> ShortRows:
        return ShortRows(self.times)

    @cached_property
    def _lengths(self) -> Array:
        """(p,): ‖x_j‖ of the columns, about their means where an intercept is fitted."""
        return np.sqrt(self._squares(None))

    def _squared_values(
        self, W: Array, b: Array, used: NDArray[np.intp]
    ) -> tuple[Array, Array, Array, float]:
        """(θ (T, n), the two values (T,) of a dual point, their rounding)."""
        Y, s, total = self._targets, self._one_weight, float(self.mass[0])
        Z = self._predictions(W, used).reshape(Y.shape)
        residual = Y - Z
        if self.fit_intercept:
            residual -= b[:, None]
            for _ in range(2):
                residual -= (residual.mean(axis=1) if s is None else residual @ s / total)[:, None]
        theta = self.c[:, None] * residual
        if s is not None:
            theta *= s
        quadratic = np.einsum("ti,ti->t", theta, residual)
        # θ'(y − b) with y − b = residual + z: no digits are lost to a large mean of y.
        linear = quadratic + np.einsum("ti,ti->t", theta, Z)
        reach, sizes = self._reach(W, b, used), np.abs(theta)
        met = np.einsum("ti,ti->t", sizes, self._target_sizes) + reach * sizes.sum(axis=1)
        squares = self.c * (self.target_squares + 2 * reach * self._target_sums + reach**2 * total)
        rounding = EPS * float(met.sum()) + EPS**2 * float(squares.sum())
        return theta, linear, quadratic, rounding

    def _correlations(self, theta: Array) -> Array:
        """(p, T): X' θ, by 1'θ = 0 about the columns' means, so that large ones cost no digits."""
        X, theta = self.data.X[0], theta.reshape(self.data.T, -1)
        if not self.fit_intercept or X.size <= KEPT:
            return self.times(theta, self._designs()[0]).T
        mean = self._column_means[0]
        G = np.zeros((len(theta), X.shape[1]))
        rows = max(FEWEST, BLOCK // X.shape[1])
        for i in range(0, len(X), rows):
            G += self.times(theta[:, i : i + rows], X[i : i + rows] - mean)
        return G.T

    @cached_property
    def column_energy(self) -> Array:
        """(T, p): c_t Σ_i s_i x_ij², centred where an intercept is fitted: one sum for all tasks."""
        return np.asarray(self.c[:, None] * self._squares(self._one_weight))

    def _squares(self, s: Array | None) -> Array:
        """(p,): Σ_i s_i x_ij², about the columns' means where an intercept is fitted."""
        X = self.data.X[0]
        if not self.fit_intercept and s is None:
            return np.einsum("ij,ij->j", X, X)
        mean = self._column_means[0] if self.fit_intercept else 0.0
        squares = np.zeros(X.shape[1])
        rows = max(FEWEST, BLOCK // X.shape[1])
        for i in range(0, len(X), rows):
            apart = X[i : i + rows] - mean
            squares += (
                np.einsum("ij,ij->j", apart, apart) if s is None else s[i : i + rows] @ np.square(apart)
            )
        return squares

    def _reach(self, W: Array, b: Array, used: NDArray[np.intp] | None = None) -> Array:
        """(T,): as for other rows; the sizes of the columns that are used, each looked at once."""
        used, known = _used(W) if used is None else used, self._known_sizes
        fresh = used[np.isnan(known[used])]
        if SPARSE * fresh.size >= len(W):
            known[:] = self._column_sizes[0]
        elif fresh.size:
            known[fresh] = np.abs(np.take(self.data.X[0], fresh, axis=1)).max(axis=0)
        return known[used] @ np.abs(W[used]) + np.abs(b)

    @cached_property
    def _known_sizes(self) -> Array:
        """(p,): the sizes of the columns of one design as far as they were asked for, NaN elsewhere."""
        return np.full(self.data.p, np.nan)


def _used(W: Array) -> NDArray[np.intp]:
    """The rows of W (p, T) that are not zero."""
    return np.flatnonzero((W != 0).any(axis=1))
