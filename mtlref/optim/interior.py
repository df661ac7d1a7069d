"""An interior-point method for a quadratic plus row maxima, which no conditioning keeps from its answer.

With levels m (p,) and slacks a = m − V >= 0, b = m + V >= 0, whose multipliers are α and β (all (T, p)), the problem
min q(V) + Σ_j threshold_j m_j has the conditions

    HV − r + α − β = 0,    Σ_t (α + β)_tj = threshold_j,    α a = β b = μ,    μ → 0.

Newton's step on them: K_t = H_t + diag(α/a + β/b) for each task, by its rows where they are few, and one system of the
size of the features for the levels. Mehrotra 1992, On the implementation of a primal-dual interior point method:
predictor and corrector.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.quadratic import Quadratic
from mtlref.optim.stacks import inverse_factors

Array = NDArray[np.float64]
# The share of the way to the boundary that a step may go.
NEARLY = 0.995
MOST_STEPS = 80
NEAR = 1e-6


def interior(q: Quadratic, threshold: Array) -> Iterator[tuple[Array, float]]:
    """Yields (V, miss): miss is the mean complementarity and the largest defect, relative to the threshold's scale.

    q dense with about a unit diagonal. Starts at zero: near an answer's boundary the method would creep. Ends where the
    steps no longer help.
    """
    assert q.H is not None
    T, p = q.r.shape
    V = np.zeros((T, p))
    size = float(np.abs(q.r).max()) / 10 or 1.0
    # Slacks are carried along: formed anew from m and V they would lose their digits where they are small.
    a, b = np.full((T, p), size), np.full((T, p), size)
    alpha = np.tile(threshold / (2 * T), (T, 1))
    beta = alpha.copy()
    scale = float(threshold.max())
    best = np.inf
    for _ in range(MOST_STEPS):
        slope = q.times(V) - q.r
        lost = slope + alpha - beta
        mu = float((alpha * a).sum() + (beta * b).sum()) / (2 * T * p)
        miss = mu / (scale * size) + float(np.abs(lost).max()) / scale
        # Near the boundary the levels' system is a difference of large numbers: there rounding turns the steps back.
        if best <= NEAR and miss >= best:
            return
        best = min(best, miss)
        yield V, miss
        P, Q = alpha / a, beta / b
        try:
            blocks: _Blocks = _Dense.of(q, P + Q) if q.root is None else _FewRows.of(q, P + Q)
            newton = _Newton(blocks, blocks.levels(P, Q), Q - P, P, Q, slope, alpha, beta, threshold)
            dV, dm, dalpha, dbeta = newton.step(np.zeros_like(a), np.zeros_like(b))
            reach = _reach((a, dm - dV), (b, dm + dV), (alpha, dalpha), (beta, dbeta))
            ahead = float(
                ((alpha + reach * dalpha) * (a + reach * (dm - dV))).sum()
                + ((beta + reach * dbeta) * (b + reach * (dm + dV))).sum()
            ) / (2 * T * p)
            aim = mu * min(ahead / mu, 1.0) ** 3
            dV, dm, dalpha, dbeta = newton.step((aim - dalpha * (dm - dV)) / a, (aim - dbeta * (dm + dV)) / b)
        except np.linalg.LinAlgError:
            return
        reach = NEARLY * _reach((a, dm - dV), (b, dm + dV), (alpha, dalpha), (beta, dbeta))
        reach = min(reach, 1.0)
        if not (np.isfinite(dV).all() and np.isfinite(dm).all() and reach > 1e-10):
            return
        V = V + reach * dV
        a, b = a + reach * (dm - dV), b + reach * (dm + dV)
        alpha, beta = alpha + reach * dalpha, beta + reach * dbeta


class _Blocks(Protocol):
    """The K_t = H_t + diag(P + Q)_t of all tasks."""

    def solve(self, R: Array) -> Array:
        """(T, p): rows K_t⁻¹ r_t."""

    def levels(self, P: Array, Q: Array) -> Array:
        """(p, p): diag(Σ_t (P + Q)_t) − Σ_t diag(D_t) K_t⁻¹ diag(D_t) with D = Q − P."""


class _Dense(NamedTuple):
    """By the inverses of the K_t's Cholesky factors, (T, p, p)."""

    factors: Array

    @classmethod
    def of(cls, q: Quadratic, d: Array) -> _Dense:
        assert q.H is not None
        K = np.broadcast_to(q.H, (*d.shape, d.shape[1])).copy()
        diagonal = np.arange(d.shape[1])
        K[:, diagonal, diagonal] += d + q.ridge
        return cls(inverse_factors(K, 0.0))

    def solve(self, R: Array) -> Array:
        half = np.matmul(self.factors, R[:, :, None]).transpose(0, 2, 1)
        return np.asarray(np.matmul(half, self.factors)[:, 0])

    def levels(self, P: Array, Q: Array) -> Array:
        tall = (self.factors * (Q - P)[:, None, :]).reshape(-1, P.shape[1])
        return np.asarray(np.diag((P + Q).sum(axis=0)) - tall.T @ tall)


