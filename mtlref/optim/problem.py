"""The smooth part of a fit as the solvers see it: a quadratic, or Newton's quadratics of a smooth loss.

Shares no code with the certificates: those sum the losses over the rows again (losses.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.centring import centred
from mtlref.linalg.products import product
from mtlref.moments import Moments
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.raggeddesign import RaggedDesign
from mtlref.optim.shareddesign import SharedDesign
from mtlref.sparserows import CentredRows, RowSpan, column_means, is_sparse, stacked
from mtlref.tasks import TaskData

Array = NDArray[np.float64]

# A dense H_t is worth its p² numbers while a task has at least this share of p rows.
DENSE_ROWS = 0.5
# Of as many rows as there are.
FILLED = 1.5
# Directions that rows reach by no more than their rounding, as where rows are repeated, are none of theirs.
UNREACHED = 1e-14
# Of sparse rows, whose factors are products and not numbers, up to so many features always.
SMALL_GRAM = 1000


@dataclass(frozen=True, eq=False)
class Problem:
    """Data, loss and intercept of one fit; ``c`` (T,) multiplies each task's sum, ``tol`` is the gap asked for."""

    data: TaskData | Moments
    loss: str
    c: Array
    fit_intercept: bool
    tol: float = 1e-6

    @property
    def T(self) -> int:
        """Number of tasks."""
        return self.data.T

    @property
    def p(self) -> int:
        """Number of features."""
        return self.data.p

    @cached_property
    def moments(self) -> Moments:
        """The Gram statistics (squared loss)."""
        if isinstance(self.data, Moments):
            return self.data
        return Moments.from_scaled(self.data, centre=self.fit_intercept)

    @property
    def wide(self) -> bool:
        """Whether tasks have so few rows that factors are smaller than Gram matrices."""
        return few_rows(self.data)

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
        plain = replace(self, c=np.ones_like(self.c))
        plain.__dict__["moments"] = self.moments
        return c, plain

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
        if self.loss == "squared":  # one factor or matrix serves all tasks of a design, and is made once
            q = self.quadratic
            own = slice(t, t + 1)
            H = q.H if q.H is None or len(q.H) == 1 else q.H[own]
            A = q.A if q.A is None or len(q.A) == 1 else q.A[own]
            alone.__dict__["quadratic"] = Quadratic(q.r[own], H, A)
        return alone

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
            own = d.per_task()
            share = self.c * own.mass
            total = share.sum()
            x_mean, y_mean = share @ own.x_mean / total, share @ own.y_mean / total
            dx, dy = own.x_mean - x_mean, own.y_mean - y_mean
            one = replace(
                own,
                names=("all",),
                mass=np.array([total]),
                count=np.array([own.N]),
                x_mean=x_mean[None],
                y_mean=np.array([y_mean]),
                cxx=(np.einsum("t,tij->ij", self.c, own.cxx) + (share[:, None] * dx).T @ dx)[None],
                cxy=(self.c @ own.cxy + (share * dy) @ dx)[None],
                cyy=np.array([self.c @ own.cyy + share @ dy**2]),
                x_slip=0.0,
                y_slip=0.0,
            )
            return Problem(one, self.loss, np.ones(1), self.fit_intercept)
        if d.shared:
            return self._pooled_design(d)
        rows = TaskData.from_list(
            [stacked(d.X)], [np.concatenate(d.y)], weights=[np.concatenate(self.masses)]
        )
        return Problem(rows, self.loss, np.ones(1), self.fit_intercept)

    def _pooled_design(self, d: TaskData) -> Problem:
        """The same for one design: each row once with the mean target, or with the logistic loss once a class."""
        Y, mass = np.column_stack(d.y), np.column_stack(self.masses)
        if self.loss == "squared":
            total = mass.sum(axis=1)
            mean = np.divide((mass * Y).sum(axis=1), total, out=np.zeros(len(Y)), where=total > 0)
            one = TaskData.from_list([d.X[0]], [mean], weights=[total])
        else:
            up, down = (mass * (Y > 0)).sum(axis=1), (mass * (Y < 0)).sum(axis=1)
            signs = np.repeat([1.0, -1.0], len(Y))
            one = TaskData.from_list([stacked([d.X[0]] * 2)], [signs], weights=[np.concatenate([up, down])])
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

    # -- smooth losses that are not quadratic ------------------------------------------------------------------------

    @cached_property
    def masses(self) -> tuple[Array, ...]:
        """c_t s_ti of every row."""
        d = self.data
        assert isinstance(d, TaskData)
        return tuple(
            np.full(len(y), self.c[t]) if d.weights is None else self.c[t] * d.weights[t]
            for t, y in enumerate(d.y)
        )

    def predictions(self, V: Array, b: Array) -> list[Array]:
        """z_t = X_t v_t + b_t."""
        d = self.data
        assert isinstance(d, TaskData)
        if d.shared:
            return list(V @ d.X[0].T + b[:, None])
        return [X @ v + bt for X, v, bt in zip(d.X, V, b, strict=True)]

    @cached_property
    def _rows(self) -> tuple[Array, Array, NDArray[np.intp]]:
        """(y, c_t s_ti, where tasks begin) of the rows of all tasks, one after the other."""
        d = self.data
        assert isinstance(d, TaskData)
        return np.concatenate(d.y), np.concatenate(self.masses), np.cumsum(d.n)[:-1].astype(np.intp)

    def logistic_value(self, z: list[Array]) -> float:
        """Σ_ti c_t s_ti log(1 + exp(−y_ti z_ti))."""
        y, mass, _ = self._rows
        return float(mass @ np.logaddexp(0.0, -y * np.concatenate(z)))

    def logistic_slope(self, z: list[Array], dz: list[Array]) -> float:
        """The derivative of ``logistic_value`` at z along dz."""
        y, mass, _ = self._rows
        return -float((mass * y * expit(-y * np.concatenate(z))) @ np.concatenate(dz))

    def newton_model(self, V: Array, z: list[Array], share: float = 0.0) -> tuple[Quadratic, Array, Array]:
        """(q, offset, slopes): the second-order model of the logistic loss at z, its intercepts eliminated.

        q is the model as a function of the new V, offset (T,) and slopes (T, p) give the intercepts' step:
        b_new − b = offset − slopes · (V_new − V), row by row. share : of the way from the loss's own curvature to
        ``majorising_curvature``; at one the model lies nowhere below the loss.
        """
        d = self.data
        assert isinstance(d, TaskData)
        T, p = V.shape
        r, offset, slopes = np.empty((T, p)), np.zeros(T), np.zeros((T, p))
        wide = self.wide
        H = None if wide else np.empty((T, p, p))
        factors: list[Any] = []
        y, mass, begins = self._rows
        flat = y * np.concatenate(z)
        away = expit(-flat)
        bends = away * expit(flat)
        if share:
            bends += share * (majorising_curvature(flat) - bends)
        parts = zip(d.X, np.split(-mass * y * away, begins), np.split(mass * bends, begins), strict=True)
        for t, (X, slope, bend) in enumerate(parts):
            total = float(bend.sum())
            if d.sparse:
                A = CentredRows.of(X, bend, self.fit_intercept and total > 0)
                gradient = slope @ A
                if self.fit_intercept and total > 0:
                    offset[t], slopes[t] = -slope.sum() / total, column_means(X, bend)
                if H is None:
                    factors.append(A.scaled(np.sqrt(bend)))
                    r[t] = (factors[t] @ V[t]) @ factors[t] - gradient
                else:
                    H[t] = A.gram(bend)
                    r[t] = H[t] @ V[t] - gradient
                continue
            Xc = X
            if self.fit_intercept and total > 0:
                mean = (bend @ X) / total
                Xc = X - mean
                offset[t], slopes[t] = -slope.sum() / total, mean
            gradient = slope @ Xc
            root = np.sqrt(bend)[:, None] * Xc
            if H is None:
                factors.append(root)
                r[t] = (root @ V[t]) @ root - gradient
            else:
                H[t] = root.T @ root
                r[t] = H[t] @ V[t] - gradient
        return Quadratic(r, H, None if H is not None else tuple(factors)), offset, slopes

    @cached_property
    def null_intercept(self) -> Array:
        """(T,): the best intercepts at V = 0 under the logistic loss."""
        d = self.data
        assert isinstance(d, TaskData)
        if not self.fit_intercept:
            return np.zeros(self.T)
        up = np.array([float(m[y > 0].sum()) for m, y in zip(self.masses, d.y, strict=True)])
        down = np.array([float(m[y < 0].sum()) for m, y in zip(self.masses, d.y, strict=True)])
        return np.asarray(np.log(up) - np.log(down))


def few_rows(data: TaskData | Moments) -> bool:
    """Whether tasks have so few rows that factors are smaller than Gram matrices."""
    if isinstance(data, Moments) or (data.sparse and data.p <= SMALL_GRAM):
        return False
    return float(data.n.max()) <= DENSE_ROWS * data.p


def majorising_curvature(z: Array) -> Array:
    """tanh(z/2) / (2 z): of the parabola through log(1 + exp(−z)) with its slope, which lies nowhere below it.

    It falls off as 1/z where the loss's own curvature does as exp(−abs(z)). Jaakkola & Jordan 2000, Bayesian parameter
    estimation via variational methods, section 2.
    """
    half = np.abs(z) / 2
    return np.divide(np.tanh(half), 4 * half, out=np.full_like(half, 0.25), where=half > 1e-8)
