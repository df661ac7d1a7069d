"""A matrix for each task, all tasks at once: blocks of them, and inverses for one shift."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.rowsystem import inverse_lower

Array = NDArray[np.float64]
# Matrices of up to so many rows, or so many in all, are factored by LAPACK; for others products of halves are faster.
WHOLE, STACKED = 32, 1000


def principal(H: Array, f: NDArray[np.intp]) -> Array:
    """(T, a, a): rows and columns ``f`` of every H_t, a task after the other in memory, as products need them."""
    p = H.shape[1]
    if f.size == p and (np.diff(f) > 0).all():
        return H
    places = (f[:, None] * p + f).ravel()
    # No index is out of bounds; to be told so spares NumPy a buffer.
    return np.take(H.reshape(len(H), -1), places, axis=1, mode="clip").reshape(len(H), f.size, f.size)


def filled(parts: Sequence[Array]) -> Array:
    """(T, k, p): the A_t (k_t, p) one after the other, filled up with rows of zeros to the longest."""
    stack = np.zeros((len(parts), max(len(A) for A in parts), parts[0].shape[1]))
    for own, A in zip(stack, parts, strict=True):
        own[: len(A)] = A
    return stack


def inverses(H: Array, shift: float) -> Array:
    """(T, p, p): (H_t + shift I)⁻¹."""
    L = inverse_factors(H, shift)
    p = L.shape[1]
    if p <= WHOLE:
        return np.matmul(L.transpose(0, 2, 1), L)
    # L'L of [A, 0; B, C] in its place, without products with zeros: memory that is new costs as much as the work.
    half = p // 2
    first, below, last = L[:, :half, :half], L[:, half:, :half], L[:, half:, half:]
    turned = np.matmul(last.transpose(0, 2, 1), below)
    upper = np.matmul(first.transpose(0, 2, 1), first)
    upper += np.matmul(below.transpose(0, 2, 1), below)
    first[:] = upper
    below[:] = turned
    L[:, :half, half:] = turned.transpose(0, 2, 1)
    last[:] = np.matmul(last.transpose(0, 2, 1), last)
    return L


def inverse_factors(H: Array, shift: float) -> Array:
    """(T, p, p): L_t⁻¹ with L_t L_t' = H_t + shift I."""
    M = np.array(H, dtype=np.float64, order="C")
    j = np.arange(M.shape[1])
    M[:, j, j] += shift
    if len(j) <= WHOLE or len(M) * len(j) < STACKED:
        return _small(M)
    _to_inverse_factors(M)
    return M


def _small(M: Array) -> Array:
    return inverse_lower(np.asarray(np.linalg.cholesky(M), dtype=np.float64))


def _to_inverse_factors(M: Array) -> None:
    """Puts L⁻¹ in the place of M_t = L L', by halves: [K, 0; −N B' K'K, N] of [A, B; B', C] with K and N those of A and
    C − B'K'K B.

    Most of the work is products of all tasks' blocks at once. A product with K, whose condition is the root of A's, is
    as good as substitution.
    """
    p = M.shape[1]
    if p <= WHOLE:
        M[:] = _small(M)
        return
    half = p // 2
    first, below, last = M[:, :half, :half], M[:, half:, :half], M[:, half:, half:]
    _to_inverse_factors(first)
    factor = np.matmul(below, first.transpose(0, 2, 1))
    last -= np.matmul(factor, factor.transpose(0, 2, 1))
    _to_inverse_factors(last)
    np.negative(np.matmul(last, np.matmul(factor, first)), out=below)
    M[:, :half, half:] = 0.0
