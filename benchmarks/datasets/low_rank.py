"""Coefficients of low rank: W = L R / sqrt(r) with normal factors; one design or one for each task."""

from __future__ import annotations

import numpy as np

from benchmarks.datasets.autoregressive import design, noisy
from benchmarks.datasets.table import Table, centred

RANK = 5


def shared(n: int, p: int, T: int, *, rho: float, snr: float = 1.0, seed: int = 0) -> Table:
    """One design."""
    rng = np.random.default_rng(seed)
    X = design(rng, n, p, rho)
    W = rng.standard_normal((p, RANK)) @ rng.standard_normal((RANK, T)) / np.sqrt(RANK)
    return centred(X, noisy(rng, X @ W, snr))


def ragged(T: int, n: int, p: int, *, rho: float, snr: float = 1.0, seed: int = 0) -> Table:
    """A design for each task."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((p, RANK)) @ rng.standard_normal((RANK, T)) / np.sqrt(RANK)
    X = [design(rng, n, p, rho) for _ in range(T)]
    signal = noisy(rng, np.stack([x @ W[:, t] for t, x in enumerate(X)]), snr)
    return Table(tuple(X), tuple(signal), False)
