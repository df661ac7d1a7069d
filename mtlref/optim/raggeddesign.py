"""A design for each task under the squared loss: correlations, and the quadratics on features that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.quadratic import Quadratic
from mtlref.optim.raggedproblem import RaggedProblem
from mtlref.optim.rowproblem import RowProblem
from mtlref.optim.stacks import principal

Array = NDArray[np.float64]
Features = NDArray[np.intp]
# Up to so many features of which the Gram matrices are there, all at once cost less than looking for the right ones.
ALL = 500


class RaggedDesign:
    """H_t (p, p) and r (T, p), from H itself or, where rows are fewer than features, from H_t = roots_t² X_t'X_t.

    X : matrices of numbers or sparse ones, one a task or one for all, already centred where that is asked for.

    look : what was last seen of all features, (p,) how strongly they ask to enter, the lam at which they did, and how
    many were in.
    """

    first: ClassVar[int] = 60  # so many features may come in at the least, at a first look

    def __init__(
        self, r: Array, *, H: Array | None = None, X: Sequence[Any] = (), roots: Array | None = None
    ) -> None:
        self.r, self.H, self.X = r, H, X
        self.T, self.p = r.shape
        self.roots = np.ones(len(X)) if roots is None else roots
        self.rows = self.p if H is not None else max(x.shape[0] for x in X)
        self.look: tuple[Array, float, int] | None = None
        self._held: tuple[Features, Array] = np.zeros(0, dtype=np.intp), np.zeros((self.T, 0, 0))

    @classmethod
    def of(cls, q: Quadratic) -> RaggedDesign:
        """From a quadratic."""
        return cls(q.r, H=q.H, X=() if q.A is None else q.A)

    def pass_cost(self) -> float:
        """Multiplications of a look at all features, where a step of Newton's method on a rows takes a³."""
        return float(self.rows) * self.p

    def at_once(self, started: int) -> bool:
        """Whether all features are the working set; started : how many an earlier answer has."""
        return self.H is not None and self.p <= ALL and not started

    def correlations(self, V: Array, features: Features) -> Array:
        """(T, p): r_t − H_t v_t for a V (T, k) on ``features``, zero elsewhere; r itself where there are none."""
        if features.size == 0:
            return self.r
        if self.H is not None:
            out = np.matmul(V[:, None, :], np.take(self.H, features, axis=1))[:, 0]
        else:
            held, A = self._held
            if not np.isin(features, held).all():
                held, A = features, self._columns(features)
            whole = np.zeros((self.T, held.size))
            whole[:, np.searchsorted(held, features)] = V
            if len(A) == 1:
                out = self.roots[0] * ((whole @ A[0].T) @ self.X[0])
            else:
                inner = self.roots[:, None] * np.matmul(A, whole[:, :, None])[:, :, 0]
                out = np.stack([u[: x.shape[0]] @ x for u, x in zip(inner, self.X, strict=True)])
        return np.asarray(np.subtract(self.r, out, out=out))

    def restricted(self, chosen: Features, lam: float, ridge: float) -> tuple[Array, RowProblem]:
        """(s, the problem on the chosen features in the coordinates s V)."""
        r = np.take(self.r, chosen, axis=1)
        if self.H is not None:
            return _with_units(RaggedProblem(r, lam, H=principal(self.H, chosen), ridge=ridge))
        if not np.array_equal(self._held[0], chosen):
            self._held = chosen, self._columns(chosen)
        A = self._held[1]
        if len(A) == 1:
            H = A[0].T @ A[0]
            H[np.diag_indices(len(H))] += ridge
            s = np.sqrt(np.diag(H))
            s[s == 0] = 1.0
            return s, RowProblem(r / s, lam / s, H=H / (s[:, None] * s))
        if chosen.size <= self.rows:
            return _with_units(RaggedProblem(r, lam, H=np.matmul(A.transpose(0, 2, 1), A), ridge=ridge))
        return _with_units(RaggedProblem(r, lam, A=A, ridge=ridge))

    def _columns(self, features: Features) -> Array:
        """(T, rows, k): columns of roots_t X_t, tasks of fewer rows filled up with zeros; (1, rows, k) for one X."""
        A = np.zeros((len(self.X), self.rows, features.size))
        for t, x in enumerate(self.X):
            if isinstance(x, np.ndarray):
                np.take(x, features, axis=1, out=A[t, : len(x)], mode="clip")
            else:
                A[t, : x.shape[0]] = x[:, features]
        if (self.roots != 1.0).any():
            A *= self.roots[:, None, None]
        return A


def _with_units(part: RaggedProblem) -> tuple[Array, RowProblem]:
    return part.s, part
