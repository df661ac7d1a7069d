"""The quadratic that a squared loss is, and that Newton's method makes of a smooth one, task by task.

    q(V) = Σ_t v_t' H_t v_t / 2 − r_t' v_t,    V (T, p): inside the solvers a task is a row.

H is held dense, (T, p, p) or (1, p, p) where all tasks share it, or by factors A_t (k_t, p) with H_t = A_t' A_t where
there are fewer rows than features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.moments import Moments
from mtlref.optim.diagonal import Diagonal
from mtlref.optim.stacks import filled, inverse_factors, inverses, principal
from mtlref.sparserows import RowSpan

Array = NDArray[np.float64]
# Factors of about so many numbers are multiplied by twice in a row.
BLOCK = 2**16
# Below this share of the curvature an inverse factor costs half of the digits of a solve.
FAINT = 1e-8
# Factors with fewer rows than this share of the columns are kept beside the H that is made of them.
FEW = 0.8
# Of the mean curvature, where the spectrum is not known: as the lowest that counts.
LEAST_CURVED = 1e-4


@dataclass(frozen=True, eq=False)
class Quadratic:
    """q(V); ``ridge`` is added to the diagonal of every H_t.

    stack : (T, k, p), the A_t filled up with rows of zeros, where they are held so. root : the same beside a dense H of
    few rows, H_t = root_t' root_t but for a ridge on the diagonal; (1, k, p) where shared.
    """

    r: Array
    H: Array | None = None
    A: tuple[Array, ...] | None = None
    ridge: float = 0.0
    stack: Array | None = None
    root: Array | None = None

    @classmethod
    def from_moments(cls, m: Moments, c: Array, fit_intercept: bool) -> Quadratic:
        """The squared loss at the best intercepts (or none), each task's sum multiplied by c_t."""
        alike = len(m.cxx) == 1 and (c == c[0]).all()
        own = c[:1] if alike else c
        far = not fit_intercept and bool(m.x_mean.any())
        # Numbers that nobody writes into need no copy.
        H = m.cxx if (own == 1).all() and not far else own[:, None, None] * m.cxx
        r = c[:, None] * m.cxy
        if far:
            root = np.sqrt(own * m.mass[: len(own)])[:, None] * m.x_mean
            for Ht, rt in zip(H, root, strict=True):  # task by task, in the processor's cache
                Ht += rt[:, None] * rt
            r += (c * m.mass * m.y_mean)[:, None] * m.x_mean
        return cls(r, H)

    @property
    def T(self) -> int:
        """Number of tasks."""
        return len(self.r)

    @property
    def p(self) -> int:
        """Number of features."""
        return int(self.r.shape[1])

    @property
    def shared(self) -> bool:
        """Whether all tasks have the same H."""
        return self.T > 1 and (len(self.H) == 1 if self.H is not None else len(self.A or ()) == 1)

    def with_ridge(self, ridge: float) -> Quadratic:
        """q(V) + ridge/2 ‖V‖²."""
        return replace(self, ridge=self.ridge + ridge) if ridge else self

    def pulled(self, pull: Array | None) -> Quadratic:
        """q(V) − <pull, V>."""
        return self if pull is None else replace(self, r=self.r + pull)

    def times(self, V: Array) -> Array:
        """(T, p): rows H_t v_t."""
        if self.H is not None:
            out = V @ self.H[0] if len(self.H) == 1 else np.matmul(self.H, V[:, :, None])[:, :, 0]
        elif len(self.A or ()) == 1:
            assert self.A is not None
            out = (V @ self.A[0].T) @ self.A[0]
        else:
            assert self.A is not None
            if self.stack is not None:
                inner = np.matmul(self.stack, V[:, :, None]).transpose(0, 2, 1)
                out = np.matmul(inner, self.stack)[:, 0]
            else:
                out = np.stack([(A @ v) @ A for A, v in zip(self.A, V, strict=True)])
        return np.asarray(out + self.ridge * V if self.ridge else out)

    def value(self, V: Array, HV: Array | None = None) -> float:
        """q(V)."""
        HV = self.times(V) if HV is None else HV
        return float(np.vdot(V, HV)) / 2 - float(np.vdot(self.r, V))

    @cached_property
    def diagonal(self) -> Array:
        """(T, p) or (1, p): the diagonals of H_t."""
        if self.H is not None:
            d = np.einsum("tjj->tj", self.H)
        else:
            assert self.A is not None
            d = np.stack([np.einsum("ij,ij->j", A, A) for A in self.A])
        return d + self.ridge

    def restrict(self, features: NDArray[np.intp]) -> Quadratic:
        """The same with all other coordinates at zero, dense."""
        f = np.asarray(features)
        if self.H is not None:
            return Quadratic(self.r[:, f], principal(self.H, f), None, self.ridge)
        assert self.A is not None
        parts = [A[:, f] for A in self.A]
        few = max(A.shape[0] for A in parts) < FEW * f.size
        root = filled(parts) if few and all(isinstance(A, np.ndarray) for A in parts) else None
        return Quadratic(self.r[:, f], np.stack([A.T @ A for A in parts]), None, self.ridge, root=root)

    def rescaled(self, s: Array) -> Quadratic:
        """In the coordinates s_j v_tj (s of shape (p,) or (T, p)): H_t / (s s'), r / s. Dense only, ridge included."""
        assert self.H is not None
        s2 = np.atleast_2d(s)
        H = self.H
        if self.ridge:
            H = H + self.ridge * np.eye(self.p)
        root = None if self.root is None else self.root / s2[:, None, :]
        return Quadratic(self.r / s2, H / (s2[:, :, None] * s2[:, None, :]), None, 0.0, root=root)

    @cached_property
    def unit_entries(self) -> tuple[Array, Quadratic]:
        """(s, the same in the coordinates s_tj v_tj): s (T, p), roots of the diagonals; one where that is zero."""
        s = np.sqrt(np.broadcast_to(self.diagonal, (self.T, self.p)))
        s = np.where(s > 0, s, 1.0)
        return s, self.rescaled(s)

    @cached_property
    def unit_rows(self) -> tuple[Array, Quadratic]:
        """(s, the same in the coordinates s_j v_tj): s (p,), the root of the diagonals' mean over the tasks."""
        s = np.sqrt(np.broadcast_to(self.diagonal, (self.T, self.p)).mean(axis=0))
        s = np.where(s > 0, s, 1.0)
        return s, self.rescaled(s)

    @cached_property
    def spectrum(self) -> tuple[Array, Array]:
        """(e, U): eigenvalues (T, k), eigenvectors (T, p, k) of H_t without the ridge; (1, ...) where shared.

        k = p, or the largest number of rows of a factor where that is smaller (then H_t = U_t diag(e_t) U_t' with
        columns of zeros where a task has less).
        """
        if self.H is not None:
            e, U = np.linalg.eigh(self.H)
            return np.maximum(e, 0.0), U
        assert self.A is not None
        k = max(min(A.shape) for A in self.A)
        e = np.zeros((len(self.A), k))
        U = np.zeros((len(self.A), self.p, k))
        for t, A in enumerate(self.A):
            d, V = _right_vectors(A)
            e[t, : len(d)] = d
            U[t, :, : len(d)] = V.rows.T @ V.R if isinstance(V, RowSpan) else V
        return e, U

    @cached_property
    def rotated(self) -> tuple[Diagonal, Any] | None:
        """(the same in the coordinates U'v_t, U (p, k)), U the eigenvectors that all tasks share; None without them.

        Where k < p what is orthogonal to them is left out: nothing but a penalty sees it, and r has no part in it.
        U is left a product of the rows where it comes from their inner products: it is multiplied by a few times alone.
        """
        if self.H is not None:
            if len(self.H) > 1:
                return None
            e, U = self.spectrum
            return Diagonal(self.r @ U[0], e[0], self.ridge), U[0]
        assert self.A is not None
        if len(self.A) > 1:
            return None
        d, V = _right_vectors(self.A[0])
        return Diagonal(self.r @ V, d, self.ridge), V

    @cached_property
    def curvatures(self) -> tuple[float, float, float]:
        """(lowest, mean, largest) that count, about: from the diagonals, for which no eigenvalue is needed.

        The mean is over as many directions as rows can bend, so that rows of weight zero change nothing.
        """
        if self.H is not None:
            traces, most = np.einsum("tjj->t", self.H), float(len(self.H) * self.p)
        else:
            assert self.A is not None
            squares = [np.einsum("ij,ij->i", A, A) for A in self.A]
            traces = np.array([s.sum() for s in squares])
            most = float(sum(min(int((s > 0).sum()), self.p) for s in squares))
        mean = self.ridge + (float(traces.sum()) / most if most else 0.0)
        return LEAST_CURVED * mean, mean, self.ridge + float(traces.max())

    def shifted(self, shift: float) -> Callable[[Array], Array]:
        """``solve_shifted`` with one shift > 0 for many B: by inverses, which cost far less than the spectrum."""
        total = self.ridge + shift
        try:
            if self.H is not None:
                inverse = inverses(self.H, total)
                if len(inverse) == 1:
                    return lambda B: np.asarray(B @ inverse[0])
                return lambda B: np.asarray(np.matmul(inverse, B[:, :, None])[:, :, 0])
            stack, gram = self._stacked
            if total < FAINT * float(gram.trace(axis1=1, axis2=2).max()):
                return lambda B: self.solve_shifted(B, shift)
            # (c I + A'A)⁻¹ = (I − M'M) / c with M = L⁻¹ A, L L' = c I + A A'
            M = np.matmul(inverse_factors(gram, total), stack)
        except np.linalg.LinAlgError:
            return lambda B: self.solve_shifted(B, shift)

        step = max(1, BLOCK // max(1, M[0].size))
        parts = [slice(i, i + step) for i in range(0, len(M), step)]

        def solve(B: Array) -> Array:
            if len(M) == 1:
                return np.asarray(B - (B @ M[0].T) @ M[0]) / total
            out, columns = np.empty_like(B), B[:, :, None]
            for part in parts:  # both products while M is in the processor's cache
                inner = np.matmul(M[part], columns[part]).transpose(0, 2, 1)
                np.matmul(inner, M[part], out=out[part, None])
            np.subtract(B, out, out=out)
            out /= total
            return out

        return solve

    @cached_property
    def _stacked(self) -> tuple[Array, Array]:
        """(A (T, k, p), A A'), tasks of fewer rows filled up with zeros; the task axis 1 where shared."""
        assert self.A is not None
        stack = filled(self.A) if self.stack is None else self.stack
        return stack, np.matmul(stack, stack.transpose(0, 2, 1))

    def solve_shifted(self, B: Array, shift: float | Array) -> Array:
        """(T, p): rows (H_t + (ridge + shift_t) I)⁻¹ b_t, from the spectrum; shift > 0 where H_t is singular."""
        e, U = self.spectrum
        total: Any = shift + self.ridge
        if isinstance(total, np.ndarray):
            total = total[:, None]
        full = U.shape[1] == U.shape[2]
        weight = 1.0 / (e + total) if full else 1.0 / (e + total) - 1.0 / total
        if len(U) == 1:
            out = ((B @ U[0]) * weight) @ U[0].T
        else:
            inner = np.matmul(U.transpose(0, 2, 1), B[:, :, None])[:, :, 0] * weight
            out = np.matmul(U, inner[:, :, None])[:, :, 0]
        return np.asarray(out if full else out + B / total)


# Through the Gram matrix, directions below this share of its largest eigenvalue would not be orthogonal to 1e-10; what
# is lost before is won back by one round of Gram and Schmidt's.
WELL, NONE = 1e-6, 1e-13


def _right_vectors(A: Array) -> tuple[Array, Any]:
    """(d, V): squared singular values (k,) and right singular vectors (p, k) of A, for fewer rows than columns.

    Through A A', V the product A' R, where that loses nothing: singular values are none or far above rounding. By SVD
    otherwise.
    """
    e, Q = np.linalg.eigh(A @ A.T)
    kept = e > NONE * e[-1]
    if len(A) <= A.shape[1] and kept.any() and e[kept][0] >= WELL * e[-1]:
        R = Q[:, kept] / np.sqrt(e[kept])
        if A.shape[1] * e[kept][0] >= e[-1]:  # what is lost is no more than the rounding of sums over p
            return e[kept], RowSpan(A, R)
        V = A.T @ R
        lost = np.eye(V.shape[1]) - V.T @ V
        return e[kept], V + V @ (np.tril(lost, -1) + np.diag(np.diag(lost) / 2))
    _, d, Vt = np.linalg.svd(A, full_matrices=False)
    return d * d, Vt.T
