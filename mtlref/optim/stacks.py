"""A matrix for each task, all tasks at once: blocks of them, and inverses for one shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.rowsystem import inverse_lower

Array = NDArray[np.float64]


def principal(H: Array, f: NDArray[np.intp]) -> Array:
    """(T, a, a): rows and columns ``f`` of every H_t, a task after the other in memory, as products need them."""
    p = H.shape[1]
    if f.size == p and (np.diff(f) > 0).all():
        return H
    places = (f[:, None] * p + f).ravel()
    # No index is out of bounds; to be told so spares NumPy a buffer.
    return np.take(H.reshape(len(H), -1), places, axis=1, mode="clip").reshape(len(H), f.size, f.size)


def inverses(H: Array, shift: float) -> Array:
    """(T, p, p): (H_t + shift I)⁻¹."""
    L = inverse_factors(H, shift)
    return np.matmul(L.transpose(0, 2, 1), L)


def inverse_factors(H: Array, shift: float) -> Array:
    """(T, p, p): L_t⁻¹ with L_t L_t' = H_t + shift I."""
    return inverse_lower(np.asarray(np.linalg.cholesky(H + shift * np.eye(H.shape[1])), dtype=np.float64))
