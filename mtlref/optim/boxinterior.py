"""A quadratic plus a squared box norm of W's singular values: a primal-dual interior-point method for its matrix M.

    min over M (p, p), 0 ⪯ M ⪯ I, tr M = k:   g(M) = min over V (T, p) of q(V) + weight tr(V (eta I + M)⁻¹ V')   (P)
    −∇g(M) = G'G / (4 weight) = ν I + B − A,   A ⪰ 0,   B ⪰ 0,   A M = 0,   B (I − M) = 0                      (K)

with H_t = R_t'R_t, r_t = R_t'ρ_t, P = (eta I + M) / (2 weight), the slopes G = [R_t' (I + R_t P R_t')⁻¹ ρ_t] (T, p) and
V = G P: one factorisation a task, and nothing is inverted that may be singular, however small eta is. Newton's step for
(K) with A M = B (I − M) = μ I is a system for the p (p + 1) / 2 entries of M, of the matrix

    δ -> Σ_t sym(K_t δ G_t G_t') / (4 weight²) + sym(M⁻¹ δ A) + sym((I − M)⁻¹ δ B),

K_t = R_t' (I + R_t P R_t')⁻¹ R_t, bordered by tr δ. No step needs a decomposition of V or M.

A dozen steps suffice, about as many for every eta and weight: a first-order method takes more the smaller eta is.

Helmberg, Rendl, Vanderbei & Wolkowicz 1996 for the direction (symmetrised by M⁻¹), Mehrotra 1992 for the corrector.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from mtlref.optim.boxnorm import BoxNormTerm
from mtlref.optim.diagonal import Diagonal
from mtlref.optim.quadratic import Quadratic

Array = NDArray[np.float64]
# Sides of M, and multiplications for one Newton system, beyond which its steps cost more than they spare.
MOST_SIDE, MOST_WORK = 50, 4e9
# Of the way to the boundary, which is looked for in steps of this factor.
BACK, SEARCH = 0.98, 0.95
LEAST_STEP = 1e-8
# So many steps that do not halve a gap as small as this are the last.
PATIENCE, SMALL = 3, 1e-8
# Eigenvalues of H_t below this share of the largest are rounding.
NONE = 1e-16


@dataclass(frozen=True, eq=False)
class Tasks:
    """The quadratic by roots: R (T or 1, k, p) with H_t = R_t'R_t, ρ (T, k) with r_t = R_t'ρ_t."""

    R: Array
    rho: Array

    @classmethod
    def of(cls, q: Quadratic | Diagonal) -> Tasks:
        """From the spectra; of a shared design in its eigenvectors with the tasks' side for that of the features."""
        if isinstance(q, Diagonal):
            size = np.sqrt(np.maximum(q.e + q.ridge, 0.0))
            some = size > np.sqrt(NONE) * size.max()
            R = size[some, None, None] * np.eye(len(q.r))
            return cls(R, (q.r[:, some] / size[some]).T)
        e, U = q.spectrum
        size = np.sqrt(e + q.ridge)
        at = q.r @ U[0] if len(U) == 1 else np.matmul(U.transpose(0, 2, 1), q.r[:, :, None])[:, :, 0]
        live = size > np.sqrt(NONE) * size.max(axis=1, keepdims=True)
        rho = np.divide(at, size, out=np.zeros_like(at), where=np.broadcast_to(live, at.shape))
        return cls((np.where(live, size, 0.0)[:, None, :] * U).transpose(0, 2, 1), rho)

    def at(self, P: Array) -> tuple[Array, Array]:
        """G (T, p), K (T or 1, p, p) for the covariance P."""
        RT = self.R.transpose(0, 2, 1)
        A = self.R @ P @ RT
        k = np.arange(A.shape[1])
        A[:, k, k] += 1.0
        if len(A) == 1:
            both = np.linalg.solve(A[0], np.concatenate([self.R[0], self.rho.T], axis=1))
            p = P.shape[0]
            return (RT[0] @ both[:, p:]).T, (RT[0] @ both[:, :p])[None]
        both = np.linalg.solve(A, np.concatenate([self.R, self.rho[:, :, None]], axis=2))
        out = RT @ both
        return out[:, :, -1], out[:, :, :-1]


