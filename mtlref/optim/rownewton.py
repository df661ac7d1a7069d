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
# Up to so many rows a triangle is inverted by LAPACK; up to so many its Gram matrix is a product of BLAS.
WHOLE, SMALL = 64, 128


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
    inverse = _gram_lower(inverse_lower(factor))  # K⁻¹, of which the lower half is enough
    S = np.sqrt(d) * unit
    M = np.asarray(blas.dsyrk(-1.0, S.T, lower=1))
    M *= inverse
    M[np.diag_indices(len(K))] += 1.0
    x = np.asarray(blas.dsymm(1.0, inverse, descent.T, lower=1)).T
    _, z, info = lapack.dposv(M, np.einsum("tj,tj->j", S, x), lower=1, overwrite_a=1)
    if info:
        return None
    x += blas.dsymm(1.0, inverse, (S * z.ravel()).T, lower=1).T
    return x if np.isfinite(x).all() else None


def _gram_lower(L: Array) -> Array:
    """(a, a): the lower half of L'L, L lower triangular; LAPACK's routine wakes its threads however small L is."""
    if len(L) <= SMALL:
        return np.asarray(blas.dsyrk(1.0, L, trans=1, lower=1))
    return np.asarray(lapack.dlauum(L, lower=1, overwrite_c=1)[0])


def inverse_lower(L: Array) -> Array:
    """(a, a): L⁻¹ by halves, nearly all of it in products; LAPACK's own takes twice as long."""
    if len(L) <= WHOLE:
        return np.asarray(lapack.dtrtri(L, lower=1)[0])
    k = len(L) // 2
    first, last = inverse_lower(L[:k, :k]), inverse_lower(L[k:, k:])
    out = np.zeros(L.shape, order="F")
    out[:k, :k], out[k:, k:] = first, last
    out[k:, :k] = blas.dgemm(-1.0, last, blas.dgemm(1.0, L[k:, :k], first))
    return out


def wide_row_step(
    A: Array, d: Array, unit: Array, damping: float | Array, descent: Array, share: float = 1e-10
) -> Array | None:
    """x of (N) from A (n, a) with H = A'A and more rows a than n; the system of M is solved to ``share`` of itself."""
    root = np.sqrt(d + damping)
    # K⁻¹ = E^(-1/2) (I − P'P) E^(-1/2) with E = diag(d + δ), P = L⁻¹ A E^(-1/2) and L L' = I + A E⁻¹ A'.
    P = np.array((A / root).T, order="C").T
    C = blas.dsyrk(1.0, P, lower=1)
    C[np.diag_indices(len(C))] += 1.0
    factor, info = lapack.dpotrf(C, lower=1)
    if info:
        return None
    P = blas.dtrmm(1.0, inverse_lower(factor), P, lower=1, overwrite_b=1)

    def projected(x: Array) -> Array:
        """x P'P for x (T, a)."""
        return np.asarray(blas.dgemm(1.0, P, blas.dgemm(1.0, P, x.T), trans_a=1)).T

    def solve(x: Array) -> Array:
        """K⁻¹ on each row of (T, a)."""
        y = x / root
        return np.asarray((y - projected(y)) / root)

    S = np.sqrt(d) * unit
    scaled = S / root
    share_left = 1.0 - np.einsum("tj,tj->j", scaled, scaled)
    safe = np.maximum(1.0 - (1.0 - np.einsum("ij,ij->j", P, P)) * d / root**2, 1e-12)
    x = solve(descent)
    b = np.einsum("tj,tj->j", S, x)
    z = conjugate_gradients(
        lambda v: share_left * v + np.einsum("tj,tj->j", scaled, projected(scaled * v)),
        lambda v: v / safe,
        np.zeros_like(b),
        b,
        share * float(np.linalg.norm(b)),
        CG_LIMIT,
    )
    x = x + solve(S * z)
    return x if np.isfinite(x).all() else None
