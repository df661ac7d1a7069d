"""A fault of acceptance: the intercepts are a row of the penalty's value, though not of its prox."""

from __future__ import annotations

import numpy as np

from faulty.descent import Array, Tasks, loss, shrink_rows, slope


def intercept_row_in_the_value(
    X: Tasks, y: Tasks, lam: float, ridge: float, counted: bool = True, steps: int = 3000
) -> tuple[Array, Array]:
    """Proximal gradient steps on [W; b'], accepted where the value falls; with ``counted`` it has b in it."""
    wide = [np.column_stack([x, np.ones(len(x))]) for x in X]
    V = np.zeros((wide[0].shape[1], len(X)))
    largest = 1.0 / (max(float(np.linalg.norm(x, 2)) ** 2 for x in wide) + ridge)

    def value(V: Array) -> float:
        rows = np.linalg.norm(V if counted else V[:-1], axis=1)
        return loss(wide, y, V) + lam * float(rows.sum()) + ridge / 2 * float(np.vdot(V[:-1], V[:-1]))

    step = largest
    for _ in range(steps):
        G = slope(wide, y, V)
        G[:-1] += ridge * V[:-1]
        new = V - step * G
        new[:-1] = shrink_rows(new[:-1], step * lam)
        if value(new) < value(V):
            if float(np.abs(new - V).max()) <= 1e-14:
                break
            V, step = new, min(2 * step, largest)
        elif step > 1e-12 * largest:
            step /= 2
        else:
            break
    return V[:-1], V[-1]


def intercept_row_apart(X: Tasks, y: Tasks, lam: float, ridge: float) -> tuple[Array, Array]:
    """The value without it."""
    return intercept_row_in_the_value(X, y, lam, ridge, counted=False)
