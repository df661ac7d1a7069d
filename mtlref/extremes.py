"""Data of extreme magnitude: the powers of two that they are divided by, so that no square overflows or vanishes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.sparserows import is_sparse
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
# Squares of numbers within 2^±64, summed over any number of rows, stay far from overflow and underflow.
EXTREME = 64


def exponent_of(largest: float) -> int:
    """0, or the power of two nearest above ``largest`` where that is beyond 2^±EXTREME."""
    if largest == 0.0:
        return 0
    exponent = int(np.frexp(largest)[1])
    return exponent if abs(exponent) > EXTREME else 0


def extreme_exponents(data: TaskData, products: Array | None = None) -> tuple[int, int]:
    """The exponents by which rows and numeric targets are to be divided: (0, 0) for all ordinary data.

    products : (T, p), is filled with X_t'y_t while the rows of a task, held as numbers, are in the processor's cache.
    """
    largest_x = 0.0
    for t, X in enumerate(data.X[:1] if data.shared else data.X):
        if products is not None:
            np.dot(data.y[t], X, out=products[t])
        largest_x = max(largest_x, _about_largest(X))
    return exponent_of(largest_x), target_exponent(data)


def target_exponent(data: TaskData) -> int:
    """The exponent by which numeric targets are to be divided."""
    sizes = (float(max(y.max(), -y.min())) for y in data.y if y.dtype.kind == "f")
    return exponent_of(max(sizes, default=0.0))


def ordinary(squares: float, mean_square: float) -> bool:
    """Whether numbers with this sum of squares, and this mean of them, are neither very large nor all very small.

    The largest lies between the root of the mean and that of the sum: neither is extreme, and 2^40 numbers between.
    """
    return mean_square > 2.0 ** (-EXTREME) and squares < 2.0**EXTREME


def _about_largest(X: Any) -> float:
    """The largest |x|, or for ordinary numbers their root mean square, which costs one look at them instead of two."""
    if is_sparse(X):
        return float(max(X.max(), -X.min()))  # its zeros counted
    flat = X.ravel(order="K")
    with np.errstate(over="ignore", under="ignore"):
        squares = float(flat @ flat)
    if ordinary(squares, squares / X.size):
        return float(np.sqrt(squares / X.size))
    return float(max(X.max(), -X.min()))


def _ldexp(x: Any, exponent: int) -> Any:
    """A sparse x · 2^exponent."""
    out = x.copy()
    out.data = np.ldexp(x.data, exponent)
    return out


def scaled_rows(data: TaskData, x_exponent: int, y_exponent: int) -> TaskData:
    """The data with X divided by 2^x_exponent and y by 2^y_exponent: exact but for subnormal numbers."""
    own = data.X[:1] if data.shared else data.X
    if data.sparse:
        X: tuple[Any, ...] = tuple(_ldexp(x, -x_exponent) for x in own)
    else:
        X = tuple(np.ldexp(x, -x_exponent) for x in own)
    X = X * data.T if data.shared else X
    y = data.y if y_exponent == 0 else tuple(np.ldexp(v, -y_exponent) for v in data.y)
    return replace(data, X=X, y=y)
