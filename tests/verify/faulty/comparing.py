"""Faults of scale: lam on one side of a comparison divided by n and on the other not, lam that was never varied."""

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


def tried_at_one_lam(X: Tasks, y: Tasks, lam: float) -> Array:
    """What a test whose range of lam has no width would pass: right for lam = 1, whatever is asked."""
    eye = np.eye(X[0].shape[1])
    return np.column_stack([np.linalg.solve(x.T @ x + eye, x.T @ v) for x, v in zip(X, y, strict=True)])
