"""Rows whose neighbouring columns are correlated, the usual design of such races."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def design(rng: np.random.Generator, n: int, p: int, rho: float) -> Array:
    """(n, p): X[:, 0] standard normal, X[:, j] = rho X[:, j-1] + sqrt(1 - rho²) N(0, 1)."""
    X = rng.standard_normal((p, n))
    X[1:] *= np.sqrt(1 - rho**2)
    for j in range(1, p):
        X[j] += rho * X[j - 1]
    return np.ascontiguousarray(X.T)


def noisy(rng: np.random.Generator, signal: Array, snr: float) -> Array:
    """The signal with noise of norm ‖signal‖ / snr."""
    noise = rng.standard_normal(signal.shape)
    return signal + noise * (np.linalg.norm(signal) / (snr * np.linalg.norm(noise)))
