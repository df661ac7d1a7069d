"""The quadratic of one design for all tasks in the design's eigenvectors: no product with a matrix of the features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Diagonal:
    """q(V) with the same diagonal H = diag(e + ridge) for all tasks: what a shared design is in its eigenvectors."""

    r: Array
    e: Array
    ridge: float = 0.0

    @property
    def spectrum(self) -> tuple[Array, None]:
        """(e, None): eigenvalues (p,) without the ridge."""
        return self.e, None

    def times(self, V: Array) -> Array:
        """(T, p): rows H v_t."""
        return V * (self.e + self.ridge)

    @property
    def curvatures(self) -> tuple[float, float, float]:
        """(lowest, mean, largest) that count: of the directions that are curved at all, so that the row space does not
        matter."""
        curved = self.e[self.e > 1e-12 * self.e.max()]
        if not curved.size:
            return self.ridge, self.ridge, self.ridge
        return (
            self.ridge + float(curved.min()),
            self.ridge + float(curved.mean()),
            self.ridge + float(curved.max()),
        )

    def shifted(self, shift: float) -> Callable[[Array], Array]:
        """B -> rows (H + shift I)⁻¹ b_t."""
        inverse = 1.0 / (self.e + (self.ridge + shift))
        return lambda B: B * inverse
