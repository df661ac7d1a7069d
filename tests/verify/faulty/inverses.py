"""Faults of the methods that learn a matrix M, 0 ⪯ M ⪯ I, tr M = k: lam η(1+η) tr(V (ηI + M)⁻¹ V')."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from faulty.descent import Array, Tasks, loss, slope


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
    values = sigma.tolist()
    tau = bisected(lambda t: sum(min(max(t * v - eta, 0.0), 1.0) for v in values), k)
    return np.clip(tau * sigma - eta, 0, 1)


def two_sided(W: Array, K: Array) -> Array:
    """The slope of tr(W (ηI + M)⁻¹ W') in M, K = (ηI + M)⁻¹."""
    return -K @ W.T @ W @ K


def one_sided(W: Array, K: Array) -> Array:
    """The same that forgets an inverse, made symmetric."""
    G = -W.T @ W @ K
    return (G + G.T) / 2


def nearest(M: Array, k: float) -> Array:
    """The nearest matrix with 0 ⪯ M ⪯ I and tr M = k: its eigenvalues m, shifted and clipped."""
    m, U = np.linalg.eigh(M)
    values = m.tolist()
    low, high = min(values) - 1.0, max(values)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if sum(min(max(v - middle, 0.0), 1.0) for v in values) > k else (low, middle)
        )
    return (U * np.clip(m - low, 0, 1)) @ U.T


def outside(M: Array, k: float) -> Array:
    """A projection that clips first and normalises then, so that it leaves M ⪯ I."""
    m, U = np.linalg.eigh(M)
    m = np.clip(m, 1e-12, 1)
    return (U * (m * k / m.sum())) @ U.T


def clustered(
    X: Tasks,
    y: Tasks,
    lam: float,
    eta: float,
    n_clusters: int,
    slope_of: Callable[[Array, Array], Array] = two_sided,
    project: Callable[[Array, float], Array] = nearest,
    steps: int = 300,
) -> Array:
    """Projected gradient steps in M (T, T), of Barzilai and Borwein's length, each with the best W for M."""
    T, p = len(X), X[0].shape[1]
    H = np.zeros((T * p, T * p))
    for t, x in enumerate(X):
        H[t * p : (t + 1) * p, t * p : (t + 1) * p] = x.T @ x
    r = np.concatenate([x.T @ v for x, v in zip(X, y, strict=True)])
    k, weight = min(float(n_clusters), float(T)), lam * eta * (1 + eta)
    M = np.eye(T) * k / T
    before: tuple[Array, Array] | None = None
    for _ in range(steps):
        K = np.linalg.inv(eta * np.eye(T) + M)
        W = np.linalg.solve(H + 2 * weight * np.kron(K, np.eye(p)), r).reshape(T, p).T
        G = slope_of(W, K)
        length = 0.1 / max(float(np.abs(G).max()), 1e-300)
        if before is not None:
            moved, turned = M - before[0], G - before[1]
            if float(np.abs(moved).max()) <= 1e-12:
                break
            if float(np.vdot(moved, turned)) > 0:
                length = float(np.vdot(moved, moved) / np.vdot(moved, turned))
        before, M = (M, G), project(M - length * G, k)
    return W


def forgets_an_inverse(X: Tasks, y: Tasks, **weights: float) -> Array:
    """The gradient in M is −W'W (ηI + M)⁻¹, without the second inverse."""
    return clustered(X, y, **weights, slope_of=one_sided)  # type: ignore[arg-type]


def leaves_the_simplex(X: Tasks, y: Tasks, **weights: float) -> Array:
    """The projection on the set of M leaves it."""
    return clustered(X, y, **weights, project=outside)  # type: ignore[arg-type]


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
