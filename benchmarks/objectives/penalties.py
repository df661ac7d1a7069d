"""Penalties of the races and their duals, from their definitions.

A norm says how large a multiple of G is feasible for lam. A square has a conjugate, a quadratic in G / lam.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Norm(Protocol):
    """lam times a norm of W."""

    def value(self, W: Array) -> float:
        """The norm."""

    def polar(self, G: Array) -> float:
        """The dual norm."""


class Square(Protocol):
    """lam times half a squared norm, or a like quadratic."""

    def value(self, W: Array) -> float:
        """The penalty at lam = 1."""

    def conjugate(self, G: Array) -> float:
        """Its conjugate at lam = 1; divide by lam."""


class RowNorms:
    """Σ_j ‖W[j,:]‖."""

    def value(self, W: Array) -> float:
        """The sum of the norms."""
        return float(np.linalg.norm(W, axis=1).sum())

    def polar(self, G: Array) -> float:
        """The largest norm of a row."""
        return float(np.linalg.norm(G, axis=1).max())


class SingularValues:
    """Σ_i σ_i(W)."""

    def value(self, W: Array) -> float:
        """The sum."""
        return float(np.linalg.svd(W, compute_uv=False).sum())

    def polar(self, G: Array) -> float:
        """The largest singular value."""
        return float(np.linalg.svd(G, compute_uv=False)[0])


class SquaredTraceNorm:
    """‖W‖_*² / 2."""

    def value(self, W: Array) -> float:
        """Half the square of the sum of singular values."""
        return float(np.linalg.svd(W, compute_uv=False).sum()) ** 2 / 2

    def conjugate(self, G: Array) -> float:
        """Half the square of the largest one."""
        return float(np.linalg.svd(G, compute_uv=False)[0]) ** 2 / 2


@dataclass(frozen=True)
class Clusters:
    """min over 0 ⪯ M ⪯ I, tr M <= k of η (1 + η) tr(W (η I + M)⁻¹ W')."""

    eta: float
    k: int

    def value(self, W: Array) -> float:
        """By bisection for the multiplier of the trace: m_i = clip(τ σ_i − η, 0, 1)."""
        s = np.linalg.svd(W, compute_uv=False)
        s = s[s > 0]
        if len(s) <= self.k:
            return self.eta * float(s @ s)
        low, high = 0.0, (1.0 + self.eta) / float(s.min())
        for _ in range(200):
            tau = (low + high) / 2
            if np.clip(tau * s - self.eta, 0.0, 1.0).sum() > self.k:
                high = tau
            else:
                low = tau
        m = np.clip(low * s - self.eta, 0.0, 1.0)
        return self.eta * (1 + self.eta) * float((s * s / (self.eta + m)).sum())

    def conjugate(self, G: Array) -> float:
        """The maximum over M of tr(G (η I + M) G') / (4 η (1 + η)): the k largest singular values take M = 1."""
        s = np.linalg.svd(G, compute_uv=False)
        return float(self.eta * (s @ s) + s[: self.k] @ s[: self.k]) / (4 * self.eta * (1 + self.eta))
