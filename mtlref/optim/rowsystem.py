"""The linear system of Newton's method on rows: a block a task, minus one rank-one term a row that couples them.

    (blockdiag(K_t) − Σ_j u_j u_j') Δ = R,    K_t = H_t + diag(d),   u_j has the entries S[t, j] at (t, j).

Woodbury leaves M = I − Σ_t K_t⁻¹ ∘ (s_t s_t'). With K_t = L_t L_t' and B_t = L_t⁻¹ diag(s_t) it is I − Σ_t B_t' B_t:
one product of a tall matrix with itself, so that a step costs Cholesky factors, their inverses and that product, each
a³/3 to a³ multiplications a task, where inverting K_t would take as many as eight factorisations.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Rows of the blocks that are inverted by substitution: small for small factors, whose calls cost more than their work.
BLOCK, LARGE_BLOCK, LARGE = 7, 16, 100
# Through the rows where they are fewer than this share of the features.
FEW = 0.8
# Beyond this size of A D A' a step by rows loses digits that one on what it leaves wins back.
STEEP = 1e6


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


def row_solver(
    H: Array | None, d: Array, damping: float | Array, unit: Array, root: Array | None = None
) -> Callable[[Array], Array] | None:
    """R -> Δ, both (T, a): K_t = H_t + diag(d + damping), u_j = √d_j unit_j; H (T, a, a), unit (T, a), ‖unit_j‖ = 1.

    root (T, n, a), in place of H: H_t = root_t' root_t. None where K_t is not positive definite or M is singular.
    """
    try:
        if root is not None and root.shape[1] < FEW * len(d):
            return _by_rows(root, d, damping, unit)
        if H is None:
            assert root is not None
            H = np.matmul(root.transpose(0, 2, 1), root)
        return _by_features(H, d, damping, unit)
    except np.linalg.LinAlgError:
        return None


def _by_features(H: Array, d: Array, damping: float | Array, unit: Array) -> Callable[[Array], Array]:
    a = len(d)
    inverse = inverse_lower(np.asarray(np.linalg.cholesky(H + np.diag(d + damping)), dtype=np.float64))
    B = inverse * (np.sqrt(d) * unit)[:, None, :]
    tall = B.reshape(-1, a)
    M = np.linalg.inv(np.eye(a) - tall.T @ tall)

    def solve(R: Array) -> Array:
        half = np.matmul(inverse, R[:, :, None])
        z = M @ (half.ravel() @ tall)
        # K⁻¹ (R + S z) = L⁻ᵀ (L⁻¹ R + B z).
        return np.asarray(np.matmul((half + (B @ z)[:, :, None]).transpose(0, 2, 1), inverse)[:, 0])

    return solve


def _by_rows(root: Array, d: Array, damping: float | Array, unit: Array) -> Callable[[Array], Array]:
    """K⁻¹ = D − D A' (I + A D A')⁻¹ A D with D = diag(1 / (d + damping)).

    Of I − Σ_t D ∘ (s_t s_t') the units' norms leave damping / (d + damping): M is a sum of squares, nothing cancels.
    """
    D = 1.0 / (d + damping)
    half = np.sqrt(D)
    A = root * half
    inner = np.matmul(A, A.transpose(0, 2, 1))
    rows = np.arange(root.shape[1])
    inner[:, rows, rows] += 1.0
    C = np.matmul(inverse_lower(np.linalg.cholesky(inner)), A)
    S = np.sqrt(d) * unit
    tall = (C * (half * S)[:, None, :]).reshape(-1, len(d))
    M = np.diag(damping * D) + tall.T @ tall
    M_inverse = np.linalg.inv(M)
    steep = inner.max() > STEEP

    def inverse(x: Array) -> Array:
        x = half * x
        return np.asarray(half * (x - np.matmul(np.matmul(C, x[:, :, None]).transpose(0, 2, 1), C)[:, 0]))

    def whole(R: Array) -> Array:
        wanted = (S * inverse(R)).sum(axis=0)
        # An inverse serves many times, but is less exact than a solve.
        return inverse(R + S * (np.linalg.solve(M, wanted) if steep else M_inverse @ wanted))

    def solve(R: Array) -> Array:
        step = whole(R)
        if steep:
            hit = np.matmul(root.transpose(0, 2, 1), np.matmul(root, step[:, :, None]))[:, :, 0]
            step = step + whole(R - hit - (d + damping) * step + S * (S * step).sum(axis=0))
        return step

    return solve
