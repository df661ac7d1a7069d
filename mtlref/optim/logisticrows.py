"""Row norms plus a logistic loss: Newton's models of it, each on the features that matter at its point.

A model is minimised by ``rowproblem``, no more precisely than it is true, and the features are chosen anew for the
next one: those whose optimality condition fails come in, the strongest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.raggeddesign import RaggedDesign
from mtlref.optim.rowminima import column_norms
from mtlref.optim.rowproblem import RowProblem, solve_rows
from mtlref.optim.run import Iterate
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
Features = NDArray[np.intp]
Start = tuple[Array, Array]
# Up to so many features, all of them at once cost less than looking for the right ones; so do sets beyond a share.
SMALL, MOST = 100, 0.7
FIRST_SET = 50
# A set is cut down to what matters where that is less than this share of it.
SHRUNK = 0.8
FINEST = 1e-11
# A model is solved to this share of the miss that it starts from, which keeps convergence superlinear.
INNER_SHARE = 3e-2
# From a point that missed by more than this share of lam, no step leads to one that is worth a certificate.
WORTH = 3e-2


@dataclass(frozen=True, eq=False)
class Model:
    """A quadratic on some features in the coordinates s V."""

    features: Features
    s: Array
    part: RowProblem


class RowModels:
    """The logistic loss of a problem, as ``prox_newton`` asks for it, with models that hold some features only.

    miss : by how much the last point that was modelled misses the optimality conditions on all features, as a share of
    lam.
    """

    def __init__(self, problem: Problem, lam: float, ridge: float) -> None:
        self.problem, self.lam, self.ridge = problem, lam, ridge
        self.logistic_value, self.logistic_slope = problem.logistic_value, problem.logistic_slope
        self.features: Features = np.arange(problem.p if problem.p <= SMALL else 0)
        self._part = problem
        self.miss = np.inf

    @property
    def T(self) -> int:
        """Number of tasks."""
        return self.problem.T

    @property
    def p(self) -> int:
        """Number of features."""
        return self.problem.p

    @property
    def null_intercept(self) -> Array:
        """(T,): the best intercepts at V = 0."""
        return self.problem.null_intercept

    def penalty(self, V: Array) -> float:
        """lam Σ_j ‖V[:, j]‖ + ridge/2 ‖V‖²."""
        return self.lam * float(column_norms(V).sum()) + self.ridge / 2 * float(np.vdot(V, V))

    def predictions(self, V: Array, b: Array) -> list[Array]:
        """z_t = X_t v_t + b_t."""
        if self._part is not self.problem:
            inside = np.zeros(self.p, dtype=np.bool_)
            inside[self.features] = True
            if not V[:, ~inside].any():
                return self._part.predictions(np.take(V, self.features, axis=1), b)
        return self.problem.predictions(V, b)

    def newton_model(self, V: Array, z: list[Array], share: float) -> tuple[Model, Array, Array]:
        """(the model at z, offset, slopes) as ``Problem.newton_model``; slopes are zero off the model's features."""
        outside = 0.0
        if self.features.size < self.p:
            outside = self._choose(V, z)
        whole = self._part is self.problem
        inside = V if whole else np.take(V, self.features, axis=1)
        q, offset, own = self._part.newton_model(inside, z, share)
        s, part = RaggedDesign.of(q).restricted(np.arange(q.p), self.lam, self.ridge)
        here = inside * s
        self.miss = max(outside, part.miss(here, part.r - part.times(here)))
        slopes = own
        if not whole:
            slopes = np.zeros_like(V)
            slopes[:, self.features] = own
        return Model(self.features, s, part), offset, slopes

    def _choose(self, V: Array, z: list[Array]) -> float:
        """Set the features of the next model; by how much those that the last had not fail, as a share of lam."""
        strength = column_norms(_correlations(self.problem, z) - self.ridge * V)
        alive = V.any(axis=0)
        working = np.zeros(self.p, dtype=np.bool_)
        working[self.features] = True
        outside = ~working & ~alive
        fresh = np.flatnonzero(outside & (strength > self.lam))
        worst = float(strength[fresh].max() / self.lam - 1.0) if fresh.size else 0.0
        room = max(FIRST_SET, 2 * int(alive.sum()))
        if fresh.size > room:
            fresh = fresh[np.argpartition(strength[fresh], -room)[-room:]]
        working = alive | (working & (strength > 0.9 * self.lam))
        working[fresh] = True
        if not working.any():
            working[strength.argmax()] = True
        chosen = np.flatnonzero(working)
        if chosen.size > MOST * self.p:
            self.features, self._part = np.arange(self.p), self.problem
        elif chosen.size < SHRUNK * self.features.size or not np.isin(chosen, self.features).all():
            self.features, self._part = chosen, self.problem.restrict(chosen)
        return worst

    def minimiser(self, model: Model, V: Array) -> Array:
        """The point that the model leads to from V: its minimiser, to a share of the miss at V."""
        part, s = model.part, model.s
        x = np.take(V, model.features, axis=1) * s
        best, Hx = x, part.times(x)
        first = lowest = part.value(x, Hx)
        goal = max(FINEST, INNER_SHARE * min(1.0, self.miss))
        for x, miss in solve_rows(part, x, goal):
            value = part.value(x, part.times(x))
            # No step that raises the model is one, whatever the conditions at its end; rounding may raise it.
            if value <= first + 1e-14 * abs(first) and miss <= goal:
                best = x
                break
            if value < lowest:
                best, lowest = x, value
        out = np.zeros_like(V)
        out[:, model.features] = best / s
        return out


def logistic_rows(problem: Problem, start: Start | None, lam: float, ridge: float) -> Iterator[Iterate]:
    """Iterates for the logistic loss plus lam Σ_j ‖W[j,:]‖ + ridge/2 ‖W‖²."""
    models = RowModels(problem, lam, ridge)
    iterate: Iterate = None
    for iterate in prox_newton(models, models.penalty, models.minimiser, start):
        yield iterate if models.miss <= WORTH else None
    yield iterate  # where no step gets on, the last point is the answer, whatever it is worth


def _correlations(problem: Problem, z: list[Array]) -> Array:
    """(T, p): minus the gradient of the loss in V, at predictions z."""
    d = problem.data
    assert isinstance(d, TaskData)
    theta = [m * y * expit(-y * zt) for m, y, zt in zip(problem.masses, d.y, z, strict=True)]
    if d.shared:
        return np.asarray(np.stack(theta) @ d.X[0])
    return np.stack([th @ x for th, x in zip(theta, d.X, strict=True)])
