"""Products by SciPy's BLAS, for loops that call its LAPACK too.

NumPy and SciPy each bring a BLAS with threads of its own. The threads that have just worked stay awake for some
milliseconds, waiting for more; whoever calls the other BLAS meanwhile must share the processors with them, and takes
up to twenty times as long. A loop with products and factorisations of some size keeps to one of the two: SciPy's, which
has the factorisations that NumPy lacks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

Array = NDArray[np.float64]


def product(A: Array, B: Array) -> Array:
    """A B (m, n), in rows one after the other, or (m,); A (m, k), B (k, n) or (k,).

    Through NumPy where one is not of float64 or has no entries, and for the error where they do not fit.
    """
    numbers = A.dtype == B.dtype == np.float64
    if not (numbers and A.size and B.size and A.shape[1] == len(B)):
        return np.asarray(A @ B)
    if B.ndim == 1:
        a, trans = (A, 0) if _by_columns(A) else (A.T, 1)
        return np.asarray(blas.dgemv(1.0, a, B, trans=trans))
    # (A B)' = B' A': arrays in rows are, transposed, what Fortran's routine takes as they are.
    b, trans_b = (B, 1) if _by_columns(B) else (B.T, 0)
    a, trans_a = (A, 1) if _by_columns(A) else (A.T, 0)
    return np.asarray(blas.dgemm(1.0, b, a, trans_a=trans_b, trans_b=trans_a)).T


def gram(A: Array) -> Array:
    """A'A (n, n), A (m, n) of float64, at half the cost of a product."""
    if not A.size:
        return np.zeros((A.shape[1],) * 2)
    half = blas.dsyrk(1.0, A, trans=1, lower=1) if _by_columns(A) else blas.dsyrk(1.0, A.T, lower=1)
    full = half + half.T  # dsyrk left zeros above the diagonal
    full[np.diag_indices(len(full))] /= 2
    return np.asarray(full)


def eigen(A: Array) -> tuple[Array, Array]:
    """(eigenvalues in rising order (n,), eigenvectors in columns (n, n)) of a symmetric A.

    Raises LinAlgError where LAPACK does not converge, as where A is not finite.
    """
    values, vectors, info = lapack.dsyevd(A, lower=1)
    if info:
        raise np.linalg.LinAlgError(f"no eigenvalues found: dsyevd returned {info}")
    return values, vectors


def inner(A: Array, B: Array) -> float:
    """Σ_ij A_ij B_ij, without BLAS: it serves loops in either of the two."""
    return float(np.einsum("ij,ij->", A, B))


def _by_columns(A: Array) -> bool:
    return A.flags.f_contiguous and not A.flags.c_contiguous
