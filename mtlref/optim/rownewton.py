"""The linear systems of Newton's method on row norms over one design.

With H = A'A on the rows that are not zero, unit directions û_j (T,), d_j = threshold_j / ‖row j‖ and a proximal term δ,

    (K ⊗ I_T − Σ_j d_j û_j û_j') x = descent,    K = H + diag(d + δ)  (a, a),    S = √d û  (T, a).      (N)

By Woodbury only a system of the size of the rows is left besides K: M = I − K⁻¹ ∘ (S'S), O(a³ + a² T) whatever T is.
With more rows than A has, (n, a), K⁻¹ goes through n × n and M is applied, never formed, in conjugate gradients.
LAPACK and BLAS through SciPy alone: two libraries' threads in one loop would wait for each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

from mtlref.optim.conjugate import conjugate_gradients

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)
CG_LIMIT = 200


def times_symmetric(V: Array, H: Array) -> Array:
    """(T, a): V H, for a symmetric H."""
    return np.asarray(blas.dgemm(1.0, H.T, V.T)).T


def row_step(H: Array, d: Array, unit: Array, damping: float | Array, descent: Array) -> Array | None:
    """x of (N), (T, a), from H (a, a); None where rounding leaves K or M without a Cholesky factor."""
    K = np.array(H.T, order="F")
    K[np.diag_indices(len(K))] += d + damping
    factor, info = lapack.dpotrf(K, lower=1, overwrite_a=1)
    if info:
        return None
    half, info = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if info:
        return None
    inverse = half + half.T  # dpotrf left zeros above the diagonal
    inverse[np.diag_indices(len(K))] /= 2
    S = np.sqrt(d) * unit
    M = np.asarray(blas.dgemm(-1.0, S.T, S.T, trans_b=1))
    M *= inverse
    M[np.diag_indices(len(K))] += 1.0
    x = times_symmetric(descent, inverse)
    _, z, info = lapack.dposv(M, np.einsum("tj,tj->j", S, x), lower=1, overwrite_a=1)
    if info:
        return None
    x += times_symmetric(S * z.ravel(), inverse)
    return x if np.isfinite(x).all() else None


def wide_row_step(
    A: Array, d: Array, unit: Array, damping: float | Array, descent: Array, share: float = 1e-10
) -> Array | None:
    """x of (N) from A (n, a) with H = A'A and more rows a than n; the system of M is solved to ``share`` of itself."""
    e = d + damping
    AT = np.ascontiguousarray(A.T)  # (a, n), so that A AT are both at hand for BLAS
    C = np.asarray(blas.dgemm(1.0, (AT / e[:, None]).T, AT.T, trans_b=1))
    C[np.diag_indices(len(C))] += 1.0
    factor, info = lapack.dpotrf(C, lower=1)
    if info:
        return None
    half, info = lapack.dpotri(factor, lower=1)
    if info:
        return None
    inverse = half + half.T
    inverse[np.diag_indices(len(C))] /= 2
    B = np.asarray(blas.dgemm(1.0, inverse, AT.T))  # (n, a): C⁻¹ A

    def solve(x: Array) -> Array:
        """K⁻¹ on each row of (T, a)."""
        y = x / e
        inner = blas.dgemm(1.0, AT.T, y.T)  # (n, T)
        return np.asarray(y - np.asarray(blas.dgemm(1.0, B, inner, trans_a=1)).T / e)

    S = np.sqrt(d) * unit
    left = 1.0 - d * (1.0 / e - np.einsum("ij,ij->j", A, B) / e**2)
    safe = np.maximum(left, 1e-12)
    x = solve(descent)
    b = np.einsum("tj,tj->j", S, x)
    z = conjugate_gradients(
        lambda v: v - np.einsum("tj,tj->j", S, solve(S * v)),
        lambda v: v / safe,
        np.zeros_like(b),
        b,
        share * float(np.linalg.norm(b)),
        CG_LIMIT,
    )
    x = x + solve(S * z)
    return x if np.isfinite(x).all() else None
