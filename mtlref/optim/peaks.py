"""Row maxima, Σ_j max_t |V[t, j]|, for the solvers of ``sparse.py``: prox, optimality conditions, Newton's step.

Near an answer every row is zero, or has a level m_j which some tasks hold (with signs s_tj) and below which the others
are free. On that structure the problem is a quadratic in the levels and the free entries; eliminating each task's free
entries leaves a system of the size of the active rows. The structure is read off V + g/σ, as the prox reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.quadratic import Quadratic
from mtlref.optim.stacks import inverse_factors, principal

Array = NDArray[np.float64]
# Holds what the data leave free where it is (duplicate columns, few rows), and slows Newton's method by nothing seen.
PROXIMAL = 1e-10


@dataclass(frozen=True)
class Peaks:
    """Σ_j threshold_j max_t |V[t, j]|; threshold (p,). V (T, p)."""

    threshold: Array

    @staticmethod
    def strength(g: Array) -> Array:
        """(p,): Σ_t |g_tj|, which a feature at zero keeps below its threshold."""
        return np.asarray(np.abs(g).sum(axis=0))

    def shrink(self, V: Array, step: float) -> Array:
        """The prox of step · penalty: entries are cut at their column's level."""
        m = levels(V, step * self.threshold)
        return np.clip(V, -m, m)

    def value(self, V: Array) -> float:
        """Σ_j threshold_j max_t |V[t, j]|."""
        return float(self.threshold @ np.abs(V).max(axis=0))

    def residual(self, V: Array, g: Array) -> float:
        """How far V is from prox(V + σ g), σ_j = max_t |V[t, j]| / threshold_j, relative to that maximum.

        A number without units; at zero rows the excess of Σ_t |g_tj| relative to the threshold.
        """
        top = np.abs(V).max(axis=0)
        miss = np.maximum(self.strength(g) / self.threshold - 1.0, 0.0)
        on = top > 0
        if on.any():
            unit = V[:, on] / top[on]
            u = unit + g[:, on] / self.threshold[on]
            m = levels(u, np.ones(u.shape[1]))
            miss[on] = np.abs(np.clip(u, -m, m) - unit).max(axis=0)
        return float(miss.max())

    def newton(self, q: Quadratic, V: Array, g: Array, damping: float) -> Array | None:
        """The step to the minimum on the structure that the prox of V + g/σ shows, σ_tj = H_tjj.

        Free entries that would pass their level stop at it.
        """
        assert q.H is not None
        bend = np.broadcast_to(q.diagonal, V.shape)
        bend = np.where(bend > 0, bend, 1.0)
        u = V + g / bend
        level = levels(u, self.threshold, bend)
        on = np.flatnonzero(level > 0)
        step = -V
        if on.size == 0:
            return step
        u, level, a = u[:, on], level[on], on.size
        tied = np.abs(u) >= level
        S = np.where(tied, np.sign(u), 0.0)
        shift = PROXIMAL + damping
        H = np.broadcast_to(principal(q.H, on), (q.T, a, a))
        r = q.r[:, on] + shift * V[:, on]
        HS = H * S[:, None, :]
        # Each task's free entries first, filled up to as many as any has with rows and columns of the identity.
        free = ~tied
        most = max(int(free.sum(axis=1).max()), 1)
        where = np.argsort(tied, axis=1, kind="stable")[:, :most]
        kept = np.take_along_axis(free, where, axis=1)
        task = np.arange(q.T)[:, None]
        K = H[task[:, :, None], where[:, :, None], where[:, None, :]] * (kept[:, :, None] & kept[:, None, :])
        diagonal = np.arange(most)
        K[:, diagonal, diagonal] += np.where(kept, shift, 1.0)
        try:
            X = inverse_factors(K, 0.0)  # of the factors of K = L L'
            half = np.matmul(X, (r[task, where] * kept)[:, :, None])
            C = np.matmul(X, HS[task, where] * kept[:, :, None])
            # Free entries are K⁻¹ (r − H S m) for levels m; those must solve M m = Σ_t S (r − H x) − threshold.
            x = np.zeros((q.T, a))
            x[task, where] = np.matmul(half.transpose(0, 2, 1), X)[:, 0]
            pull = S * (r - np.matmul(H, x[:, :, None])[:, :, 0])
            tall = C.reshape(-1, a)
            M = np.einsum("tj,tjk->jk", S, HS) - tall.T @ tall
            M[np.arange(a), np.arange(a)] += shift * np.square(S).sum(axis=0)
            m = np.linalg.solve((M + M.T) / 2, pull.sum(axis=0) - self.threshold[on])
        except np.linalg.LinAlgError:
            return None
        z = S * m
        z[task, where] += np.matmul((half - np.matmul(C, m[:, None])).transpose(0, 2, 1), X)[:, 0] * kept
        step[:, on] = z - V[:, on]
        return step if np.isfinite(step).all() else None

    def activate(self, q: Quadratic, V: Array, g: Array) -> Array:
        """V: the step itself lets rows enter and leave."""
        return V


def levels(V: Array, budget: Array, weight: Array | None = None) -> Array:
    """(p,): the m_j with Σ_t weight_tj (|V[t, j]| − m_j)₊ = budget_j, zero where m_j = 0 leaves less than that.

    Cutting at m is the prox of budget · max in the metric of the weights (ones where there are none); without weights
    what is cut off is the projection onto the l1 ball (Moreau). The sum is the largest of
    Σ_{i <= k} weight_i (|v|_i − m) over k, entries in falling order, so that m is the largest of the levels that each
    k alone would give.
    """
    order = np.argsort(-np.abs(V), axis=0)
    size = np.take_along_axis(np.abs(V), order, axis=0)
    if weight is None:
        each = (np.cumsum(size, axis=0) - budget) / np.arange(1, len(V) + 1)[:, None]
    else:
        own = np.take_along_axis(weight, order, axis=0)
        each = (np.cumsum(own * size, axis=0) - budget) / np.cumsum(own, axis=0)
    return np.maximum(each.max(axis=0), 0.0)
