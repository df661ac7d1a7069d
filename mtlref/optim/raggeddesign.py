"""A design for each task under the squared loss: correlations, and the quadratics on features that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.quadratic import Quadratic
from mtlref.optim.raggedproblem import RaggedProblem
from mtlref.optim.rowproblem import RowProblem
from mtlref.optim.stacks import principal
from mtlref.sparserows import is_sparse

Array = NDArray[np.float64]
Features = NDArray[np.intp]
# Up to so many features of which the Gram matrices are there, all at once cost less than looking for the right ones.
ALL = 500
# So many features come in at the least, at the first look and at later ones. The first knows least of what matters, and
# of a few features a look that is better is there after some steps.
FIRST, LATER = 30, 60
# The share of lam to which a set is solved before features are looked at again: when nothing is known, later, and where
# Gram matrices of all features make a look cheap.
ROUGHEST, ROUGH, FAIR = 0.1, 0.05, 1e-2


class RaggedDesign:
    """H_t (p, p) and r (T, p), from H itself or, where rows are fewer than features, from H_t = roots_t² X_t'X_t.

    X : matrices of numbers or sparse ones, one a task or one for all, already centred where that is asked for. What is
    asked of them is done task by task: rows that are read from memory serve all of it.

    look : what was last seen of all features, (p,) how strongly they ask to enter, the lam at which they did, and how
    many were in.
    """

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

    def room(self, alive: int) -> int:
        """How many features may come in at a look; alive : how many are not zero."""
        return max(LATER if alive else FIRST, self.rows // 2, alive)

    def rough(self, alive: int) -> float:
        """To what share of lam a set is solved that may not be the last; alive : how many features are not zero."""
        return FAIR if self.H is not None else ROUGH if alive else ROUGHEST

    def correlations(self, V: Array, features: Features) -> Array:
        """(T, p): r_t − H_t v_t for a V (T, k) on ``features``, zero elsewhere; r itself where there are none."""
        if features.size == 0:
            return self.r
        if self.H is not None:
            out = np.matmul(V[:, None, :], np.take(self.H, features, axis=1))[:, 0]
        elif len(self.X) == 1:
            X = self.X[0]
            out = self.roots[0] ** 2 * ((V @ _columns(X, features).T) @ X)
        else:
            out = np.empty_like(self.r)
            whole = np.zeros_like(self.r)
            whole[:, features] = V * self.roots[:, None] ** 2
            for x, v, g in zip(self.X, whole, out, strict=True):
                # The rows of a task are read from memory once, and in order.
                g[:] = (x @ v) @ x
        return np.asarray(np.subtract(self.r, out, out=out))

    def restricted(self, chosen: Features, lam: float, ridge: float) -> tuple[Array, RowProblem]:
        """(s, the problem on the chosen features in the coordinates s V)."""
        r = np.take(self.r, chosen, axis=1)
        if self.H is not None:
            return _with_units(RaggedProblem(r, lam, H=principal(self.H, chosen), ridge=ridge))
        if len(self.X) > 1 and chosen.size > self.rows:
            return _with_units(RaggedProblem(r, lam, A=self._factors(chosen), ridge=ridge))
        if not np.array_equal(self._held[0], chosen):
            self._held = chosen, self._grams(chosen)
        H = self._held[1]
        if len(H) > 1:
            return _with_units(RaggedProblem(r, lam, H=H, ridge=ridge))
        one = H[0] + ridge * np.eye(chosen.size)
        s = np.sqrt(np.diag(one))
        s[s == 0] = 1.0
        return s, RowProblem(r / s, lam / s, H=one / (s[:, None] * s))

    def _factors(self, features: Features) -> Array:
        """(T, rows, k): columns of roots_t X_t, tasks of fewer rows filled up with zeros."""
        A = np.zeros((len(self.X), self.rows, features.size))
        for x, root, a in zip(self.X, self.roots, A, strict=True):
            np.multiply(root, _columns(x, features), out=a[: x.shape[0]])
        return A

    def _grams(self, features: Features) -> Array:
        """(T, k, k): blocks of H_t, (1, k, k) for one X; task by task, so that columns stay in the cache."""
        H = np.empty((len(self.X), features.size, features.size))
        for x, root, h in zip(self.X, self.roots, H, strict=True):
            columns = _columns(x, features)
            np.matmul(columns.T, columns, out=h)
            if root != 1.0:
                h *= root**2
        return H


def _columns(x: Any, features: Features) -> Array:
    """(n, k): some columns of a design, or all."""
    if not isinstance(x, np.ndarray):
        found = x[:, features]
        return np.asarray(found.toarray() if is_sparse(found) else found)
    # No index is out of bounds; to be told so spares NumPy a look.
    return x if features.size == x.shape[1] else x.take(features, axis=1, mode="clip")


def _with_units(part: RaggedProblem) -> tuple[Array, RowProblem]:
    return part.s, part
