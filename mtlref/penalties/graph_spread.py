"""Weighted squared distances between the tasks that a graph joins."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class GraphSpread:
    """Σ_{s<t} A_st ‖w_s − w_t‖² / 2, W (p, T), A (T, T) symmetric, >= 0. Source: evgeniou2005.

    Examples
    --------
    >>> GraphSpread([[0.0, 2.0], [2.0, 0.0]]).value(np.array([[1.0, 4.0]]))
    9.0
    """

    degree = 2
    properties: ClassVar[frozenset[str]] = frozenset(
        {"convex", "row_separable", "rotation_invariant", "quadratic"}
    )

    def __init__(self, graph: Any) -> None:
        self.graph = np.asarray(graph, dtype=float)

    def value(self, W: Array) -> float:
        """The sum over pairs."""
        T = W.shape[1]
        pairs = ((s, t) for t in range(T) for s in range(t))
        return float(sum(self.graph[s, t] * ((W[:, s] - W[:, t]) ** 2).sum() for s, t in pairs)) / 2

    def gradient(self, W: Array) -> Array:
        """Column t: Σ_s A_st (w_t − w_s)."""
        out = np.zeros_like(W)
        for t in range(W.shape[1]):
            for s in range(W.shape[1]):
                if s != t:
                    out[:, t] += self.graph[s, t] * (W[:, t] - W[:, s])
        return out

    def prox(self, V: Array, step: float) -> Array:
        """argmin_W step · value(W) + ‖W − V‖² / 2 = V (I + step L)⁻¹, L the graph's Laplacian."""
        A = self.graph - np.diag(np.diag(self.graph))
        laplacian = np.diag(A.sum(axis=1)) - A
        return np.asarray(np.linalg.solve(np.eye(len(A)) + step * laplacian, V.T).T)
