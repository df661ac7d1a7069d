"""The linear system of Newton's method on rows: a block a task, minus one rank-one term a row that couples them.

    (blockdiag(K_t) − Σ_j u_j u_j') Δ = R,    K_t = H_t + diag(d),   u_j has the entries S[t, j] at (t, j).

Woodbury leaves M = I − Σ_t K_t⁻¹ ∘ (s_t s_t'). With K_t = L_t L_t' and B_t = L_t⁻¹ diag(s_t) it is I − Σ_t B_t' B_t:
one product of a tall matrix with itself, so that a step costs Cholesky factors, their inverses and that product, each
a³/3 to a³ multiplications a task, where inverting K_t would take as many as eight factorisations.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Rows of the blocks that are inverted by substitution: small for small factors, whose calls cost more than their work.
BLOCK, LARGE_BLOCK, LARGE = 7, 16, 100


def inverse_lower(L: Array) -> Array:
    """(T, a, a): inverses of lower triangular matrices, all tasks at once, in blocks of rows.

    X_kk = L_kk⁻¹ by forward substitution, all blocks at once; then X_k,<k = −X_kk L_k,<k X_<k,<k, block by block: the
    loops are over a / block blocks and the rows of one.
    """
    T, a, _ = L.shape
    size = min(a, LARGE_BLOCK if a > LARGE else BLOCK)
    whole = a // size
    X = np.zeros_like(L)
    diagonal = np.stack([L[:, k * size : (k + 1) * size, k * size : (k + 1) * size] for k in range(whole)])
    small = list(_substituted(diagonal.reshape(whole * T, size, size)).reshape(whole, T, size, size))
    if whole * size < a:
        small.append(_substituted(L[:, whole * size :, whole * size :]))
    start = 0
    for block in small:
        rows = slice(start, start + block.shape[-1])
        X[:, rows, rows] = block
        if start:
            X[:, rows, :start] = -np.matmul(block, np.matmul(L[:, rows, :start], X[:, :start, :start]))
        start = rows.stop
    return X


def _substituted(L: Array) -> Array:
    """Inverses of lower triangular matrices, row by row."""
    X = np.zeros(L.shape)
    scale = 1.0 / np.einsum("tjj->tj", L)
    X[:, 0, 0] = scale[:, 0]
    for i in range(1, L.shape[-1]):
        X[:, i, :i] = -scale[:, i, None] * np.matmul(L[:, i : i + 1, :i], X[:, :i, :i])[:, 0]
        X[:, i, i] = scale[:, i]
    return X


def solve_rows(H: Array, d: Array, S: Array, R: Array) -> Array | None:
    """(T, a): Δ for H (T, a, a), d (a,), S and R (T, a); None where K_t is not positive definite or M is singular."""
    a = len(d)
    K = H + np.diag(d)
    try:
        inverse = inverse_lower(np.linalg.cholesky(K))
    except np.linalg.LinAlgError:
        return None
    B = inverse * S[:, None, :]
    tall = B.reshape(-1, a)
    M = np.eye(a) - tall.T @ tall
    half = np.matmul(inverse, R[:, :, None])
    try:
        z = np.linalg.solve(M, half.ravel() @ tall)
    except np.linalg.LinAlgError:
        return None
    # K⁻¹ (R + S z) = L⁻ᵀ (L⁻¹ R + B z).
    return np.asarray(np.matmul((half + (B @ z)[:, :, None]).transpose(0, 2, 1), inverse)[:, 0])
