"""The squared box norm of the singular values: the relaxed penalty of clusters and of shared subspaces."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class BoxNorm:
    """eta (1 + eta) min Σ_i σ_i(W)² / (eta + m_i) over 0 <= m_i <= 1, Σ_i m_i <= k; W (p, T). Source: mcdonald2016.

    Examples
    --------
    >>> BoxNorm(eta=1.0, k=1).value(np.diag([3.0, 0.0]))  # m = (1, 0)
    9.0
    """

    degree = 2
    properties: ClassVar[frozenset[str]] = frozenset(
        {"convex", "rotation_invariant", "task_rotation_invariant"}
    )

    def __init__(self, eta: float = 0.5, k: int = 2) -> None:
        self.eta = eta
        self.k = k

    def weights(self, sigma: Array, eta: float) -> Array:
        """m = clip(τ σ − eta, 0, 1), τ by bisection so that Σ_i m_i = k; all ones where k values or fewer are not 0."""
        if (sigma > 0).sum() <= self.k:
            return np.ones_like(sigma)
        s = sigma / sigma.max()
        low, high = float(eta), float((1 + eta) / s[s > 0].min())
        values = s.tolist()
        for _ in range(200):  # halves the range of log τ
            middle = math.sqrt(low) * math.sqrt(high)
            if not low < middle < high:
                break
            if sum(min(max(middle * v - eta, 0.0), 1.0) for v in values) <= self.k:
                low = middle
            else:
                high = middle
        return np.clip(low * s - eta, 0.0, 1.0)

    def value(self, W: Array) -> float:
        """eta (1 + eta) Σ_i σ_i² / (eta + m_i)."""
        sigma = np.asarray(np.linalg.svd(W, compute_uv=False))
        m = self.weights(sigma, self.eta)
        return self.eta * (1 + self.eta) * float(np.sum(sigma * sigma / (self.eta + m)))

    def gradient(self, W: Array) -> Array:
        """2 eta (1 + eta) U diag(σ / (eta + m)) V'."""
        U, sigma, Vt = np.linalg.svd(W, full_matrices=False)
        slope = 2 * self.eta * (1 + self.eta) * sigma / (self.eta + self.weights(sigma, self.eta))
        return np.asarray((U * slope) @ Vt)

    def conjugate(self, G: Array) -> float:
        """sup_W <G, W> − value(W) = (eta ‖G‖_F² + Σ_{i <= k} σ_i(G)²) / (4 eta (1 + eta))."""
        energy = np.linalg.svd(G, compute_uv=False) ** 2
        top = self.eta * float(energy.sum()) + float(energy[: self.k].sum())
        return top / (4 * self.eta * (1 + self.eta))

    def prox(self, V: Array, step: float) -> Array:
        """argmin_W step · value(W) + ‖W − V‖² / 2: σ (eta + m) / (eta + m + β), β = 2 step eta (1 + eta)."""
        U, sigma, Vt = np.linalg.svd(V, full_matrices=False)
        beta = 2 * step * self.eta * (1 + self.eta)
        stiff = self.eta + self.weights(sigma, self.eta + beta)
        return np.asarray((U * (sigma * stiff / (stiff + beta))) @ Vt)
