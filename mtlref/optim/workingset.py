"""L∞,1 and L1 fits for any loss and shape: quadratic or prox-Newton inside, working sets for many features."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.sharedrows import shared_rows_fit
from mtlref.optim.sparse import Entries, Penalty, sparse_quadratic
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
Start = tuple[Array, Array]

# Up to so many features, all of them at once cost less than looking for the right ones.
SMALL = 100
INNER_LIMIT = 400
FIRST_SET = 50
FINEST = 1e-11
# A Newton model is solved to this share of the residual that it starts from, which keeps convergence superlinear.
INNER_SHARE = 3e-2
ROUGH = 1e-5
STALE = 4
EPS = float(np.finfo(float).eps)
FIRST_GOAL = GOAL_SHARE = 0.1


def sparse_fit(
    problem: Problem,
    start: Start | None,
    kind: type[Penalty],
    lam: float,
    ridge: float,
    share: Array | None = None,
) -> Iterator[Iterate]:
    """Iterates for L(W, b) + lam (row maxima or absolute values) + ridge/2 ‖W‖².

    share (p,), with absolute values only: 1, or 0 for features that bear no penalty.
    """
    if problem.T == 1 and (problem.p <= SMALL or problem.loss != "squared"):
        # A row of one task is an entry, whose Newton steps need no curvature of its norm: faint penalties and columns
        # that are each other's double leave that nothing to hold on to.
        solver = _all_features if problem.p <= SMALL else _working_set
        return solver(problem, start, Entries, lam, ridge, share)
    if kind is Entries and share is None and problem.one_design:
        return _each_task(problem, start, lam, ridge, share)
    if problem.p <= SMALL:
        return _all_features(problem, start, kind, lam, ridge, share)
    if kind is Entries and problem.T > 1:
        return _each_task(problem, start, lam, ridge, share)
    return _working_set(problem, start, kind, lam, ridge, share)


def _each_task(
    problem: Problem, start: Start | None, lam: float, ridge: float, share: Array | None
) -> Iterator[Iterate]:
    """Tasks that nothing couples have working sets of their own, far smaller than their union."""

    def fit_one(t: int) -> Iterator[Iterate]:
        begin = None if start is None else (start[0][:, t : t + 1], start[1][t : t + 1])
        if share is None and problem.one_design:  # with one task a row is an entry
            return shared_rows_fit(problem.shared_design.task(t), begin, lam, ridge)
        return _working_set(problem.task(t), begin, Entries, lam, ridge, share)

    parts = [fit_one(t) for t in range(problem.T)]
    found: list[tuple[Array, Array | None]] = [next(it for it in part if it is not None) for part in parts]
    while True:
        intercepts = [b for _, b in found if b is not None]
        yield np.hstack([W for W, _ in found]), np.concatenate(intercepts) if intercepts else None
        for t, part in enumerate(parts):  # a task that has settled keeps its last iterate
            found[t] = next((it for it in part if it is not None), found[t])


def _all_features(
    problem: Problem,
    start: Start | None,
    kind: type[Penalty],
    lam: float,
    ridge: float,
    share: Array | None = None,
) -> Iterator[Iterate]:
    if problem.loss == "squared":
        q = problem.quadratic
        if q.H is None:
            q = q.restrict(np.arange(q.p))
        V0 = np.zeros((problem.T, problem.p)) if start is None else start[0].T
        for V, certify in sparse_quadratic(q.with_ridge(ridge), kind, lam, V0, share):
            yield (V.T, None) if certify else None
        return
    penalty = _penalty(problem, kind, lam, share)

    def inner(q: Quadratic, V: Array) -> Array:
        q = q.with_ridge(ridge) if q.H is not None else q.restrict(np.arange(q.p)).with_ridge(ridge)
        HV = q.times(V)
        # Far out residuals have no measure: a share of a large one is no condition at all.
        goal = max(FINEST, INNER_SHARE * min(1.0, penalty.residual(V, q.r - HV)))
        # The best point is kept, so that the step to it descends even where the goal stays out of reach.
        best, lowest = V, q.value(V, HV) + penalty.value(V)
        # What rounding may add: of a V far out the terms of a value, |V_i H_ij V_j|, are far larger than their sum.
        reach = float(np.square((np.sqrt(q.diagonal) * np.abs(V)).sum(axis=1)).sum())
        first = lowest + EPS * (reach + float(np.vdot(np.abs(q.r), np.abs(V))))
        for k, (V, _) in enumerate(sparse_quadratic(q, kind, lam, V, share)):
            HV = q.times(V)
            value = q.value(V, HV) + penalty.value(V)
            # No step that raises the model is one, whatever the conditions at its end.
            if value <= first and penalty.residual(V, q.r - HV) <= goal:
                return V
            if value < lowest:
                best, lowest = V, value
            if k >= INNER_LIMIT:
                break
        return best

    yield from prox_newton(
        problem, lambda V: penalty.value(V) + ridge / 2 * float(np.vdot(V, V)), inner, start
    )


def _working_set(
    problem: Problem,
    start: Start | None,
    kind: type[Penalty],
    lam: float,
    ridge: float,
    share: Array | None = None,
) -> Iterator[Iterate]:
    """Solve on few features, add those whose optimality condition fails, until none does at any accuracy."""
    V = np.zeros((problem.T, problem.p)) if start is None else start[0].T.copy()
    b = None if start is None else start[1]
    working = np.zeros(problem.p, dtype=bool)
    size = FIRST_SET
    accuracy = 1e-4
    while True:
        g = _correlation(problem, V, b) - ridge * V
        strength = kind.strength(g)
        alive = V.any(axis=0) if share is None else V.any(axis=0) | (share == 0)
        outside = ~working & ~alive
        violation = np.where(outside, strength - lam, -np.inf)
        worst = float(violation.max(initial=-np.inf))
        if worst <= lam * accuracy and V.any():
            if accuracy <= FINEST:
                return
            accuracy = max(FINEST, 1e-3 * accuracy)
        keep = working & (alive | (strength > 0.9 * lam))
        size = max(size, 2 * int(alive.sum()))
        fresh = np.flatnonzero(violation > 0)
        if fresh.size > size:
            fresh = fresh[np.argsort(violation[fresh])[-size:]]
        working = keep | alive
        working[fresh] = True
        if not working.any():
            working[np.argsort(strength)[-FIRST_SET:]] = True
        chosen = np.flatnonzero(working)
        part = problem.restrict(chosen)
        part_share = None if share is None else share[chosen]
        penalty = _penalty(part, kind, lam, part_share)
        begin = (V[:, chosen].T, b if b is not None else np.zeros(problem.T))
        if problem.loss == "logistic" and b is None:
            begin = (V[:, chosen].T, part.null_intercept)
        last: tuple[Array, Array | None] | None = None
        best, stale = np.inf, 0
        # More than what fails outside of the set asks for would be lost when that comes in.
        goal = max(accuracy, min(FIRST_GOAL, GOAL_SHARE * worst / lam))
        for k, iterate in enumerate(_all_features(part, begin, kind, lam, ridge, part_share)):
            if iterate is not None:
                miss = _miss(part, iterate, penalty, ridge)
                stale = 0 if miss < 0.5 * best else stale + 1
                if last is None or miss < best:
                    best, last = miss, iterate
                # An iterate that rounding keeps from the accuracy asked for is as good as it gets.
                if best <= goal or k >= INNER_LIMIT or (stale >= STALE and best <= ROUGH):
                    break
            yield None
        assert last is not None
        V = np.zeros_like(V)
        V[:, chosen] = last[0].T
        b = last[1]
        yield V.T, b


def _penalty(problem: Problem, kind: type[Penalty], lam: float, share: Array | None) -> Penalty:
    """lam for every feature, or for those that bear it."""
    full = np.full((problem.T, problem.p) if kind is Entries else problem.p, lam)
    return kind(full) if share is None else Entries(full * share, full)


def _miss(problem: Problem, iterate: tuple[Array, Array | None], penalty: Penalty, ridge: float) -> float:
    """How far an iterate is from the optimality conditions, relative to lam."""
    V = iterate[0].T
    return penalty.residual(V, _correlation(problem, V, iterate[1]) - ridge * V)


def _correlation(problem: Problem, V: Array, b: Array | None) -> Array:
    """(T, p): minus the gradient of L in V, at the best intercepts for the squared loss."""
    if problem.loss == "squared":
        q = problem.quadratic
        return np.asarray(q.r - q.times(V))
    d = problem.data
    assert isinstance(d, TaskData)
    z = problem.predictions(V, problem.null_intercept if b is None else b)
    theta = [m * y * expit(-y * zt) for m, y, zt in zip(problem.masses, d.y, z, strict=True)]
    if d.shared:
        return np.asarray(np.stack(theta) @ d.X[0])
    return np.stack([th @ x for th, x in zip(theta, d.X, strict=True)])
