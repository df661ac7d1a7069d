"""The sum of singular values."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class TraceNorm:
    """‖W‖_* = Σ_i σ_i(W), W (p, T). Source: pong2010.

    Examples
    --------
    >>> TraceNorm().prox(np.diag([3.0, 0.5]), step=1.0).round(12) + 0.0
    array([[2., 0.],
           [0., 0.]])
    """

    degree = 1
    properties: ClassVar[frozenset[str]] = frozenset(
        {"convex", "norm", "rotation_invariant", "task_rotation_invariant"}
    )

    def value(self, W: Array) -> float:
        """Σ_i σ_i(W)."""
        return float(np.linalg.svd(W, compute_uv=False).sum())

    def polar(self, G: Array) -> float:
        """max <G, W> over value(W) <= 1: the largest singular value."""
        return float(np.linalg.svd(G, compute_uv=False)[0])

    def attains_polar(self, G: Array) -> Array:
        """A W of value 1 with <G, W> = polar(G)."""
        U, _, Vt = np.linalg.svd(G, full_matrices=False)
        return np.outer(U[:, 0], Vt[0])

    def project_polar(self, V: Array, radius: float) -> Array:
        """The nearest matrix with polar <= radius: singular values cut at radius."""
        U, s, Vt = np.linalg.svd(V, full_matrices=False)
        return np.asarray((U * np.minimum(s, radius)) @ Vt)

    def prox(self, V: Array, step: float) -> Array:
        """argmin_W step · value(W) + ‖W − V‖² / 2: soft thresholding of the singular values."""
        U, s, Vt = np.linalg.svd(V, full_matrices=False)
        return np.asarray((U * np.maximum(s - step, 0.0)) @ Vt)
