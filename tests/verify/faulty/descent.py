"""Proximal gradient methods that are right: what the faulty ones differ from in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Tasks = list[Array]


def slope(X: Tasks, y: Tasks, W: Array) -> Array:
    """The gradient of Σ_t ‖X_t w_t − y_t‖² / 2."""
    return np.column_stack([x.T @ (x @ w - v) for x, w, v in zip(X, W.T, y, strict=True)])


def loss(X: Tasks, y: Tasks, W: Array) -> float:
    """Σ_t ‖X_t w_t − y_t‖² / 2."""
    return sum(float(((x @ w - v) ** 2).sum()) / 2 for x, w, v in zip(X, W.T, y, strict=True))


def step_of(X: Tasks, ridge: float) -> float:
    """1 / a bound on the curvature."""
    return 1.0 / (max(float(np.linalg.norm(x, 2)) ** 2 for x in X) + ridge + 1e-300)


def shrink_rows(V: Array, cut: float) -> Array:
    """The prox of cut Σ_j ‖V[j,:]‖."""
    norms = np.linalg.norm(V, axis=1, keepdims=True)
    return V * (1 - cut / np.maximum(norms, cut + 1e-300))


def shrink_entries(V: Array, cut: float) -> Array:
    """The prox of cut ‖V‖_1."""
    return np.sign(V) * np.maximum(np.abs(V) - cut, 0.0)


def fista(
    X: Tasks, y: Tasks, ridge: float, prox: Callable[[Array, float], Array], restarted: bool = True
) -> Iterator[tuple[Array, Array]]:
    """(prox point, momentum point) of each step, restarted where momentum points uphill."""
    W = Z = np.zeros((X[0].shape[1], len(X)))
    step, t = step_of(X, ridge), 1.0
    for _ in range(2000):
        new = prox(Z - step * (slope(X, y, Z) + ridge * Z), step)
        if restarted and float(np.vdot(Z - new, new - W)) > 0:
            t = 1.0
        after = (1 + np.sqrt(1 + 4 * t * t)) / 2
        moved = float(np.abs(new - W).max())
        Z, W, t = new + (t - 1) / after * (new - W), new, after
        yield W, Z
        if moved <= 1e-14 * float(np.abs(W).max()):
            return


def last(points: Iterator[tuple[Array, Array]]) -> Array:
    """The prox point of the last step."""
    *_, (W, _) = points
    return W


def joint(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """Σ_t ‖X_t w_t − y_t‖² / 2 + lam Σ_j ‖W[j,:]‖ + ridge/2 ‖W‖²."""
    return last(fista(X, y, ridge, lambda V, step: shrink_rows(V, step * lam)))


def lasso(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """Σ_t ‖X_t w_t − y_t‖² / 2 + lam ‖W‖_1 + ridge/2 ‖W‖²."""
    return last(fista(X, y, ridge, lambda V, step: shrink_entries(V, step * lam)))


def ridges(X: Tasks, y: Tasks, lam: float) -> Array:
    """Σ_t ‖X_t w_t − y_t‖² / 2 + lam/2 ‖W‖²."""
    eye = np.eye(X[0].shape[1])
    return np.column_stack([np.linalg.solve(x.T @ x + lam * eye, x.T @ v) for x, v in zip(X, y, strict=True)])
