"""The sum of absolute values."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class L1:
    """‖W‖_1, W (p, T). Source: tibshirani1996.

    Examples
    --------
    >>> L1().prox(np.array([[3.0, -0.5]]), step=1.0) + 0.0
    array([[2., 0.]])
    """

    degree = 1
    properties: ClassVar[frozenset[str]] = frozenset({"convex", "norm", "row_separable", "entry_separable"})

    def value(self, W: Array) -> float:
        """Σ_jt |W_jt|."""
        return float(np.abs(W).sum())

    def polar(self, G: Array) -> float:
        """max <G, W> over value(W) <= 1: the largest |G_jt|."""
        return float(np.abs(G).max())

    def attains_polar(self, G: Array) -> Array:
        """A W of value 1 with <G, W> = polar(G)."""
        W = np.zeros_like(G)
        place = np.unravel_index(np.abs(G).argmax(), G.shape)
        W[place] = 1.0 if G[place] >= 0 else -1.0
        return W

    def project_polar(self, V: Array, radius: float) -> Array:
        """The nearest matrix with polar <= radius: entries cut at ±radius."""
        return np.clip(V, -radius, radius)

    def prox(self, V: Array, step: float) -> Array:
        """argmin_W step · value(W) + ‖W − V‖² / 2: soft thresholding."""
        return np.asarray(np.sign(V) * np.maximum(np.abs(V) - step, 0.0))
