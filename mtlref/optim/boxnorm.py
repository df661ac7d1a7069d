"""A squared box norm of the singular values: a quadratic penalty whose weights are chosen for each W.

f(s) = weight · min Σ_i s_i² / (eta + m_i) over 0 <= m_i <= 1, Σ_i m_i <= k. The best m is clip(τ s − eta, 0, 1) with
the τ at which its sum reaches k, a piecewise linear equation that sorting solves. In the prox s_i = v_i (eta + m_i) /
(eta + m_i + β), β = 2 step weight, and the same equation with eta + β in place of eta gives its m.

McDonald, Pontil & Stamos 2016, New perspectives on k-support and cluster norms, sections 3 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.diagonal import Diagonal
from mtlref.optim.quadratic import Quadratic

Array = NDArray[np.float64]
# Values below this share of the largest are zero: their squares are nothing beside it, and their inverses overflow.
NOTHING = 1e-150


def box_weights(v: Array, eta: float, k: int) -> Array:
    """m (r,): argmin Σ_i v_i² / (eta + m_i) over 0 <= m_i <= 1, Σ_i m_i <= k; v >= 0, largest first."""
    live = int((v > NOTHING * v[0]).sum()) if v[0] > 0 else 0
    if live <= k:
        return np.ones_like(v)
    s = v[:live] / v[0]
    first, last = eta / s, (1.0 + eta) / s  # τ at which m_i leaves 0 and reaches 1, each ascending
    # Sums from the smallest value up, so that the difference of two loses nothing to larger ones.
    tail = np.append(np.cumsum(s[::-1])[::-1], 0.0)
    at = np.sort(np.concatenate([first, last]))
    rising, full = np.searchsorted(first, at, side="right"), np.searchsorted(last, at, side="right")
    reached = at * (tail[full] - tail[rising]) - eta * (rising - full) + full
    piece = max(int(np.argmax(reached >= k)) - 1, 0)  # τ lies between this breakpoint and the next
    i, j = int(full[piece]), int(rising[piece])
    # A piece on which nothing rises has k values at 1 already, to rounding.
    tau = (k - i + eta * (j - i)) / (tail[i] - tail[j]) if j > i else at[piece]
    m = np.zeros_like(v)
    m[:live] = np.clip(tau * s - eta, 0.0, 1.0)
    return m


@dataclass(frozen=True)
class BoxNormTerm:
    """weight · min_m Σ_i s_i² / (eta + m_i)."""

    weight: float
    eta: float
    k: int

    def value(self, sigma: Array) -> float:
        """f(sigma)."""
        return self.weight * float(
            np.sum(sigma * (sigma / (self.eta + box_weights(sigma, self.eta, self.k))))
        )

    def prox(self, sigma: Array, step: float) -> Array:
        """argmin_s step · f(s) + ‖s − sigma‖²/2."""
        beta = 2.0 * step * self.weight
        stiff = self.eta + box_weights(sigma, self.eta + beta, self.k)
        return np.asarray(sigma * (stiff / (stiff + beta)))

    def first_rho(self, q: Quadratic | Diagonal, V: Array) -> float:
        """Between the smallest and the largest curvature of f."""
        return 2.0 * self.weight / np.sqrt(self.eta * (1.0 + self.eta))

    def ending(self, q: Diagonal, V: Array, rank: int) -> None:
        """None: ADMM alone."""
