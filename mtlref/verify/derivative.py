"""Derivatives by methods that share nothing with the formulae they check."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def complex_step(f: Callable[[NDArray[np.complex128]], complex], x: Array, step: float = 1e-30) -> Array:
    """The gradient of an analytic f at x, to machine precision: Im f(x + i h e_k) / h.

    f must accept complex arrays and use nothing that is not analytic (abs, max, conjugation, comparison).
    Source: Squire & Trapp 1998.

    Examples
    --------
    >>> complex_step(lambda z: (z**3).sum(), np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    gradient = np.empty(x.shape)
    for k in np.ndindex(x.shape):
        z = x.astype(complex)
        z[k] += 1j * step
        gradient[k] = np.imag(f(z)) / step
    return gradient


def richardson(f: Callable[[Array], float], x: Array, step: float = 1e-2, levels: int = 5) -> Array:
    """The gradient of a smooth real f at x: central differences at halved steps, extrapolated to step zero.

    About 1e-11 relative for a function with derivatives of the size of its value. Source: Richardson 1911.

    Examples
    --------
    >>> richardson(lambda x: float(np.exp(x).sum()), np.zeros(2)).round(10)
    array([1., 1.])
    """
    gradient = np.empty(x.shape)
    for k in np.ndindex(x.shape):
        table: list[list[float]] = []
        for level in range(levels):
            h = step / 2**level
            up, down = x.copy(), x.copy()
            up[k] += h
            down[k] -= h
            row = [(f(up) - f(down)) / (2 * h)]
            for order in range(level):
                # The error of a central difference has even powers of h alone.
                factor = 4.0 ** (order + 1)
                row.append((factor * row[order] - table[-1][order]) / (factor - 1))
            table.append(row)
        gradient[k] = table[-1][-1]
    return gradient
