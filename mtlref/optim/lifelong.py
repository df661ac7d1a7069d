"""What is kept of tasks that come one at a time: a quadratic each, and the sums from which the components follow."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from mtlref.moments import Moments
from mtlref.optim.fewlasso import lasso
from mtlref.optim.problem import Problem
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.smooth import quadratic_penalty
from mtlref.tasks import TaskData

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Known:
    """What is kept of a task: rows or, for the squared loss, their Moments; θ, D; b = b0 − mean'(w − θ); its code s."""

    rows: Any
    theta: Array
    D: Array
    b0: float
    mean: Array
    s: Array


class Memory:
    """L, A = Σ_t D_t ⊗ s_t s_t', B = Σ_t D_t θ_t s_t', and what is known of each task."""

    def __init__(self, p: int, k: int) -> None:
        self.tasks: dict[Hashable, Known] = {}
        self.L: Array = np.zeros((p, k))
        self.A: Array = np.zeros((p * k, p * k))
        self.B: Array = np.zeros((p, k))

    def learn(self, name: Hashable, task: Known, lam: float, mu: float) -> None:
        """The update for a task that comes, or comes again."""
        old = self.tasks.get(name)
        T = len(self.tasks) + (old is None)
        L = self._awake(task, T, lam, mu) if old is None else self.L
        pull = L.T @ task.D
        own = Quadratic((pull @ task.theta)[None], (pull @ L)[None])
        s = lasso(own, task.s[None] * L.any(axis=0), mu)[0]
        A: Array = self.A + np.kron(task.D, np.outer(s, s))
        B: Array = self.B + np.outer(task.D @ task.theta, s)
        if old is not None:
            A -= np.kron(old.D, np.outer(old.s, old.s))
            B -= np.outer(old.D @ old.theta, old.s)
        K: Array = A / T
        K[np.diag_indices_from(K)] += 2 * lam
        L = np.asarray(cho_solve(cho_factor(K), B.ravel() / T)).reshape(L.shape)
        self.tasks[name], self.L, self.A, self.B = replace(task, s=s), L, A, B

    def _awake(self, task: Known, T: int, lam: float, mu: float) -> Array:
        """L; its first component of zeros becomes what the others leave of a new task, as long as costs it least."""
        asleep = np.flatnonzero(~self.L.any(axis=0))
        if asleep.size == 0:
            return self.L
        coded = np.linalg.lstsq(self.L, task.theta, rcond=1e-10)[0]
        left = task.theta - self.L @ coded
        size = float(np.linalg.norm(left))
        L = self.L.copy()
        if size > 1e-10 * float(np.linalg.norm(task.theta)):
            # lam a² + (mu / T) ‖left‖ / a is least there: the direction's length in L against its code's.
            L[:, asleep[0]] = left / size * np.cbrt(mu * size / (2 * lam * T))
        return L


def summary(problem: Problem, ridge: float, k: int) -> Known:
    """θ, D and the intercept as a function of w of a problem of one task; its code is zero."""
    code = np.zeros(k)
    if problem.loss == "squared":
        m = problem.moments
        rows = m.at_exponents(0, 0)
        q = Quadratic.from_moments(rows, problem.c, problem.fit_intercept)
        assert q.H is not None
        theta = np.asarray(np.linalg.lstsq(q.H[0] + ridge * np.eye(q.p), q.r[0], rcond=1e-13)[0], dtype=float)
        mean = rows.x_mean[0] if problem.fit_intercept else np.zeros(q.p)
        level = float(rows.y_mean[0] - mean @ theta) if problem.fit_intercept else 0.0
        return Known(rows, theta, q.H[0], level, mean, code)

    def factor(q: Quadratic) -> Any:
        return lambda R: q.solve_shifted(R, ridge)

    W, b = np.zeros((problem.p, 1)), problem.null_intercept
    for iterate in quadratic_penalty(problem, None, lambda V: ridge * V, factor):
        if iterate is not None and iterate[1] is not None:
            W, b = iterate[0], iterate[1]
    model, offset, means = problem.newton_model(W.T, problem.predictions(W.T, b))
    D = model.restrict(np.arange(problem.p)).H
    assert D is not None
    return Known(problem.data, W[:, 0], D[0], float(b[0] + offset[0]), means[0], code)


def joined(one: Any, other: Any) -> TaskData | Moments:
    """The rows of both, of one task."""
    if isinstance(one, Moments):
        return one.merge(other)
    weights = None
    if one.weights is not None or other.weights is not None:
        parts = [np.ones(len(d.y[0])) if d.weights is None else d.weights[0] for d in (one, other)]
        weights = [np.concatenate(parts)]
    return TaskData.from_list(
        [np.vstack([one.X[0], other.X[0]])],
        [np.concatenate([one.y[0], other.y[0]])],
        names=one.names,
        weights=weights,
    )
