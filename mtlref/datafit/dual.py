"""The dual point that belongs to a W."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.losses import Logistic

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DualPoint:
    """θ at a W, as far as a certificate needs it.

    G : (p, T), columns X_t' θ_t.  linear, quadratic : (T,), the squared loss's dual value of task t at α θ_t is
    α linear_t − α²/2 quadratic_t.  terms : for other losses, (a, weight, starts) of the conjugate's sum.
    rounding : a bound in the order of the rounding error of the values.  slip : a bound of that of a row of G, where
    it is more than that of a sum.
    """

    G: Array
    linear: Array | None
    quadratic: Array | None
    terms: tuple[Array, Array, NDArray[np.intp]] | None
    rounding: float
    slip: float = 0.0

    def values(self, alpha: float | Array = 1.0) -> Array:
        """(T,): −Σ_i c_t s_ti l*(y_ti, −α_t θ_ti / (c_t s_ti)); α one number or one a task."""
        if self.linear is not None and self.quadratic is not None:
            return np.asarray(alpha * self.linear - np.square(alpha) / 2 * self.quadratic)
        assert self.terms is not None
        a, weight, starts = self.terms
        # l* depends on u y alone, so that the targets are not needed: a = −u y.
        sizes = np.diff(np.append(starts, len(a)))
        scale = np.repeat(alpha, sizes) if np.ndim(alpha) else alpha
        conjugate = Logistic.conjugate(np.ones_like(a), -scale * a)
        # A row of weight zero has no term, also where its a has left the domain: 0 times infinity is not 0.
        return -np.add.reduceat(
            np.multiply(weight, conjugate, out=np.zeros_like(a), where=weight > 0), starts
        )

    def value(self, alpha: float | Array = 1.0) -> float:
        """The sum of ``values``."""
        return float(self.values(alpha).sum())

    def best_multiple(self, limit: float | Array, each: bool = False) -> float | Array:
        """The α in [0, limit] with the largest value; one for all tasks, or one for each.

        Squared loss: in closed form. Logistic: min(1, limit), which is best in the limit of a converged W.
        """
        if self.linear is None or self.quadratic is None:
            return np.minimum(1.0, limit)
        up = self.linear if each else self.linear.sum()
        down = self.quadratic if each else self.quadratic.sum()
        peak = np.divide(up, down, out=np.zeros_like(np.asarray(up)), where=np.asarray(down) > 0)
        return np.clip(peak, 0.0, limit)
