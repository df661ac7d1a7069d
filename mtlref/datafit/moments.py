"""The squared loss over Gram statistics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit.dual import DualPoint
from mtlref.datafit.term import EPS, DataFit, means_times
from mtlref.moments import Moments

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MomentFit(DataFit):
    """L(W, b) of the squared loss, from Moments."""

    data: Moments

    @property
    def mass(self) -> Array:
        """(T,): the sum of each task's weights."""
        return self.data.mass

    @property
    def target_squares(self) -> Array:
        """(T,): Σ_i s_ti y_ti²."""
        return np.asarray(self.data.cyy + self.data.mass * self.data.y_mean**2)

    @property
    def row_basis(self) -> Array | None:
        """None: the rows are not known."""
        return None

    def _products(self, W: Array) -> Array:
        """(p, T): C_t w_t. What the last W gave is kept: a certificate asks for it twice, and between for W = 0."""
        if not W.any():
            return np.zeros(W.shape)
        if not (self._last and np.array_equal(self._last[0], W)):
            self._last[:] = [W.copy(), self._times(W)]
        return self._last[1]

    def _times(self, W: Array) -> Array:
        H = self.data.cxx
        return self.times(H[0], W) if len(H) == 1 else np.matmul(H, W.T[:, :, None])[:, :, 0].T

    @cached_property
    def _last(self) -> list[Array]:
        return []

    def total(self, W: Array, b: Array) -> float:
        """L(W, b); W (p, T), b (T,)."""
        m = self.data
        Hw = self._products(W)
        off = m.y_mean - means_times(m.x_mean, W) - b
        inner = m.cyy - 2 * np.einsum("tj,jt->t", m.cxy, W) + np.einsum("jt,jt->t", W, Hw)
        return float(self.c @ (inner + m.mass * off**2)) / 2

    def best_intercept(self, W: Array) -> Array:
        """(T,): ȳ_t − x̄_t' w_t, or their mean; zeros where no intercept is fitted."""
        if not self.fit_intercept:
            return np.zeros(self.data.T)
        each = self.data.y_mean - means_times(self.data.x_mean, W)
        if self.pooled_intercept:
            share = self.c * self.mass
            return np.full(self.data.T, share @ each / share.sum())
        return np.asarray(each)

    @cached_property
    def column_energy(self) -> Array:
        """(T, p): c_t Σ_i s_ti x_tij², centred where an intercept is fitted."""
        d = self.data
        squares = np.einsum("tjj->tj", d.cxx)
        if not self.fit_intercept:
            squares = squares + d.mass[: len(squares), None] * d.x_mean**2
        return np.asarray(self.c[:, None] * np.broadcast_to(squares, (d.T, d.p)))

    def curvature(self, t: int, w: Array, b: float) -> Array:
        """c_t X_t'X_t, centred where an intercept is fitted."""
        m, k = self.data, (0 if self.data.shared else t)
        H = m.cxx[k] if self.fit_intercept else m.cxx[k] + m.mass[t] * np.outer(m.x_mean[k], m.x_mean[k])
        return np.asarray(self.c[t] * H)

    def pooled_curvature(self) -> Array:
        """Σ_t c_t X_t'X_t about the mean of all rows."""
        own = self.data.per_task()
        share = self.c * own.mass
        apart = own.x_mean - (share @ own.x_mean / share.sum() if self.fit_intercept else 0.0)
        return np.asarray(np.einsum("t,tij->ij", self.c, own.cxx) + (share[:, None] * apart).T @ apart)

    def moved(self, point: DualPoint, W: Array, b: Array, V: Array) -> DualPoint:
        """Never asked for: the squared loss moves W instead."""
        raise AssertionError("moments hold the squared loss alone")

    def dual_point(self, W: Array) -> DualPoint:
        """θ and G at W with the best intercepts."""
        m = self.data
        Hw = self._products(W)
        G = m.cxy.T - Hw
        linear = m.cyy - np.einsum("tj,jt->t", m.cxy, W)
        quadratic = linear - np.einsum("jt,jt->t", W, m.cxy.T - Hw)
        if not self.fit_intercept or self.pooled_intercept:
            # The mean residual is not zero: θ = centred part + mean part.
            x_mean, y_mean = m.x_mean, m.y_mean
            if self.fit_intercept:  # Σ_t 1'θ_t = 0 allows means about the common one: large ones cost nothing
                share = self.c * m.mass / float(self.c @ m.mass)
                x_mean = x_mean - (share @ x_mean if len(x_mean) > 1 else x_mean[0])
                y_mean = y_mean - share @ y_mean
            off = y_mean - means_times(x_mean, W)
            G = G + (m.mass * off) * x_mean.T
            linear = linear + m.mass * off * y_mean
            quadratic = quadratic + m.mass * off**2
        scale = np.sqrt(np.abs(np.einsum("tjj->tj", m.cxx)))
        reach = np.einsum("tj,jt->t", np.broadcast_to(scale, m.cxy.shape), np.abs(W))
        lost = EPS * (np.sqrt(m.cyy) + reach) ** 2
        if not self.fit_intercept or self.pooled_intercept:
            level = np.abs(y_mean) + means_times(np.abs(x_mean), np.abs(W))
            # The means themselves are known to eps of their size, which meets the mean residual.
            slip = EPS * (np.abs(m.y_mean) + means_times(np.abs(m.x_mean), np.abs(W)))
            lost = lost + m.mass * (EPS * level**2 + slip * (np.abs(off) + slip))
        rounding = float(self.c @ lost)
        return DualPoint(self.c * G, self.c * linear, self.c * np.maximum(quadratic, 0.0), None, rounding)

    def free_point(self, W: Array) -> DualPoint:
        """The point of W + V, V the step to min L, in coordinates with a unit diagonal."""
        G = self.dual_point(W).G
        V = np.zeros_like(W)
        blocks = [np.arange(self.data.T)] if self.pooled_intercept else list(np.arange(self.data.T)[:, None])
        for tasks in blocks:
            C = (
                self.pooled_curvature()
                if self.pooled_intercept
                else self.curvature(tasks[0], W[:, tasks[0]], 0.0)
            )
            size = np.sqrt(np.diag(C))
            unit = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
            slope = unit * G[:, tasks].sum(axis=1)
            step = np.linalg.lstsq(C * (unit[:, None] * unit), slope, rcond=1e-13)[0]
            V[:, tasks] = (unit * step)[:, None]
        return self.dual_point(W + V)
