"""The sum of the largest absolute values of the rows, L∞,1."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class RowMax:
    """Σ_j max_t abs(W[j,t]), W (p, T). Source: turlach2005.

    Examples
    --------
    >>> RowMax().prox(np.array([[3.0, 4.0], [0.3, 0.4]]), step=2.0)
    array([[2.5, 2.5],
           [0. , 0. ]])
    """

    degree = 1
    properties: ClassVar[frozenset[str]] = frozenset({"convex", "norm", "row_separable"})

    def value(self, W: Array) -> float:
        """Σ_j max_t abs(W[j,t])."""
        return float(sum(max(abs(v) for v in row) for row in W.tolist()))

    def polar(self, G: Array) -> float:
        """max <G, W> over value(W) <= 1: the largest Σ_t abs(G[j,t])."""
        return float(max(sum(abs(v) for v in row) for row in G.tolist()))

    def attains_polar(self, G: Array) -> Array:
        """A W of value 1 with <G, W> = polar(G)."""
        W = np.zeros_like(G)
        j = int(np.argmax(np.abs(G).sum(axis=1)))
        W[j] = np.where(G[j] < 0, -1.0, 1.0)
        return W

    def project_polar(self, V: Array, radius: float) -> Array:
        """The nearest matrix with polar <= radius: each row soft-thresholded until its absolute sum is radius.

        The threshold is found by leaving out, one by one, the entries that it would take to zero.
        """
        out = V.copy()
        for j, row in enumerate(V):
            size = np.abs(row)
            if size.sum() <= radius:
                continue
            left = size
            while True:
                cut = min((left.sum() - radius) / len(left), left.max())  # a mean may round above all
                if left.min() >= cut:
                    break
                left = left[left >= cut]
            kept = np.maximum(size - cut, 0.0)
            on = size >= left.min()
            # Large entries less a cut near them leave rounding that the radius may be small beside.
            kept[on] = np.maximum(kept[on] + (radius - kept.sum()) / on.sum(), 0.0)
            out[j] = np.sign(row) * kept
        return out

    def prox(self, V: Array, step: float) -> Array:
        """argmin_W step · value(W) + ‖W − V‖² / 2: entries cut at a level, found by bisection."""
        out = np.zeros_like(V)
        for j, row in enumerate(V):
            size = np.abs(row).tolist()
            low, high = 0.0, max(size)
            if sum(size) <= step:
                continue
            for _ in range(200):
                level = (low + high) / 2
                if not low < level < high:
                    break
                if sum(max(v - level, 0.0) for v in size) > step:
                    low = level
                else:
                    high = level
            out[j] = np.clip(row, -high, high)
        return out
