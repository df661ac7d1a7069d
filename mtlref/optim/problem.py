"""The smooth part of a fit as the solvers see it: a quadratic, or Newton's quadratics of a smooth loss.

Shares no code with the certificates: those sum the losses over the rows again (losses.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.moments import Moments, centred
from mtlref.optim.quadratic import Quadratic
from mtlref.tasks import TaskData

Array = NDArray[np.float64]

# A dense H_t is worth its p² numbers while a task has at least this share of p rows.
DENSE_ROWS = 0.5


@dataclass(frozen=True, eq=False)
class Problem:
    """Data, loss and intercept of one fit; ``c`` (T,) multiplies each task's sum."""

    data: TaskData | Moments
    loss: str
    c: Array
    fit_intercept: bool

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
        return self.data if isinstance(self.data, Moments) else Moments.from_data(self.data)

    @property
    def wide(self) -> bool:
        """Whether tasks have so few rows that factors are smaller than Gram matrices."""
        if isinstance(self.data, Moments):
            return False
        return float(self.data.n.max()) <= DENSE_ROWS * self.p

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
        for t in range(d.T):
            A, y = self._factor(d.X[t], d.y[t], None if d.weights is None else d.weights[t], self.c[t])
            factors.append(A)
            r[t] = y @ A
        return Quadratic(r, None, tuple(factors))

    def _factor(self, X: Array, y: Array, s: Array | None, c: float) -> tuple[Array, Array]:
        if self.fit_intercept:
            X, y = centred(X, s)[1], centred(y, s)[1]
        root = np.sqrt(c) if s is None else np.sqrt(c * s)[:, None]
        return root * X, (root if np.ndim(root) == 0 or y.ndim == 2 else root[:, 0]) * y

    def task(self, t: int) -> Problem:
        """The problem of task t alone."""
        d = self.data
        if isinstance(d, Moments):
            own = d.per_task()
            fields = ("mass", "count", "x_mean", "y_mean", "cxx", "cxy", "cyy")
            one: TaskData | Moments = replace(
                own, names=own.names[t : t + 1], **{f: getattr(own, f)[t : t + 1] for f in fields}
            )
        else:
            one = d.select(d.names[t : t + 1])
        return replace(self, data=one, c=self.c[t : t + 1])

    def restrict(self, features: NDArray[np.intp]) -> Problem:
        """The same with some of the features only."""
        d = self.data
        if isinstance(d, Moments):
            f = np.asarray(features)
            part = replace(
                d, x_mean=d.x_mean[:, f], cxx=d.cxx[:, f[:, None], f], cxy=d.cxy[:, f], feature_names=None
            )
            return replace(self, data=part)
        if d.shared:
            X = (np.ascontiguousarray(d.X[0][:, features]),) * d.T
        else:
            X = tuple(np.ascontiguousarray(x[:, features]) for x in d.X)
        return replace(self, data=replace(d, X=X, feature_names=None))

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
            )
            return Problem(one, self.loss, np.ones(1), self.fit_intercept)
        if d.shared:
            return self._pooled_design(d)
        stacked = TaskData.from_list(
            [np.vstack(d.X)], [np.concatenate(d.y)], weights=[np.concatenate(self.masses)]
        )
        return Problem(stacked, self.loss, np.ones(1), self.fit_intercept)

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
            one = TaskData.from_list([np.vstack([d.X[0]] * 2)], [signs], weights=[np.concatenate([up, down])])
        return Problem(one, self.loss, np.ones(1), self.fit_intercept)

    @property
    def fewer_rows_than_features(self) -> bool:
        """Whether all rows together span less than the p features."""
        if isinstance(self.data, Moments):
            return False
        return (len(self.data.y[0]) if self.data.shared else self.data.N) < self.p

    @cached_property
    def row_space(self) -> tuple[Array, Problem]:
        """(Q, the problem in the coordinates Q'w): Q (p, k) an orthonormal basis of the span of all rows."""
        d = self.data
        assert isinstance(d, TaskData)
        rows = d.X[0] if d.shared else np.vstack(d.X)
        Q, _ = np.linalg.qr(rows.T)
        if d.shared:
            X: tuple[Array, ...] = (d.X[0] @ Q,) * d.T
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

    def logistic_value(self, z: list[Array]) -> float:
        """Σ_ti c_t s_ti log(1 + exp(−y_ti z_ti))."""
        d = self.data
        assert isinstance(d, TaskData)
        return sum(
            float(m @ np.logaddexp(0.0, -y * zt)) for m, y, zt in zip(self.masses, d.y, z, strict=True)
        )

    def newton_model(self, V: Array, z: list[Array]) -> tuple[Quadratic, Array, Array]:
        """(q, offset, slopes): the second-order model of the logistic loss at z, its intercepts eliminated.

        q is the model as a function of the new V, offset (T,) and slopes (T, p) give the intercepts' step:
        b_new − b = offset − slopes · (V_new − V), row by row.
        """
        d = self.data
        assert isinstance(d, TaskData)
        T, p = V.shape
        r, offset, slopes = np.empty((T, p)), np.zeros(T), np.zeros((T, p))
        wide = self.wide
        H = None if wide else np.empty((T, p, p))
        factors: list[Array] = []
        for t in range(T):
            X, y = d.X[t], d.y[t]
            slope = -self.masses[t] * y * expit(-y * z[t])
            bend = self.masses[t] * expit(z[t]) * expit(-z[t])
            gradient = X.T @ slope
            total = float(bend.sum())
            Xc = X
            if self.fit_intercept and total > 0:
                mean = (bend @ X) / total
                Xc = X - mean
                offset[t], slopes[t] = -slope.sum() / total, mean
                gradient = Xc.T @ slope
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
