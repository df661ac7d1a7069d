"""Sums of products in twice the working precision: numbers are unevaluated sums of two doubles, high + low.

Source: Dekker 1971 (products), Knuth 1969 (sums), Ogita, Rump & Oishi 2005 (dot products).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pair = tuple[Array, Array]
SPLITTER = 2.0**27 + 1
# Terms of a product that are held at once.
BLOCK = 2**19


def two_sum(a: Array, b: Array) -> Pair:
    """(s, e): s = fl(a + b) and a + b = s + e exactly."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


def two_product(a: Array, b: Array) -> Pair:
    """(m, e): m = fl(a b) and a b = m + e exactly, for factors below 2^995 whose product does not underflow."""
    m = a * b
    ah, al = _split(a)
    bh, bl = _split(b)
    return m, ((ah * bh - m) + ah * bl + al * bh) + al * bl


def _split(a: Array) -> Pair:
    c = SPLITTER * a
    high = c - (c - a)
    return high, a - high


def total(high: Array, low: Array) -> Pair:
    """The sum over the last axis of high + low, in pairs of halves."""
    while high.shape[-1] > 1:
        half = high.shape[-1] // 2
        s, e = two_sum(high[..., :half], high[..., half : 2 * half])
        e = e + (low[..., :half] + low[..., half : 2 * half])
        if high.shape[-1] % 2:
            s, e = np.concatenate([s, high[..., -1:]], axis=-1), np.concatenate([e, low[..., -1:]], axis=-1)
        high, low = s, e
    return two_sum(high[..., 0], low[..., 0])


def times(A: Array, x: Pair) -> Pair:
    """A x, A (n, p), x (p,)."""
    n, p = A.shape
    high, low = np.empty(n), np.empty(n)
    step = max(1, BLOCK // p)
    # Blocks of rows, so that the exact products of a large design are never all in memory.
    for rows in (slice(i, i + step) for i in range(0, n, step)):
        m, e = two_product(A[rows], x[0][None, :])
        high[rows], low[rows] = total(m, e + A[rows] * x[1])
    return high, low


def plus(a: Pair, b: Pair) -> Pair:
    """a + b."""
    s, e = two_sum(a[0], b[0])
    return two_sum(s, e + (a[1] + b[1]))


def scaled(a: Pair, c: Array | float) -> Pair:
    """c a, c one number or one an entry."""
    m, e = two_product(a[0], np.asarray(c, dtype=float))
    return two_sum(m, e + a[1] * c)
