"""Half the squared Frobenius norm."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class SquaredNorm:
    """‖W‖_F² / 2, W (p, T).

    Examples
    --------
    >>> SquaredNorm().prox(np.array([[3.0]]), step=2.0)
    array([[1.]])
    """

    degree = 2
    properties: ClassVar[frozenset[str]] = frozenset(
        {
            "convex",
            "row_separable",
            "entry_separable",
            "rotation_invariant",
            "task_rotation_invariant",
            "quadratic",
        }
    )

    def value(self, W: Array) -> float:
        """Σ_jt W_jt² / 2."""
        return float((W * W).sum()) / 2

    def gradient(self, W: Array) -> Array:
        """W."""
        return W.copy()

    def conjugate(self, G: Array) -> float:
        """sup_W <G, W> − value(W) = ‖G‖_F² / 2."""
        return float((G * G).sum()) / 2

    def prox(self, V: Array, step: float) -> Array:
        """argmin_W step · value(W) + ‖W − V‖² / 2 = V / (1 + step)."""
        return V / (1.0 + step)
