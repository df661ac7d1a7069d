"""Squared distances of the tasks to their mean."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class MeanSpread:
    """Σ_t ‖w_t − w̄‖² / 2, W (p, T), w̄ the mean of the columns. Source: evgeniou2004.

    Examples
    --------
    >>> MeanSpread().value(np.array([[1.0, 3.0]]))
    1.0
    """

    degree = 2
    properties: ClassVar[frozenset[str]] = frozenset(
        {"convex", "row_separable", "rotation_invariant", "quadratic"}
    )

    def value(self, W: Array) -> float:
        """Σ_t ‖w_t − w̄‖² / 2."""
        centre = W.mean(axis=1)
        return float(sum(((w - centre) ** 2).sum() for w in W.T)) / 2

    def gradient(self, W: Array) -> Array:
        """w_t − w̄."""
        return np.asarray(W - W.mean(axis=1, keepdims=True))

    def prox(self, V: Array, step: float) -> Array:
        """argmin_W step · value(W) + ‖W − V‖² / 2: distances to the mean divided by 1 + step."""
        centre = V.mean(axis=1, keepdims=True)
        return np.asarray(centre + (V - centre) / (1.0 + step))
