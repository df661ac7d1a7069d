"""Faults of thresholds and of the points that are given back."""

from __future__ import annotations

import numpy as np

from faulty.descent import Array, Tasks, fista, last, shrink_entries, shrink_rows, slope


def twice_the_width(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """The soft threshold cuts at 2 lam where it should at lam."""
    return last(fista(X, y, ridge, lambda V, step: shrink_entries(V, 2 * step * lam)))


def gap_of(X: Tasks, y: Tasks, lam: float, ridge: float, W: Array) -> float:
    """The duality gap of joint feature selection at W."""
    R = [v - x @ w for x, w, v in zip(X, W.T, y, strict=True)]
    G = -slope(X, y, W) - ridge * W
    size = float(np.linalg.norm(G, axis=1).max())
    a = min(1.0, lam / size) if size > 0 else 1.0
    square = sum(float(r @ r) for r in R) + ridge * float(np.vdot(W, W))
    primal = square / 2 + lam * float(np.linalg.norm(W, axis=1).sum())
    return primal - a * sum(float(r @ v) for r, v in zip(R, y, strict=True)) + a * a * square / 2


def momentum_point(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """FISTA that stops where its prox point is good, and gives back the point that it would go on from."""
    return accelerated(X, y, lam, ridge)[1]


def prox_point(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """The same that gives back the prox point."""
    return accelerated(X, y, lam, ridge)[0]


def accelerated(X: Tasks, y: Tasks, lam: float, ridge: float) -> tuple[Array, Array]:
    """(prox point, momentum point) where the prox point's relative gap is at most 5e-7."""
    null = sum(float(v @ v) for v in y) / 2
    found = np.zeros((X[0].shape[1], len(X))), np.zeros((X[0].shape[1], len(X)))
    for point in fista(X, y, ridge, lambda V, step: shrink_rows(V, step * lam), restarted=False):
        found = point
        if gap_of(X, y, lam, ridge, point[0]) <= 5e-7 * null:
            break
    return found


def gap_at_another_scale(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """FISTA that divides its gap by the number of rows, and the objective beside it not, and stops by that."""
    null, N = sum(float(v @ v) for v in y) / 2, sum(len(v) for v in y)
    W = np.zeros((X[0].shape[1], len(X)))
    for point, _ in fista(X, y, ridge, lambda V, step: shrink_rows(V, step * lam)):
        W = point
        if gap_of(X, y, lam, ridge, W) / N <= 1e-6 * null:
            break
    return W


def shrink_in_place(V: Array, cut: float) -> Array:
    """A prox that changes its argument."""
    norms = np.linalg.norm(V, axis=1, keepdims=True)
    V *= 1 - cut / np.maximum(norms, cut + 1e-300)
    return V


def prox_in_place(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """ADMM whose prox changes the multiplier that it is given."""
    return admm(X, y, lam, ridge, shrink_in_place)


def prox_apart(X: Tasks, y: Tasks, lam: float, ridge: float) -> Array:
    """The same with a prox that leaves its argument alone."""
    return admm(X, y, lam, ridge, shrink_rows)


def admm(X: Tasks, y: Tasks, lam: float, ridge: float, prox: object, steps: int = 1500) -> Array:
    """ADMM for joint feature selection; U is the scaled multiplier."""
    assert callable(prox)
    p = X[0].shape[1]
    rho = max(float(np.linalg.norm(x, 2)) ** 2 for x in X) / 4 + 1e-6
    solve = [np.linalg.inv(x.T @ x + (ridge + rho) * np.eye(p)) for x in X]
    Z = U = np.zeros((p, len(X)))
    for _ in range(steps):
        W = np.column_stack(
            [S @ (x.T @ v + rho * a) for S, x, v, a in zip(solve, X, y, (Z - U).T, strict=True)]
        )
        before, U = Z, U + W
        Z = prox(U, lam / rho)
        U = U - Z
        if max(float(np.abs(Z - before).max()), float(np.abs(Z - W).max())) <= 1e-13:
            break
    return Z
