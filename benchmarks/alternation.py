"""The alternations that the sources of MTRL, MTFL and clustered multi-task learning give, as baselines.

Argyriou, Evgeniou & Pontil 2008, algorithm 1, as a careful implementer would write it: Gram matrices, never rows; one
small system a task; and w_t = D (H_t D + lam I)⁻¹ r_t, so that D is not inverted and needs no epsilon. A direction
that D has lost does not come back: it is for p <= T, and every lam starts at D = I / p.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

import mtlref as mt
from benchmarks.fista import cluster_shares

Array = NDArray[np.float64]


class Alternation:
    """The iterates for one lam; ``advance`` makes some rounds, ``W`` (p, T) is the last coefficients. scaling="sum"."""

    def __init__(self, data: mt.TaskData, fit_intercept: bool, lam: float) -> None:
        rows = list(zip(data.X, data.y, strict=True))
        if fit_intercept:
            rows = [(x - x.mean(axis=0), y - y.mean()) for x, y in rows]
        self.gram = np.stack([x.T @ x for x, _ in rows])
        self.cross = np.stack([x.T @ y for x, y in rows])
        self.lam = lam
        self.W = np.zeros((data.p, data.T))

    def at(self, lam: float) -> Alternation:
        """The same data, from the start, for another lam."""
        other = copy(self)
        other.lam, other.W = lam, np.zeros_like(self.W)
        return other

    def advance(self, rounds: int) -> None:
        """Make ``rounds`` rounds."""
        p = len(self.W)
        for _ in range(rounds):
            D = np.eye(p) / p
            if self.W.any():
                U, s, _ = np.linalg.svd(self.W, full_matrices=False)
                D = (U * (s / s.sum())) @ U.T
            system = self.gram @ D + self.lam * np.eye(p)
            self.W = D @ np.linalg.solve(system, self.cross[:, :, None])[:, :, 0].T


class ClusterAlternation(Alternation):
    """Jacob, Bach & Vert 2008, the convex relaxation: coefficients for a fixed M, then the best M for these.

    All tasks are coupled for a fixed M: the coefficients solve H_t w_t + 2 κ Σ_s Q_ts w_s = r_t, Q = (eta I + M)⁻¹,
    κ = lam eta (1 + eta), by conjugate gradients from the last ones, preconditioned with the blocks H_t + 2 κ Q_tt I.
    """

    def __init__(self, data: mt.TaskData, fit_intercept: bool, lam: float, eta: float, k: int) -> None:
        super().__init__(data, fit_intercept, lam)
        self.eta, self.k = eta, k

    def advance(self, rounds: int) -> None:
        """Make ``rounds`` rounds."""
        p, T = self.W.shape
        twice = 2.0 * self.lam * self.eta * (1.0 + self.eta)
        for _ in range(rounds):
            Q = np.eye(T) / (self.eta + min(1.0, self.k / T))
            if self.W.any():
                _, s, V = np.linalg.svd(self.W, full_matrices=True)
                s = np.concatenate([s, np.zeros(T - len(s))])
                Q = (V.T / (self.eta + cluster_shares(s, self.eta, self.k))) @ V
            blocks = np.linalg.inv(self.gram + (twice * np.diag(Q))[:, None, None] * np.eye(p))
            self._solve(twice * Q, blocks)

    def _solve(self, Q: Array, blocks: Array) -> None:
        w = self.W.T.copy()
        left = self.cross - _times(self.gram, w) - Q @ w
        enough = 1e-10 * np.linalg.norm(self.cross)
        z = _times(blocks, left)
        d, square = z, float(np.vdot(left, z))
        for _ in range(1000):
            if np.linalg.norm(left) <= enough:
                break
            image = _times(self.gram, d) + Q @ d
            step = square / float(np.vdot(d, image))
            w, left = w + step * d, left - step * image
            z = _times(blocks, left)
            last, square = square, float(np.vdot(left, z))
            d = z + square / last * d
        self.W = w.T


def _times(blocks: Array, w: Array) -> Array:
    return np.matmul(blocks, w[:, :, None])[:, :, 0]
