"""L2,1 and L1 fits for any loss and shape: quadratic or prox-Newton inside, working sets where there are many features."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.sparse import Entries, Rows, sparse_quadratic
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
Start = tuple[Array, Array]

# Up to so many features, all of them at once cost less than looking for the right ones.
SMALL = 100
INNER_LIMIT = 400
FIRST_SET = 20


def sparse_fit(
    problem: Problem, start: Start | None, kind: type[Rows] | type[Entries], lam: float, ridge: float
) -> Iterator[Iterate]:
    """Iterates for L(W, b) + lam (row norms or absolute values) + ridge/2 ‖W‖²."""
    if problem.p <= SMALL:
        return _all_features(problem, start, kind, lam, ridge)
    return _working_set(problem, start, kind, lam, ridge)


def _all_features(
    problem: Problem, start: Start | None, kind: type[Rows] | type[Entries], lam: float, ridge: float
) -> Iterator[Iterate]:
    if problem.loss == "squared":
        q = problem.quadratic
        if q.H is None:
            q = q.restrict(np.arange(q.p))
        V0 = np.zeros((problem.T, problem.p)) if start is None else start[0].T
        for V, certify in sparse_quadratic(q.with_ridge(ridge), kind, lam, V0):
            yield (V.T, None) if certify else None
        return
    threshold = np.full(problem.p, lam) if kind is Rows else np.full((problem.T, problem.p), lam)
    penalty = kind(threshold)

    def inner(q: Quadratic, V: Array) -> Array:
        if q.H is None:
            q = q.restrict(np.arange(q.p))
        for k, (V, _) in enumerate(sparse_quadratic(q.with_ridge(ridge), kind, lam, V)):
            if k >= INNER_LIMIT:
                break
        return V

    yield from prox_newton(problem, lambda V: penalty.value(V) + ridge / 2 * float(np.vdot(V, V)), inner, start)


def _working_set(
    problem: Problem, start: Start | None, kind: type[Rows] | type[Entries], lam: float, ridge: float
) -> Iterator[Iterate]:
    """Solve on few features, add those whose optimality condition fails, until none does."""
    V = np.zeros((problem.T, problem.p)) if start is None else start[0].T.copy()
    b = None if start is None else start[1]
    working = np.zeros(problem.p, dtype=bool)
    size = FIRST_SET
    accuracy = 1e-4
    while True:
        g = _correlation(problem, V, b) - ridge * V
        strength = np.linalg.norm(g, axis=0) if kind is Rows else np.abs(g).max(axis=0)
        alive = V.any(axis=0)
        outside = ~working & ~alive
        violation = np.where(outside, strength - lam, -np.inf)
        worst = float(violation.max(initial=-np.inf))
        accuracy = max(1e-15, 0.1 * accuracy) if worst <= lam * accuracy else accuracy
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
        begin = (V[:, chosen].T, b if b is not None else np.zeros(problem.T))
        if problem.loss == "logistic" and b is None:
            begin = (V[:, chosen].T, part.null_intercept)
        last: tuple[Array, Array | None] | None = None
        for k, iterate in enumerate(_all_features(part, begin, kind, lam, ridge)):
            if iterate is not None:
                before, last = last, iterate
                if _still(part, before, last, accuracy) or k >= INNER_LIMIT:
                    break
            yield None
        assert last is not None
        V = np.zeros_like(V)
        V[:, chosen] = last[0].T
        b = last[1]
        yield V.T, b


def _still(problem: Problem, before: Iterate, now: Iterate, accuracy: float) -> bool:
    """Whether two iterates differ by no more than ``accuracy`` of their size."""
    if before is None or now is None:
        return False
    size = float(np.linalg.norm(now[0]))
    return float(np.linalg.norm(now[0] - before[0])) <= accuracy * size


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
