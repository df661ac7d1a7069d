"""The smooth part of a fit as the solvers see it: a quadratic, or Newton's quadratics of the logistic loss.

Shares no code with the certificates: those sum the losses over the rows again (losses.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.centring import centred
from mtlref.linalg.products import product
from mtlref.moments import Moments
from mtlref.optim.pooleddata import pooled_moments, pooled_rows
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.raggeddesign import RaggedDesign
from mtlref.optim.rowsproblem import RowsProblem
from mtlref.optim.shareddesign import SharedDesign
from mtlref.sparserows import CentredRows, RowSpan, is_sparse, stacked
from mtlref.tasks import TaskData

Array = NDArray[np.float64]

# Of as many rows as there are.
FILLED = 1.5
# Directions that rows reach by no more than their rounding, as where rows are repeated, are none of theirs.
UNREACHED = 1e-14


@dataclass(frozen=True, eq=False)
class Problem(RowsProblem):
    """The same, of which the squared loss is one quadratic."""

    def told(self, **known: Any) -> Problem:
        """Itself, with some of its properties as somebody has found them already."""
        self.__dict__.update(known)
        return self

    @cached_property
    def moments(self) -> Moments:
        """The Gram statistics (squared loss)."""
        if isinstance(self.data, Moments):
            return self.data
        return Moments.from_scaled(self.data, centre=self.fit_intercept)

    @cached_property
    def quadratic(self) -> Quadratic:
        """The squared loss at the best intercepts."""
        if not self.wide:
            return Quadratic.from_moments(self.moments, self.c, self.fit_intercept)
        d = self.data
        assert isinstance(d, TaskData)
        if d.shared and (self.c == self.c[0]).all():
            s = None if d.weights is None else d.weights[0]
            A, Y = self._factor(d.X[0], np.column_stack(d.y), s, self.c[0])
            return Quadratic(Y.T @ A, None, (A,))
        factors, r = [], np.empty((d.T, d.p))
        # Rows of one length for all tasks, where few are filled up, are what shifted solves multiply by.
        most = int(d.n.max())
        stack = None if self.sparse or most * d.T > FILLED * d.N else np.zeros((d.T, most, d.p))
        for t in range(d.T):
            own = None if stack is None else stack[t, : d.n[t]]
            A, y = self._factor(d.X[t], d.y[t], None if d.weights is None else d.weights[t], self.c[t], own)
            factors.append(A)
            r[t] = y @ A
        return Quadratic(r, None, tuple(factors), stack=stack)

    @cached_property
    def at_unit_scale(self) -> tuple[float, Problem]:
        """(c, the problem divided by c) where every c_t is c, for Gram matrices to serve as they are; or (1, it)."""
        c = float(self.c[0])
        if c == 1 or self.loss != "squared" or self.wide or not (self.c == c).all():
            return 1.0, self
        return c, replace(self, c=np.ones_like(self.c)).told(moments=self.moments)

    @property
    def sparse(self) -> bool:
        """Whether the rows are held sparse."""
        return isinstance(self.data, TaskData) and self.data.sparse

    @property
    def one_design(self) -> bool:
        """Whether the squared loss has the same quadratic for every task, of rows held as numbers."""
        if self.sparse and self.wide:
            return False
        alike = self.data.shared or self.T == 1
        return self.loss == "squared" and alike and bool((self.c == self.c[0]).all())

    @cached_property
    def shared_design(self) -> SharedDesign:
        """The squared loss at the best intercepts where ``one_design``; rows that need no centring are not copied."""
        if not self.wide:
            q = self.quadratic
            assert q.H is not None
            return SharedDesign(q.r, H=q.H[0])
        d = self.data
        assert isinstance(d, TaskData)
        X, Y, scale = d.X[0], np.column_stack(d.y), float(self.c[0])
        if self.fit_intercept or d.weights is not None:
            X, Y = self._factor(X, Y, None if d.weights is None else d.weights[0], scale)
            scale = 1.0
        return SharedDesign(product(scale * Y.T, X), X=X, scale=scale)

    @cached_property
    def ragged_design(self) -> RaggedDesign:
        """The squared loss at the best intercepts, task by task; rows that need no centring are not copied."""
        d = self.data
        if not self.wide or self.fit_intercept:
            return RaggedDesign.of(self.quadratic)
        assert isinstance(d, TaskData)
        if d.shared or d.weights is not None:
            return RaggedDesign.of(self.quadratic)
        return RaggedDesign(self.c[:, None] * self.products, X=d.X, roots=np.sqrt(self.c))

    @cached_property
    def products(self) -> Array:
        """(T, p): X_t'y_t."""
        d = self.data
        assert isinstance(d, TaskData)
        return np.stack([y @ x for x, y in zip(d.X, d.y, strict=True)])

    def _factor(
        self, X: Any, y: Array, s: Array | None, c: float, out: Array | None = None
    ) -> tuple[Any, Array]:
        root = np.sqrt(c) if s is None else np.sqrt(c * s)[:, None]
        if self.fit_intercept:
            y = centred(y, s)[1]
        y = (root if np.ndim(root) == 0 or y.ndim == 2 else root[:, 0]) * y
        if is_sparse(X):
            return CentredRows.of(X, s, self.fit_intercept).scaled(root), y
        return np.multiply(root, centred(X, s)[1] if self.fit_intercept else X, out=out), y

    def task(self, t: int) -> Problem:
        """The problem of task t alone."""
        d = self.data
        if isinstance(d, Moments):
            one: TaskData | Moments = d.only([t])
        else:
            one = d.select(d.names[t : t + 1])
        alone = replace(self, data=one, c=self.c[t : t + 1])
        if self.loss != "squared":
            return alone
        # One factor or matrix serves all tasks of a design, and is made once.
        q, own = self.quadratic, slice(t, t + 1)
        H = q.H if q.H is None or len(q.H) == 1 else q.H[own]
        A = q.A if q.A is None or len(q.A) == 1 else q.A[own]
        return alone.told(quadratic=Quadratic(q.r[own], H, A))

    def restrict(self, features: NDArray[np.intp]) -> Problem:
        """The same with some of the features only."""
        d = self.data
        if isinstance(d, Moments):
            f = np.asarray(features)
            part = replace(
                d,
                x_mean=d.x_mean[:, f],
                cxx=d.cxx[:, f[:, None], f],
                cxy=d.cxy[:, f],
                feature_names=None,
                x_slip=0.0,
            )
            return replace(self, data=part)
        own: tuple[Any, ...] = d.X[:1] if d.shared else d.X
        X = tuple(x[:, features].toarray() if d.sparse else np.ascontiguousarray(x[:, features]) for x in own)
        return replace(self, data=replace(d, X=X * d.T if d.shared else X, feature_names=None))

    @cached_property
    def pooled(self) -> Problem:
        """One task made of the rows of all, each weighted by its c_t."""
        d = self.data
        if isinstance(d, Moments):
            one: TaskData | Moments = pooled_moments(d, self.c)
        else:
            one = pooled_rows(d, self.masses, self.loss)
        return Problem(one, self.loss, np.ones(1), self.fit_intercept)

    @property
    def fewer_rows_than_features(self) -> bool:
        """Whether all rows together span less than the p features."""
        if isinstance(self.data, Moments):
            return False
        return (len(self.data.y[0]) if self.data.shared else self.data.N) < self.p

    @cached_property
    def row_space(self) -> tuple[Any, Problem]:
        """(Q, the problem in the coordinates Q'w): Q (p, k) an orthonormal basis of the span of all rows."""
        d = self.data
        assert isinstance(d, TaskData)
        rows = d.X[0] if d.shared else stacked(d.X)
        found = RowSpan.of(rows) if d.sparse else RowSpan.of_many(rows)
        if found is not None:
            span, inside = found
            cuts = np.cumsum(d.n)[:-1]
            X = (inside,) * d.T if d.shared else tuple(np.split(inside, cuts))
            return span, replace(self, data=replace(d, X=X, feature_names=None))
        Q, _ = np.linalg.qr(rows.T)
        length = np.linalg.norm(rows @ Q, axis=0)
        Q = Q[:, length > UNREACHED * length.max()] if length.any() else Q
        if d.shared:
            X = (d.X[0] @ Q,) * d.T
        else:
            X = tuple(x @ Q for x in d.X)
        return Q, replace(self, data=replace(d, X=X, feature_names=None))
