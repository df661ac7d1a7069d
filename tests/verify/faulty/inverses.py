"""Faults of the methods that learn a matrix M, 0 ⪯ M ⪯ I, tr M = k: lam η(1+η) tr(V (ηI + M)⁻¹ V')."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from faulty.descent import Array, Tasks, loss, slope

Levels = Callable[[Array, float, int], Array]


def bisected(total: Callable[[float], float], k: float) -> float:
    """The τ with total(τ) = k, total growing."""
    low, high = -50.0, 50.0
    for _ in range(45):
        middle = (low + high) / 2
        low, high = (middle, high) if total(np.exp(middle)) < k else (low, middle)
    return float(np.exp(high))


def levels(sigma: Array, eta: float, k: int) -> Array:
    """The eigenvalues of the best M: σ² / (η + m)² is the same for all with 0 < m < 1."""
    if k >= len(sigma):
        return np.ones(len(sigma))
    tau = bisected(lambda t: float(np.clip(t * sigma - eta, 0, 1).sum()), k)
    return np.clip(tau * sigma - eta, 0, 1)


def levels_of_one_inverse(sigma: Array, eta: float, k: int) -> Array:
    """Where a gradient with (ηI + M)⁻¹ on one side alone comes to rest: σ² / (η + m) is the same for all."""
    return levels(sigma**2, eta, k)


def levels_outside(sigma: Array, eta: float, k: int) -> Array:
    """A projection that clips first and normalises then, so that it leaves 0 <= m <= 1."""
    m = np.maximum(sigma / max(float(sigma.sum()), 1e-300) * (k + len(sigma) * eta) - eta, 0.0)
    return m * (min(k, len(sigma)) / max(float(m.sum()), 1e-300))


def clustered(
    X: Tasks, y: Tasks, lam: float, eta: float, n_clusters: int, choose: Levels = levels, rounds: int = 100
) -> Array:
    """W and M (T, T) in turn, each solved for exactly."""
    T, p = len(X), X[0].shape[1]
    H = np.zeros((T * p, T * p))
    for t, x in enumerate(X):
        H[t * p : (t + 1) * p, t * p : (t + 1) * p] = x.T @ x
    r = np.concatenate([x.T @ v for x, v in zip(X, y, strict=True)])
    K = np.eye(T) / (eta + min(n_clusters / T, 1.0))
    W = np.zeros((p, T))
    for _ in range(rounds):
        before = W
        W = np.linalg.solve(H + 2 * lam * eta * (1 + eta) * np.kron(K, np.eye(p)), r).reshape(T, p).T
        if float(np.abs(W - before).max()) <= 1e-9 * float(np.abs(W).max()):
            break
        _, sigma, Vt = np.linalg.svd(np.vstack([W, np.zeros((T, T))]), full_matrices=False)
        m = choose(sigma, eta, n_clusters)
        K = (Vt.T / (eta + m)) @ Vt
    return W


def forgets_an_inverse(X: Tasks, y: Tasks, **weights: float) -> Array:
    """The gradient in M is −V'V (ηI + M)⁻¹, without the second inverse."""
    return clustered(X, y, **weights, choose=levels_of_one_inverse)  # type: ignore[arg-type]


def leaves_the_simplex(X: Tasks, y: Tasks, **weights: float) -> Array:
    """The projection on the set of M leaves it."""
    return clustered(X, y, **weights, choose=levels_outside)  # type: ignore[arg-type]


def shared_subspace(
    X: Tasks, y: Tasks, lam: float, eta: float, dim: int, inverse: bool = False, rounds: int = 150
) -> Array:
    """M (p, p) exactly, W by gradient steps that a line search accepts by the objective that it reports.

    With ``inverse`` False that one has tr(W' (ηI + M) W) in it.
    """
    T, p = len(X), X[0].shape[1]
    W = np.zeros((p, T))
    K = np.eye(p) / (eta + min(dim / p, 1.0))
    weight = lam * eta * (1 + eta)
    for _ in range(rounds):
        B = K if inverse else np.linalg.inv(K)

        def reported(V: Array, B: Array = B) -> float:
            return loss(X, y, V) + weight * float(np.vdot(V, B @ V))

        for _ in range(20):
            g, here, step = slope(X, y, W) + 2 * weight * K @ W, reported(W), 1.0
            while reported(W - step * g) > here - step / 4 * float(np.vdot(g, g)) and step > 1e-9:
                step /= 2
            if step <= 1e-9:
                break
            W = W - step * g
        U, sigma, _ = np.linalg.svd(np.hstack([W, np.zeros((p, p))]), full_matrices=False)
        K = (U / (eta + levels(sigma, eta, dim))) @ U.T
    return W


def right_objective(X: Tasks, y: Tasks, lam: float, eta: float, dim: int) -> Array:
    """The line search sees (ηI + M)⁻¹."""
    return shared_subspace(X, y, lam, eta, dim, inverse=True)
