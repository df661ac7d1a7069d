"""The spectrum of a kernel's matrix: all of it, or where it has few directions, these alone.

(P)  K = V diag(s) V',   V (n, r) with orthonormal columns, r <= n; K is 0 to rounding on the other n − r directions
(D)  r far below n: Cholesky with complete pivoting, K = L L', stops where no diagonal of what is left exceeds 8 eps of
     the largest; L = Q R and R R' = U diag(s) U' give V = Q U
(K)  else K = Q tri Q', tri tridiagonal and 0 to rounding but for its first m rows, which are Z diag(s) Z';
     V = Q Z for the s above 2 eps of the largest

A smooth kernel's matrix has far fewer directions than places: RBF on 1000 places of a square has about 150 above the
rounding of the largest, and the others hold no digit by any method. Cost of (D) O(n² r) in place of O(n³).

Source: Higham 1990 (complete pivoting of semidefinite matrices); Parlett 1998, 6.9 (projecting twice is enough).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from mtlref.errors import IllConditioned
from mtlref.gp.kernels import Kernel, Pull
from mtlref.linalg.products import gram, product

Array = NDArray[Any]
EPS = float(np.finfo(float).eps)
# Fewer places than this are decomposed as they are: there is little to gain.
FEW = 256
# Directions over places up to which the thin form is the cheaper one; every second place tells first.
SHARE, PROBED = 0.6, 0.8
# Eigenvalues up to this part of the largest are what rounding leaves of it.
ROUNDING = 2 * EPS


@dataclass(frozen=True, eq=False)
class Spectrum:
    """s : (r,) eigenvalues >= 0. V : (n, r). pull : the kernel's pullback at its matrix."""

    s: Array
    V: Array
    pull: Pull

    @property
    def null(self) -> int:
        """Directions without an eigenvalue above rounding that V leaves out, n − r."""
        return int(self.V.shape[0] - self.V.shape[1])

    def outside(self, R: Array, inside: Array | None = None) -> Array:
        """(I − V V') R, R (n, k): what lies in the directions left out. inside : V' R, where it is at hand."""
        if self.null == 0:
            return np.zeros(R.shape)
        R = R - product(self.V, product(self.V.T, R) if inside is None else inside)
        return np.asarray(R - product(self.V, product(self.V.T, R)))


def spectrum(kernel: Kernel, X: Array, *, thin: bool = True) -> Spectrum:
    """The spectrum of K = kernel(X), X (n, p). thin : whether directions may be left out.

    Eigenvalues below 0 by rounding are 0; IllConditioned where they are below it by more.
    """
    K, pull = kernel.at(X)
    found = _few(K) if thin and len(K) >= FEW else None
    if found is not None:
        return Spectrum(*found, pull)
    return Spectrum(*_all(K, thin), pull)


def _all(K: Array, thin: bool) -> tuple[Array, Array]:
    """(s, V) of (K)."""
    n = len(K)
    # The workspace sets the width of LAPACK's panels: these were the fastest.
    reflectors, d, e, tau, _ = lapack.dsytrd(K.T, lower=1, lwork=(8 if n < FEW else 16) * n)
    m = n
    if thin and n > 1:
        # Householder's steps are those of Lanczos: once the directions are used up, what is left of tri is rounding.
        tol = ROUNDING * max(np.abs(d).max(), np.abs(e).max())
        counts = ~(np.abs(d) <= tol)
        counts[1:] |= ~(np.abs(e) <= tol)
        m = int(np.flatnonzero(counts)[-1]) + 1 if counts.any() else 1
    s, Z, info = lapack.dstevd(d[:m], e[: m - 1]) if m > 1 else (d[:1], np.ones((1, 1)), 0)
    if info != 0 or not -1e-10 * s[-1] <= s[0] <= s[-1] < np.inf:
        raise IllConditioned(
            f"a kernel's matrix must be positive semidefinite; got eigenvalues from {s[0]:.3e} to {s[-1]:.3e}"
        )
    first = min(int(np.searchsorted(s, ROUNDING * s[-1], side="right")), m - 1) if thin else 0
    V = np.empty((n, m - first), order="F")
    V[0] = Z[0, first:]
    if n > 1:  # Q leaves the first coordinate alone
        turned = np.zeros((n - 1, m - first), order="F")
        turned[: m - 1] = Z[1:, first:]
        if m > 1:
            lapack.dormqr(
                "L", "N", reflectors[1:, : m - 1], tau[: m - 1], turned, lwork=64 * n, overwrite_c=1
            )
        V[1:] = turned
    return np.maximum(s[first:], 0.0), V


def _few(K: Array) -> tuple[Array, Array] | None:
    """(s, V) of (D); None where it would save nothing, or K is not what (D) found."""
    n, tol = len(K), 8 * EPS * float(K.diagonal().max())
    half = K[::2, ::2]
    if not tol > 0 or lapack.dpstrf(half.T, lower=1, tol=tol)[2] > PROBED * len(half):
        return None
    factor, pivots, r, _ = lapack.dpstrf(K.T, lower=1, tol=tol)
    if r > SHARE * n:
        return None
    L = np.zeros((n, r), order="F")
    L[pivots - 1] = np.tril(factor[:, :r])
    # What is left has no diagonal; that it has no other entries holds of kernels, and is looked at for this matrix.
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=n)
    left = product(K, signs) - product(L, product(L.T, signs))
    if not np.abs(left).max() <= 100 * n * tol:
        return None
    reflectors, tau, _, _ = lapack.dgeqrf(L, lwork=64 * r, overwrite_a=1)
    R = np.triu(reflectors[:r])
    s, U, info = lapack.dsyevd(gram(R.T), lower=1)
    if info != 0:
        return None
    V = np.zeros((n, r), order="F")
    V[:r] = U
    V, _, info = lapack.dormqr("L", "N", reflectors, tau, V, lwork=64 * r, overwrite_c=1)
    assert info == 0
    return np.maximum(s, 0.0), V
