"""Rows about their mean, and products of such rows, to the last digits also beside large means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Rows are centred in blocks of about so many numbers.
BLOCK = 2**18
# Means whose squares are below this share of a column's mean square take no digits when they are subtracted after.
SMALL_MEAN = 0.1


def centred(a: Array, s: Array | None) -> tuple[Array, Array]:
    """(mean, a − mean) along the rows, weighted by s. The second pass removes the rounding of the first mean."""
    mean, _, ac = centred_twice(a, s)
    return mean, ac


def centred_twice(a: Array, s: Array | None) -> tuple[Array, Array, Array]:
    """(mean, slip, a − mean − slip) along the rows, weighted by s; slip is what rounding took from the mean."""
    if s is None:
        mean = a.mean(axis=0)
        ac = a - mean
        slip = ac.mean(axis=0)
    else:
        total = s.sum()
        mean = (s @ a) / total
        ac = a - mean
        slip = (s @ ac) / total
    ac -= slip
    return *two_sum(mean, slip), ac


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """(a + b, what rounding took from it), exactly (Knuth)."""
    whole = a + b
    part = whole - a
    return whole, (a - (whole - part)) + (b - part)


def nearly_centred(X: Array, mean: Array) -> bool:
    """Whether the means (p,) of the columns are small enough to be taken off after squaring, without loss of digits."""
    least = least_squares(X, mean)
    # The squares of some of the rows are most often enough.
    return any((least <= np.einsum("ij,ij->j", rows, rows)).all() for rows in (X[: len(X) // 4], X))


def least_squares(X: Array, mean: Array) -> Array:
    """(p,): the sums of squares that columns with these means must have for their means to be small."""
    return np.asarray(len(X) * mean**2 / SMALL_MEAN)


def less_means(X: Array, yc: Array, mean: Array, cxx: Array) -> Array:
    """cxy of columns whose means are small; these are subtracted from the products cxx (p, p), in their place."""
    root = np.sqrt(len(X)) * mean
    cxx -= root[:, None] * root
    return np.asarray(yc @ X - yc.sum() * mean)


def block_rows(p: int) -> int:
    """Rows of p numbers that are centred at once."""
    return max(BLOCK // p, 2 * p)


def sums_in_blocks(X: Array, s: Array | None) -> Array:
    """(p,): Σ_i s_i x_i, as short sums of short sums."""
    size, total = block_rows(X.shape[1]), np.zeros(X.shape[1])
    for i in range(0, len(X), size):
        total += X[i : i + size].sum(axis=0) if s is None else s[i : i + size] @ X[i : i + size]
    return total


def statistics_in_blocks(
    X: Array, sY: Array, s: Array | None, mean: Array | None, total: float
) -> tuple[Array, Array, Array]:
    """(cxx, cxy, what rounding left of the mean): rows are centred block by block, in the processor's cache.

    The slip of the mean is known only at the end, and what it added is taken off there. mean None: as they are.
    Short sums of short sums err by less than long ones.
    """
    p, T = X.shape[1], sY.shape[1]
    cxx, cxy, slip = np.empty((p, p)), np.zeros((T, p)), np.zeros(p)
    size = block_rows(p)
    buffer, product = np.empty((0 if mean is None else min(size, len(X)), p)), np.empty((p, p))
    for i in range(0, len(X), size):
        Xc = X[i : i + size]
        if mean is not None:
            Xc = np.subtract(Xc, mean, out=buffer[: len(X) - i])
            slip += Xc.sum(axis=0) if s is None else s[i : i + size] @ Xc
        cxy += sY[i : i + size].T @ Xc
        if s is not None:
            Xc *= np.sqrt(s[i : i + size])[:, None]
        if i:
            cxx += np.matmul(Xc.T, Xc, out=product)
        else:
            np.matmul(Xc.T, Xc, out=cxx)
    slip /= total
    cxx -= total * slip[:, None] * slip
    cxy -= sY.sum(axis=0)[:, None] * slip
    return cxx, cxy, slip
