"""One trial of a law of loss weightings: a few steps of one, complex slopes, and when two sides agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.fixed import Fixed
from mtlref.balance.weighting import LossWeighting
from mtlref.errors import LawViolation

Array = NDArray[np.float64]
STEP: float = 1e-30


def require(holds: Any, message: str) -> None:
    """Raise LawViolation unless it holds."""
    if not bool(holds):
        raise LawViolation(message)


def agree(one: Any, other: Any, what: str, tol: float = 1e-12) -> None:
    """Raise LawViolation unless the two are equal, relative to the larger entry."""
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    size = max(float(np.abs(a).max()), float(np.abs(b).max()), 1e-300)
    close = a.shape == b.shape and np.abs(a - b).max() <= tol * size
    require(close, f"{what}: {a.tolist()} and {b.tolist()} differ")


def slope(f: Callable[[Any], Any], x: Array) -> Array:
    """The gradient of a real analytic function by complex steps."""
    return np.array([np.imag(f(x + 1j * STEP * e)) / STEP for e in np.eye(len(x))])


def problem(rng: np.random.Generator, T: int = 3) -> tuple[Array, Array]:
    """Gradients (T, 4) and losses (T,) of different sizes."""
    return rng.standard_normal((T, 4)), np.exp(rng.normal(size=T))


def run(
    weighting: LossWeighting, rng: np.random.Generator, steps: int = 4
) -> tuple[Any, Array, Array, Array]:
    """State, J and losses of a step, and its weights, after a few steps."""
    T = 3
    if isinstance(weighting, Fixed) and weighting.weights is not None:
        T = len(weighting.weights)
    state = weighting.init(T)
    for _ in range(steps - 1):
        J, losses = problem(rng, T)
        _, state = weighting.update(state, J, losses, rng)
    J, losses = problem(rng, T)
    return state, J, losses, weighting.update(state, J, losses, np.random.default_rng(0))[0]
