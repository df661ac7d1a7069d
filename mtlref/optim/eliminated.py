"""What Newton's methods in a factor of W share: a quadratic's curvature in that factor, a solve that descends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from mtlref.linalg.products import eigen, product

Array = NDArray[np.float64]
# Share of the largest curvature to which negative and vanishing ones are bent.
FLAT = 1e-12


def wide(H: Array, B: Array, times: Callable[[Array, Array], Array] = product) -> Array:
    """(T or 1, p, k): H_t B, as one product, by the BLAS of the loop that asks; H (T or 1, p, p), B (p, k)."""
    return times(H.reshape(-1, len(B)), B).reshape(len(H), len(B), -1)


def curvature(H: Array, S: Array) -> Array:
    """(p k, p k): Σ_t H_t ⊗ s_t s_t', the index of a feature before that of a component; H (T or 1, p, p), S (k, T)."""
    p, k = H.shape[1], len(S)
    if len(H) == 1:
        K = np.einsum("ij,ab->iajb", H[0], S @ S.T)
    else:
        outer = np.einsum("at,bt->tab", S, S).reshape(S.shape[1], k * k)
        K = product(H.reshape(len(H), p * p).T, outer).reshape(p, p, k, k).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(K).reshape(p * k, p * k)


def solve(K: Array, B: Array) -> Array:
    """K⁻¹ B for K positive definite, B (p, k) read row by row."""
    return np.asarray(cho_solve(cho_factor(K), B.ravel())).reshape(B.shape)


def bent_solve(K: Array, B: Array) -> Array:
    """|K|⁻¹ B, with the absolute values of the eigenvalues: K⁻¹ B where K is positive definite."""
    K = (K + K.T) / 2
    try:
        return solve(K, B)
    except np.linalg.LinAlgError:
        e, U = eigen(K)
        bent = np.maximum(np.abs(e), FLAT * np.abs(e).max())
        return product(U, product(U.T, B.ravel()) / bent).reshape(B.shape)