class _FewRows(NamedTuple):
    """By H_t = A_t' A_t with few rows: K⁻¹ = E (I − C' C) E, E = diag(half), C = L⁻¹ A E with L L' = I + A E² A'.

    With E² = 1 / (P + Q) the levels' matrix is diag(Σ_t 4 P Q E²) + Σ_t (C E D)' (C E D): nothing in it cancels.
    """

    half: Array
    C: Array
    rest: Array

    @classmethod
    def of(cls, q: Quadratic, d: Array) -> _FewRows:
        assert q.root is not None
        # What a ridge adds to the diagonal.
        rest = np.maximum(q.diagonal - np.square(q.root).sum(axis=1), 0.0)
        half = 1.0 / np.sqrt(d + rest)
        A = q.root * half[:, None, :]
        return cls(half, np.matmul(inverse_factors(np.matmul(A, A.transpose(0, 2, 1)), 1.0), A), rest)

    def solve(self, R: Array) -> Array:
        R = self.half * R
        inner = np.matmul(self.C, R[:, :, None]).transpose(0, 2, 1)
        return np.asarray(self.half * (R - np.matmul(inner, self.C)[:, 0]))

    def levels(self, P: Array, Q: Array) -> Array:
        tall = (self.C * (self.half * (Q - P))[:, None, :]).reshape(-1, P.shape[1])
        own = (4 * P * Q + (P + Q) * self.rest) * np.square(self.half)  # P + Q − (D E)²
        return np.asarray(np.diag(own.sum(axis=0)) + tall.T @ tall)


class _Newton(NamedTuple):
    """One linearisation: ``blocks`` are the K_t, M of the levels (p, p), P = α/a, Q = β/b, D = Q − P."""

    blocks: _Blocks
    M: Array
    D: Array
    P: Array
    Q: Array
    slope: Array
    alpha: Array
    beta: Array
    threshold: Array

    def step(self, over_a: Array, over_b: Array) -> tuple[Array, Array, Array, Array]:
        """(dV, dm, dα, dβ) towards α = over_a and β = over_b where the slacks stay, to first order in all."""
        first = over_b - over_a - self.slope
        part = self.blocks.solve(first)
        pull = (over_a + over_b).sum(axis=0) - self.threshold - (self.D * part).sum(axis=0)
        dm = np.linalg.solve(self.M, pull)
        dV = part - self.blocks.solve(self.D * dm)
        return dV, dm, over_a - self.alpha - self.P * (dm - dV), over_b - self.beta - self.Q * (dm + dV)


def _reach(*pairs: tuple[Array, Array]) -> float:
    """The largest step, at most 1 / NEARLY, that leaves every x + step dx >= 0."""
    steps = [1 / NEARLY]
    for x, dx in pairs:
        down = dx < 0
        if down.any():
            steps.append(float((-x[down] / dx[down]).min()))
    return min(steps)
