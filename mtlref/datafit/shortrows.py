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

Array = NDArray[np.float64]
Features = NDArray[np.intp]
EPS = float(np.finfo(float).eps)
# So many points follow a path that is about straight for a while.
POINTS = 2


class ShortRows:
    """What the products of the last points with all columns say of those of others.

    Of those products no more is needed than the inner products of their rows, S_kl[j] = <X_j'θ_k', X_j'θ_l'> (p,):
    ‖Σ_k a_k X_j'θ_k'‖² = Σ_kl a_k a_l S_kl[j].
    """

    def __init__(self) -> None:
        self._points: list[tuple[Array, Array]] = []
        self._inner = np.empty((0, 0, 1))

    @property
    def ready(self) -> bool:
        """Whether as many points are known as are kept."""
        return len(self._points) == POINTS

    def add(self, theta: Array, G: Array) -> None:
        """theta (T, n) and its product with all columns, G (T, p)."""
        if self.ready:
            self._points, self._inner = self._points[1:], self._inner[1:, 1:]
        self._points = [*self._points, (theta, G)]
        count = len(self._points)
        inner = np.empty((count, count, G.shape[1]))
        inner[:-1, :-1] = self._inner
        for k, (_, other) in enumerate(self._points):
            inner[k, -1] = inner[-1, k] = np.einsum("tj,tj->j", other, G)
        self._inner = inner

    def doubtful(self, theta: Array, sizes: Array, least: float) -> Features:
        """The rows that (B) does not show to be shorter than ``least``; theta (T, n), sizes (p,) the ‖x_j‖."""
        T, n = theta.shape
        flat = np.stack([known.ravel() for known, _ in self._points])
        a = np.linalg.lstsq(flat @ flat.T, flat @ theta.ravel(), rcond=None)[0]
        apart = theta - (a @ flat).reshape(T, n)
        square = apart @ apart.T if T <= n else apart.T @ apart
        centre = np.outer(a, a).ravel() @ self._inner.reshape(-1, len(sizes))
        # Products are known to n EPS of the sizes of what they are made of, and their inner products to T EPS.
        made = float(np.linalg.norm(theta)) + float(np.abs(a) @ np.sqrt(np.einsum("ki,ki->k", flat, flat)))
        radius = float(np.sqrt(max(np.linalg.eigvalsh(square)[-1], 0.0))) + 4 * n * EPS * made
        centre += (4 * T + 16) * EPS * (np.abs(a) @ np.sqrt(np.einsum("kkj->kj", self._inner))) ** 2
        return np.flatnonzero(np.sqrt(np.maximum(centre, 0.0)) + radius * sizes >= least)
