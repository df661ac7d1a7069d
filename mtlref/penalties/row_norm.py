"""The sum of the Euclidean norms of the rows, L2,1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class RowNorm:
    """Σ_j ‖W[j,:]‖_2, W (p, T). Source: obozinski2010.

    Examples
    --------
    >>> RowNorm().prox(np.array([[3.0, 4.0], [0.3, 0.4]]), step=1.0)
    array([[2.4, 3.2],
           [0. , 0. ]])
    """

    degree = 1
    properties: ClassVar[frozenset[str]] = frozenset(
        {"convex", "norm", "row_separable", "task_rotation_invariant"}
    )

    def value(self, W: Array) -> float:
        """Σ_j ‖W[j,:]‖."""
        return float(sum(np.linalg.norm(row) for row in W))

    def polar(self, G: Array) -> float:
        """max <G, W> over value(W) <= 1: the largest ‖G[j,:]‖."""
        return float(max(np.linalg.norm(row) for row in G))

    def attains_polar(self, G: Array) -> Array:
        """A W of value 1 with <G, W> = polar(G)."""
        W = np.zeros_like(G)
        norms = [float(np.linalg.norm(row)) for row in G]
        j = int(np.argmax(norms))
        if norms[j] > 0:
            W[j] = G[j] / norms[j]
        else:
            W[j, 0] = 1.0
        return W

    def project_polar(self, V: Array, radius: float) -> Array:
        """The nearest matrix with polar <= radius: rows cut to the length radius."""
        out = V.copy()
        for j, row in enumerate(V):
            length = float(np.linalg.norm(row))
            if length > radius:
                out[j] = row / length * radius
        return out

    def prox(self, V: Array, step: float) -> Array:
        """argmin_W step · value(W) + ‖W − V‖² / 2: each row shortened by step, short ones to zero."""
        out = np.zeros_like(V)
        for j, row in enumerate(V):
            length = float(np.linalg.norm(row))
            if length > step:
                out[j] = (1.0 - step / length) * row
        return out
