"""Which rows of X'θ' are certainly short, so that a certificate along a path need not multiply them.

By the triangle inequality and Cauchy's, from the products of earlier points θ_k (T, n) and any numbers a_k,

    ‖X_j'θ'‖ <= ‖Σ_k a_k X_j'θ_k'‖ + ‖x_j‖ ‖θ − Σ_k a_k θ_k‖_2.                                                  (B)

With the a_k of least squares the last term is small along a path, on which θ bends little: it is the sphere test of
gap-safe screening (Ndiaye et al. 2017), its centre where the last points lead. What it shows is so whatever the a_k
are; rows that it leaves in doubt are for the caller to multiply.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit.term import Times

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
EPS = float(np.finfo(float).eps)
# So many points follow a path that is about straight for a while.
POINTS = 2


class ShortRows:
    """What the products of the last points with all columns say of those of others.

    Of those products no more is needed than the inner products of their rows, S_kl[j] = <X_j'θ_k', X_j'θ_l'> (p,):
    ‖Σ_k a_k X_j'θ_k'‖² = Σ_kl a_k a_l S_kl[j].  times : as of ``DataFit``.
    """

    def __init__(self, times: Times = np.matmul) -> None:
        self._times = times
        self._thetas = np.empty((0, 0))  # (k, T n)
        self._products: list[Array] = []  # G_k (T, p)
        self._inner = np.empty((0, 0, 0))  # S

    @property
    def ready(self) -> bool:
        """Whether any point is known."""
        return bool(self._products)

    def add(self, theta: Array, G: Array) -> None:
        """theta (T, n) and its product with all columns, G (T, p)."""
        old = 1 - POINTS
        self._products = [*self._products[old:], G]
        count = len(self._products)
        self._thetas = np.vstack([*self._thetas[old:], theta.ravel()])
        inner = np.empty((count, count, G.shape[1]))
        inner[:-1, :-1] = self._inner[old:, old:] if count > 1 else 0.0
        for k, other in enumerate(self._products):
            inner[k, -1] = inner[-1, k] = np.einsum("tj,tj->j", other, G)
        self._inner = inner
        square = self._times(self._thetas, self._thetas.T)
        self._inverse, self._lengths = np.linalg.pinv(square), np.sqrt(np.diag(square))

    def doubtful(self, theta: Array, sizes: Array, least: float) -> Mask:
        """(p,): the rows that (B) does not show to be shorter than ``least``; theta (T, n), sizes (p,) the ‖x_j‖."""
        T, n = theta.shape
        a = self._inverse @ self._times(self._thetas, theta.ravel())
        apart = theta - self._times(self._thetas.T, a).reshape(T, n)
        square = self._times(apart.T, apart) if n < T else self._times(apart, apart.T)
        centre = self._times(self._inner.reshape(-1, len(sizes)).T, np.outer(a, a).ravel())
        # Products are known to n EPS of the sizes of what they are made of, and their inner products to T EPS.
        reach = np.abs(a) @ self._lengths
        made = np.sqrt(np.trace(square)) + 2 * reach  # of ‖θ‖ no more than both together
        radius = np.sqrt(max(np.linalg.eigvalsh(square)[-1], 0.0)) + 4 * n * EPS * made
        radius += np.sqrt((4 * T + 16) * EPS) * reach  # of ‖Σ_k a_k X_j'θ_k'‖, whose square may cancel
        np.sqrt(np.maximum(centre, 0.0, out=centre), out=centre)
        centre += radius * sizes
        return np.asarray(centre >= least)
