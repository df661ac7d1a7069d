"""Faults of scale: lam on one side of a comparison divided by n and on the other not, a draw from one value."""

from __future__ import annotations

import numpy as np

from faulty.descent import Array, Tasks, joint, slope


def loss_divided_by_n(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """The losses are means, the penalty is that of sums."""
    root = [np.sqrt(len(v)) for v in y]
    scaled = [x / r for x, r in zip(X, root, strict=True)]
    return joint(scaled, [v / r for v, r in zip(y, root, strict=True)], lam, ridge)


def working_set(X: Tasks, y: Tasks, lam: float, ridge: float, divided: bool = True) -> Array:
    """Features join where their correlation with the residuals exceeds lam; with ``divided`` it is a mean over rows."""
    p = X[0].shape[1]
    on = np.zeros(p, dtype=bool)
    W = np.zeros((p, len(X)))
    for _ in range(p):
        size = np.linalg.norm(slope(X, y, W), axis=1) / (max(map(len, y)) if divided else 1)
        new = ~on & (size > lam)
        if not new.any():
            break
        on |= new
        W[on] = joint([x[:, on] for x in X], y, lam, ridge)
    return W


def right_working_set(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """Sums on both sides."""
    return working_set(X, y, lam, ridge, divided=False)


def random_features(X: Tasks, y: Tasks, lam: float, high: int | None = None, steps: int = 3000) -> Array:
    """Ridge regression by steps in one feature at a time, drawn from 0 <= j < ``high``; None for all of them."""
    rng = np.random.default_rng(0)
    p = X[0].shape[1]
    grams = np.stack([x.T @ x for x in X])
    right = np.stack([x.T @ v for x, v in zip(X, y, strict=True)], axis=1)
    W = np.zeros((p, len(X)))
    for j in rng.integers(0, p if high is None else high, size=steps):
        W[j] += (right[j] - np.einsum("tk,kt->t", grams[:, j], W) - lam * W[j]) / (grams[:, j, j] + lam)
    return W


def drawn_from_one_value(X: Tasks, y: Tasks, lam: float) -> Array:
    """The range that features are drawn from has no width: its end is not one of its values."""
    return random_features(X, y, lam, high=1)
