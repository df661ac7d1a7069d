"""Faults of arithmetic and of arrays: norms through a Gram matrix, silent jitter, designs in one array."""

from __future__ import annotations

import numpy as np

from faulty.descent import Array, Tasks, fista, loss, ridges


def low_rank(X: Tasks, y: Tasks, lam: float, ridge: float, gram: bool, patience: int = 60) -> Array:
    """FISTA for the trace norm until its value has not fallen for some steps."""

    def prox(V: Array, step: float) -> Array:
        U, sigma, Vt = np.linalg.svd(V, full_matrices=False)
        return (U * np.maximum(sigma - step * lam, 0.0)) @ Vt

    def value(V: Array) -> float:
        singular = (
            np.sqrt(np.abs(np.linalg.eigvalsh(V.T @ V))) if gram else np.linalg.svd(V, compute_uv=False)
        )
        return loss(X, y, V) + lam * float(singular.sum()) + ridge / 2 * float(np.vdot(V, V))

    best, least, since = np.zeros((X[0].shape[1], len(X))), np.inf, 0
    for W, _ in fista(X, y, ridge, prox):
        now = value(W)
        best, least, since = (W, now, 0) if now < least else (best, least, since + 1)
        if since == patience:
            break
    return best


def norm_by_gram(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """Singular values as roots of eigenvalues of W'W: those below 1e-8 of the largest are noise."""
    return low_rank(X, y, lam, ridge, gram=True)


def norm_by_svd(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """The same by a singular value decomposition: no noise passes for a lower value."""
    return low_rank(X, y, lam, ridge, gram=False)


def silent_jitter(X: Tasks, y: Tasks, lam: float, jitter: float = 1e-3) -> Array:
    """Something is added to the diagonal, so that the factorisation never fails, and nothing is said."""
    eye = np.eye(X[0].shape[1])
    grams = [x.T @ x for x in X]
    pairs = zip(X, y, grams, strict=True)
    return np.column_stack(
        [np.linalg.solve(g + (lam + jitter * np.trace(g)) * eye, x.T @ v) for x, v, g in pairs]
    )


def one_array(X: Tasks, y: Tasks, lam: float) -> Array:
    """``np.asarray`` makes one 3-D array of designs of equal size, which is then taken for stacked rows of one task."""
    if len({x.shape for x in X}) > 1:
        return ridges(X, y, lam)
    rows, targets = np.asarray(X), np.asarray(y)
    p = rows.shape[-1]
    w = ridges([rows.reshape(-1, p)], [targets.ravel()], lam)
    return np.repeat(w, len(X), axis=1)