@dataclass(frozen=True)
class Pairs:
    """Symmetric matrices (p, p) as vectors of their p (p + 1) / 2 entries, with the same inner product."""

    p: int

    @cached_property
    def entries(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the entries."""
        return np.triu_indices(self.p)

    @cached_property
    def weight(self) -> Array:
        """What an entry is multiplied by: one on the diagonal, √2 beside it."""
        i, j = self.entries
        return np.where(i == j, 1.0, np.sqrt(2.0))

    @cached_property
    def places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the products X_ij' Y_ji' and X_ii' Y_jj' of the entries of X and Y stand in a table of both, flat."""
        i, j = self.entries
        n = len(i)
        at = np.zeros((self.p, self.p), dtype=np.intp)
        at[i, j] = at[j, i] = np.arange(n)
        ii, jj = at[i[:, None], i], at[j[:, None], j]
        ij, ji = at[i[:, None], j], at[j[:, None], i]
        return ij * n + ji, ii * n + jj

    def vector(self, A: Array) -> Array:
        """(n,)."""
        return np.asarray(A[self.entries] * self.weight)

    def matrix(self, v: Array) -> Array:
        """(p, p)."""
        i, j = self.entries
        A = np.empty((self.p, self.p))
        A[i, j] = A[j, i] = v / self.weight
        return A

    def operator(self, X: Array, Y: Array) -> Array:
        """(n, n): δ -> Σ_r sym(X_r δ Y_r), X and Y (m, p, p) symmetric."""
        i, j = self.entries
        table = X[:, i, j].T @ Y[:, i, j]
        table += table.T
        crossed, straight = self.places
        out = table.ravel()[crossed] + table.ravel()[straight]
        return np.asarray(out * (self.weight[:, None] * self.weight / 4))


def affordable(q: Quadratic | Diagonal) -> bool:
    """Whether the steps are worth their cost: M on the features' side, of a Diagonal on the tasks'."""
    p = len(q.r) if isinstance(q, Diagonal) else q.p
    n, rows = p * (p + 1) / 2, q.r.size / p
    many = rows if isinstance(q, Diagonal) or not q.shared else 1.0
    full = isinstance(q, Diagonal) or not q.ridge or q.spectrum[1].shape[1] == q.spectrum[1].shape[2]
    return p <= MOST_SIDE and n * n * (many + n) <= MOST_WORK and full


def box_interior(q: Quadratic | Diagonal, term: BoxNormTerm) -> Iterator[tuple[Array, float]]:
    """(V, about the gap that it leaves, beside the size of g) of each step; ends where rounding leaves no step.

    V is (T, p) as q.r is. For k < min(T, p).
    """
    with np.errstate(all="ignore"):
        path = Path(Tasks.of(q), term)
    turn = isinstance(q, Diagonal)
    last, stale = np.inf, 0
    while path.sound and stale < PATIENCE:
        yield (path.V.T if turn else path.V), path.gap
        stale = stale + 1 if path.gap < SMALL and path.gap > last / 2 else 0
        last = path.gap
        with np.errstate(all="ignore"):
            try:
                path.step()
            except np.linalg.LinAlgError:
                return


class Path:
    """The iterates M, A, B, ν."""

    def __init__(self, tasks: Tasks, term: BoxNormTerm) -> None:
        p = tasks.R.shape[2]
        self.tasks, self.term = tasks, term
        self.pairs, self.one = Pairs(p), np.eye(p)
        self.M = term.k / p * self.one
        self._look()
        level, Q = np.linalg.eigh(self.C)
        # Of M all eigenvalues are between their bounds: A and B of about one size, and A − B = ν I − C.
        self.nu = float(level[p - term.k - 1 : p - term.k + 1].mean())
        excess = self.nu - level
        a = (excess + np.hypot(excess, 0.6 * np.abs(excess).mean())) / 2
        self.A, self.B = (Q * a) @ Q.T, (Q * (a - excess)) @ Q.T

    def _look(self) -> None:
        w = self.term.weight
        P = (self.term.eta * self.one + self.M) / (2 * w)
        self.G, self.K = self.tasks.at(P)
        self.V = self.G @ P
        self.C = self.G.T @ self.G / (4 * w)

    @property
    def sound(self) -> bool:
        """Whether there is something to find, and all numbers are."""
        return bool(np.isfinite(self.V).all() and np.isfinite(self.gap))

    @property
    def mu(self) -> float:
        """The mean of the products in (K) that are to vanish."""
        return float(np.vdot(self.A, self.M) + np.vdot(self.B, self.one - self.M)) / (2 * len(self.M))

    @property
    def gap(self) -> float:
        """About g(M) − min g, beside −g(M) >= ‖G P^{1/2}‖² / 2."""
        size = float(np.vdot(self.G, self.V)) / 2
        return 2 * len(self.M) * self.mu / size if size > 0 else np.inf

    def step(self) -> None:
        """Predictor and corrector. Raises LinAlgError where rounding has left no definite system, or no step."""
        M, N, A, B, one = self.M, self.one - self.M, self.A, self.B, self.one
        Mi, Ni = _inverse(M), _inverse(N)
        w, pairs = self.term.weight, self.pairs
        GG = (self.G.T @ self.G)[None] if len(self.K) == 1 else self.G[:, :, None] * self.G[:, None, :]
        GG /= 4 * w * w
        matrix = pairs.operator(
            np.concatenate([self.K, Mi[None], Ni[None]]), np.concatenate([GG, A[None], B[None]])
        )
        if not np.isfinite(matrix).all():
            raise np.linalg.LinAlgError("numbers beyond the range of floats")
        system = cho_factor(matrix)
        trace = pairs.vector(one)
        along = cho_solve(system, trace)

        def newton(RA: Array, RB: Array) -> tuple[Array, Array, Array, float]:
            free = cho_solve(system, pairs.vector(self.C + A - B - self.nu * one + RA - RB))
            dnu = float(trace @ free - (self.term.k - np.trace(M))) / float(trace @ along)
            D = pairs.matrix(free - dnu * along)
            return D, RA - _sym(Mi @ D @ A), RB + _sym(Ni @ D @ B), dnu

        D, dA, dB, _ = newton(-A, -B)
        t = _room((M, D), (N, -D), (A, dA), (B, dB))
        ahead = np.vdot(A + t * dA, M + t * D) + np.vdot(B + t * dB, N - t * D)
        mu = self.mu
        target = mu * (float(ahead) / (2 * len(M) * mu)) ** 3
        D, dA, dB, dnu = newton(target * Mi - A - _sym(dA @ D @ Mi), target * Ni - B + _sym(dB @ D @ Ni))
        t = min(1.0, BACK * _room((M, D), (N, -D), (A, dA), (B, dB)))
        self.M, self.A, self.B, self.nu = M + t * D, A + t * dA, B + t * dB, self.nu + t * dnu
        self._look()


def _sym(A: Array) -> Array:
    return np.asarray((A + A.T) / 2)


def _inverse(A: Array) -> Array:
    return _sym(np.asarray(np.linalg.inv(A)))


def _room(*moves: tuple[Array, Array]) -> float:
    """The largest t <= 1, within a factor, for which every A + t D is positive definite."""
    t = 1.0
    while t > LEAST_STEP:
        try:
            for A, D in moves:
                np.linalg.cholesky(A + t * D)
        except np.linalg.LinAlgError:
            t *= SEARCH
        else:
            return t
    raise np.linalg.LinAlgError("no step leaves the matrices positive definite")
