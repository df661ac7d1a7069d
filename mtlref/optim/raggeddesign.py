"""A design for each task under the squared loss: correlations, and the quadratics on features that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.quadratic import Quadratic, principal
from mtlref.optim.raggedproblem import RaggedProblem
from mtlref.optim.rowproblem import RowProblem

Array = NDArray[np.float64]
Features = NDArray[np.intp]
# Up to so many features of which the Gram matrices are there, all at once cost less than looking for the right ones.
ALL = 500
# Gathering the rows of some features costs less than a product with all up to this share of them.
GATHERED = 0.3


class RaggedDesign:
    """H_t (p, p) and r (T, p), from H itself or from factors: H_t = roots_t² X_t'X_t where rows are fewer than features.

    X : T matrices of numbers or sparse ones, already centred where that is asked for.

    look : what was last seen of all features, (p,) how strongly they ask to enter and the lam at which they did.
    """

    def __init__(
        self, r: Array, *, H: Array | None = None, X: Sequence[Any] = (), roots: Array | None = None
    ) -> None:
        self.r, self.H, self.X = r, H, X
        self.T, self.p = r.shape
        self.roots = np.ones(self.T) if roots is None else roots
        self.rows = self.p if H is not None else max(len(x) if isinstance(x, np.ndarray) else x.shape[0] for x in X)
        self.whole = H is not None and self.p <= ALL
        self.look: tuple[Array, float] | None = None

    @classmethod
    def of(cls, q: Quadratic) -> RaggedDesign:
        """From a quadratic."""
        return cls(q.r, H=q.H, X=() if q.A is None else q.A)

    def pass_cost(self) -> float:
        """Multiplications of a look at all features, where a step of Newton's method on a rows takes a³."""
        return float(self.rows) * self.p

    def correlations(self, V: Array, features: Features) -> Array:
        """(T, p): r_t − H_t v_t for a V (T, k) on ``features``, zero elsewhere; r itself where there are none."""
        if features.size == 0:
            return self.r
        if self.H is not None:
            if features.size <= GATHERED * self.p:
                out = np.matmul(V[:, None, :], np.take(self.H, features, axis=1))[:, 0]
            else:
                full = np.zeros_like(self.r)
                full[:, features] = V
                out = np.matmul(self.H, full[:, :, None])[:, :, 0]
        else:
            scale = np.square(self.roots)
            out = np.stack([s * ((x[:, features] @ v) @ x) for s, x, v in zip(scale, self.X, V, strict=True)])
        return np.asarray(np.subtract(self.r, out, out=out))

    def restricted(self, chosen: Features, lam: float, ridge: float) -> tuple[Array, RowProblem]:
        """(s, the problem on the chosen features in the coordinates s V)."""
        r = np.take(self.r, chosen, axis=1)
        if self.H is not None:
            part = RaggedProblem(r, lam, H=principal(self.H, chosen), ridge=ridge)
            return part.s, part
        A = np.zeros((self.T, self.rows, chosen.size))
        for t, x in enumerate(self.X):
            A[t, : x.shape[0]] = x[:, chosen]
        A *= self.roots[:, None, None]
        if chosen.size <= self.rows:
            part = RaggedProblem(r, lam, H=np.matmul(A.transpose(0, 2, 1), A), ridge=ridge)
        else:
            part = RaggedProblem(r, lam, A=A, ridge=ridge)
        return part.s, part
