"""The pair of factors of W = L S: what balances them, and pairs to start from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Factors(NamedTuple):
    """L (p, k) and S (k, T) of W = L S."""

    L: Array
    S: Array

    @property
    def W(self) -> Array:
        """(p, T): L S."""
        return self.L @ self.S


def balanced(factors: Factors, lam: float, mu: float) -> Factors:
    """l_j a_j and s_j / a_j with the a_j that make lam a² ‖l‖² + (mu / a) ‖s‖_1 least: a³ = mu ‖s‖_1 / (2 lam ‖l‖²).

    A component with one factor zero is zero.
    """
    square, length = np.square(factors.L).sum(axis=0), np.abs(factors.S).sum(axis=1)
    alive = (square > 0) & (length > 0)
    a = np.zeros(len(square))
    np.divide(mu * length, 2 * lam * square, out=a, where=alive)
    a = np.cbrt(a)
    back = np.divide(1.0, a, out=np.zeros_like(a), where=alive & (a > 0))
    return Factors(factors.L * a, factors.S * back[:, None])


def singular_start(W: Array, k: int) -> Factors:
    """The k first singular vectors: L = U, S = Σ V'; zeros beyond the rank."""
    U, sigma, Vt = np.linalg.svd(W, full_matrices=False)
    r = min(k, len(sigma))
    L, S = np.zeros((len(W), k)), np.zeros((k, W.shape[1]))
    L[:, :r], S[:r] = U[:, :r], sigma[:r, None] * Vt[:r]
    return Factors(L, S)


def random_start(W: Array, k: int, rng: np.random.Generator) -> Factors:
    """L: k random mixtures of W's columns; S: the least squares fit to W."""
    L = W @ rng.standard_normal((W.shape[1], k))
    return Factors(L, np.asarray(np.linalg.lstsq(L, W, rcond=None)[0], dtype=float))
