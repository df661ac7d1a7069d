"""Newton's method in a trust region within bounds, for few variables and an exact Hessian that may be indefinite.

(P)  min over low <= x <= high of f(x)
(D)  the step d of the free variables: (|H| + μ I) d = −g, |H| of the sizes of H's eigenvalues, the least μ >= 0 with
     ‖d‖ <= radius; then clipped to the bounds. A variable at a bound that the gradient pushes outwards is not free
(K)  |Π(x − ∇f) − x| <= tol in every entry

Source: Nocedal & Wright 2006, chapter 4 (trust region); Bertsekas 1982 (which variables are free).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import IllConditioned
from mtlref.linalg.products import eigen

Array = NDArray[Any]


class Point(Protocol):
    """What f gives."""

    value: float
    gradient: Array

    def hessian(self) -> Array:
        """(P, P)."""
        ...


@dataclass(frozen=True, eq=False)
class Found:
    """x, the point there, how many points were looked at, and how many of these had no value."""

    x: Array
    point: Any
    count: int
    refused: int


def minimise(
    f: Callable[[Array], Any],
    x: Array,
    low: Array,
    high: Array,
    tol: float,
    max_iter: int,
    radius: float = 1.0,
) -> Found:
    """From x until (K), or until no step makes f less. Raises IllConditioned where f(x) does."""
    x = np.clip(x, low, high)
    here, count, refused = f(x), 1, 0
    H = values = vectors = None
    while count < max_iter:
        g = here.gradient
        if np.abs(np.clip(x - g, low, high) - x).max() <= tol:  # (K)
            break
        free = ~(((x <= low) & (g > 0)) | ((x >= high) & (g < 0)))
        if values is None or vectors is None or H is None:
            H = here.hessian()
            values, vectors = eigen(H[np.ix_(free, free)])
            values = np.maximum(np.abs(values), 1e-10 * np.abs(values).max() + 1e-300)
        d = _step(values, vectors.T @ g[free], radius)
        trial = x.copy()
        trial[free] += vectors @ d
        trial = np.clip(trial, low, high)
        move = trial - x
        expected = float(g @ move + 0.5 * move @ H @ move)
        length = float(np.sqrt(move @ move))
        count += 1
        try:
            there = f(trial)
        except IllConditioned:
            refused += 1
            radius = 0.25 * length
            continue
        gained = there.value - here.value
        ratio = gained / expected if expected < 0 else -1.0
        if ratio < 0.25:
            radius = 0.25 * length
        elif ratio > 0.75 and length > 0.8 * radius:
            radius *= 2.0
        if gained < 0:
            x, here, values = trial, there, None
        elif radius < 1e-9 * (1 + np.abs(x).max()):
            break
    return Found(x, here, count, refused)


def _step(values: Array, g: Array, radius: float) -> Array:
    """−g / (values + μ), the least μ >= 0 with a norm of at most radius."""
    d = -g / values
    if d @ d <= radius**2:
        return d
    mu = 0.0
    for _ in range(30):  # Newton's method on 1 / ‖d‖, from below
        d = -g / (values + mu)
        size = np.sqrt(d @ d)
        if abs(size - radius) <= 0.05 * radius:
            break
        mu = max(0.0, mu + (size / radius - 1) * size**2 / float((d * d / (values + mu)).sum()))
    return d * min(1.0, radius / float(np.sqrt(d @ d)))
