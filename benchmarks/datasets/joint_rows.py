"""Few relevant features, the same for all tasks: one design or one for each task, regression or two classes."""

from __future__ import annotations

import numpy as np

from benchmarks.datasets.autoregressive import design, noisy
from benchmarks.datasets.table import Table, centred


def shared(n: int, p: int, T: int, rows: int, *, rho: float = 0.5, snr: float = 3.0, seed: int = 0) -> Table:
    """One design; ``rows`` rows of W with entries N(0, 1)."""
    rng = np.random.default_rng(seed)
    X = design(rng, n, p, rho)
    W = np.zeros((p, T))
    W[rng.permutation(p)[:rows]] = rng.standard_normal((rows, T))
    return centred(X, noisy(rng, X @ W, snr))


def ragged(
    T: int,
    n: int,
    p: int,
    rows: int,
    *,
    rho: float = 0.5,
    snr: float = 2.0,
    labels: bool = False,
    seed: int = 0,
) -> Table:
    """A design for each task; with ``labels`` the targets are the signs of the noisy signal."""
    rng = np.random.default_rng(seed)
    W = np.zeros((p, T))
    W[rng.permutation(p)[:rows]] = rng.standard_normal((rows, T))
    X = [design(rng, n, p, rho) for _ in range(T)]
    signal = noisy(rng, np.stack([x @ W[:, t] for t, x in enumerate(X)]), snr)
    return Table(tuple(X), tuple(np.where(s > 0, 1.0, -1.0) if labels else s for s in signal), False)
