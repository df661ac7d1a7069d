"""Any loss over sparse rows: as over dense ones, with products that never make the design dense or centre it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit.rows import RowFit
from mtlref.sparserows import CentredRows, RowSpan, column_means, column_sizes, stacked

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SparseRowFit(RowFit):
    """L(W, b) from sparse rows."""

    # -- sums over columns -------------------------------------------------------------------------------------------

    @cached_property
    def _own(self) -> tuple[Any, ...]:
        """The designs, one where shared."""
        return self.data.X[:1] if self.data.shared else self.data.X

    @cached_property
    def _weights(self) -> tuple[Array | None, ...]:
        d = self.data
        return (None,) * d.T if d.weights is None else d.weights

    @cached_property
    def _centred_rows(self) -> tuple[CentredRows, ...]:
        """The designs about their means where an intercept a task is fitted."""
        centre = self.fit_intercept and not self.pooled_intercept
        return tuple(CentredRows.of(X, s, centre) for X, s in zip(self._own, self._weights, strict=False))

    def _correlations(self, theta: Array) -> Array:
        """(p, T): X_t' θ_t, by 1'θ = 0 about the columns' means where those are large beside what varies."""
        d, rows = self.data, self._centred_rows
        if d.shared and not self.pooled_intercept:
            return np.asarray((theta.reshape(d.T, -1) @ rows[0]).T)
        parts = np.split(theta, self._starts[1:])
        if not self.pooled_intercept:
            return np.column_stack([th @ A for A, th in zip(rows, parts, strict=True)])
        # Σ_t 1'θ_t = 0 allows one mean for all.
        mean = self._common_mean if self.fit_intercept else np.zeros(d.p)
        return np.column_stack([X.T @ th - mean * th.sum() for X, th in zip(d.X, parts, strict=True)])

    @cached_property
    def _common_mean(self) -> Array:
        share = self.c * self.mass
        means = np.array([column_means(X, s) for X, s in zip(self.data.X, self._weights, strict=True)])
        return np.asarray(share @ means / share.sum())

    def _products(self, W: Array) -> tuple[Array, Array]:
        """As of other rows; products with sparse rows are of all columns."""
        return self._products_of_all(W)

    @cached_property
    def _column_sizes(self) -> Array:
        """(T, p) or (1, p): the largest |x_tij| of each column."""
        return np.array([column_sizes(X) for X in self._own])

    @cached_property
    def column_energy(self) -> Array:
        """(T, p): c_t Σ_i s_ti x_tij², centred where an intercept is fitted."""
        pairs = zip(self._own, self._weights, strict=False)
        squares = np.array([CentredRows.of(X, s, self.fit_intercept).squares(s) for X, s in pairs])
        return np.asarray(self.c[:, None] * np.broadcast_to(squares, (self.data.T, self.data.p)))

    # -- curvature ---------------------------------------------------------------------------------------------------

    @cached_property
    def _span(self) -> tuple[RowSpan, Array] | None:
        d = self.data
        if (len(d.y[0]) if d.shared else d.N) >= d.p:
            return None
        return RowSpan.of(stacked(self._own))

    @property
    def row_basis(self) -> Any:
        """(p, k): an orthonormal basis of the span of the rows where they are fewer than the features."""
        return None if self._span is None else self._span[0]

    def _coordinates(self, t: int) -> Array:
        """(n_t, k): the rows of task t in the basis."""
        assert self._span is not None
        start = 0 if self.data.shared else int(self._starts[t])
        return self._span[1][start : start + len(self.data.y[t])]

    def curvature(self, t: int, w: Array, b: float) -> Array:
        """c_t X_t' diag(s_ti l'') X_t, centred where an intercept is fitted; in ``row_basis``."""
        if self._span is not None:
            return super().curvature(t, w, b)
        s = self._bend(t, w, b)
        return np.asarray(
            self.c[t] * CentredRows.of(self.data.X[t], s, self.fit_intercept and bool(s.any())).gram(s)
        )

    def pooled_curvature(self) -> Array:
        """Σ_t c_t X_t' diag(s_t) X_t about the mean of all rows; in ``row_basis``."""
        every = range(self.data.T)
        s = np.concatenate([self.c[t] * self._bend(t, np.zeros(self.data.p), 0.0) for t in every])
        if self._span is None:
            return CentredRows.of(stacked(self.data.X), s, self.fit_intercept).gram(s)
        X = np.vstack([self._coordinates(t) for t in every])
        if self.fit_intercept:
            X = X - (s @ X) / s.sum()
        return np.asarray(X.T @ (s[:, None] * X))

    def _move(self, t: int, s: Array, bend: Array, v: Array) -> tuple[Array, Array]:
        if self._span is not None:
            return super()._move(t, s, bend, v)
        A = CentredRows.of(self.data.X[t], s * bend, self.fit_intercept and bool(s @ bend > 0))
        move = bend * (A @ v)
        return move, np.asarray((s * move) @ A)
