"""W = L S with a sparse S and a small L: exact alternating steps far from the answer, Newton's method near it.

    F(L, S, b) = L(L S, b) + mu ‖S‖_1 + lam ‖L‖_F²,    L (p, k), S (k, T)

is convex in each factor. One round proposes a new L, and then solves for S and b exactly: T lassos in k unknowns. What
is proposed is Newton's step on g(L) = min over S, b of F (variable projection; with the active set of S fixed, its
Hessian is the Schur complement of F's), bent to descend where g is not convex; or the minimiser over L for the S at
hand with the components rescaled, l_j a and s_j / a for the a that is best. The lowest g is kept: F never rises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mtlref.centring import centred
from mtlref.optim.codes import CodeRows, better_start, logistic_codes
from mtlref.optim.components import DENSE, Point, best_components, inner, newton_step
from mtlref.optim.factorpair import Factors, balanced
from mtlref.optim.fewlasso import lasso
from mtlref.optim.problem import Problem
from mtlref.optim.quadratic import Quadratic
from mtlref.tasks import TaskData

Array = NDArray[np.float64]


# Rounds that lower F by less than its rounding before the solver ends.
IDLE = 4
ROUNDING = 1e-15
HALVINGS = 25
# A step that raises F, codes following, by more than so many times what it promises is shortened unseen.
FAR = 3.0


def descend(problem: Problem, start: Factors, b: Array | None, lam: float, mu: float) -> Iterator[Point]:
    """Points of falling F from a start; ends where F falls no more."""
    here = solve_codes(problem, start, b, lam, mu)
    yield here
    idle = 0
    while idle < IDLE:
        new = _newton_round(problem, here, lam, mu)
        if new is None or not new.value < here.value:
            plain = _alternating_round(problem, here, lam, mu)
            new = plain if plain.value <= here.value else here
        size = abs(here.value - lam * float(np.vdot(here.factors.L, here.factors.L))) + abs(here.value)
        idle = 0 if new.value < here.value - ROUNDING * size else idle + 1
        here = new
        yield here


def centred_rows(problem: Problem) -> tuple[Array, Problem]:
    """(means (T, p), the problem with each task's rows about their mean): b becomes b + means · w.

    For losses whose intercept is found by Newton's method, which a large mean slows down.
    """
    d = problem.data
    if problem.loss == "squared" or not problem.fit_intercept:
        return np.zeros((problem.T, problem.p)), problem
    assert isinstance(d, TaskData)
    if d.shared:
        mean, X = centred(d.X[0], None)
        return np.repeat(mean[None], d.T, axis=0), replace(problem, data=replace(d, X=(X,) * d.T))
    parts = [centred(x, None) for x in d.X]
    moved = replace(problem, data=replace(d, X=tuple(x for _, x in parts)))
    return np.array([mean for mean, _ in parts]), moved


# -- S and b for a given L -------------------------------------------------------------------------------------------


def solve_codes(
    problem: Problem,
    factors: Factors,
    b: Array | None,
    lam: float,
    mu: float,
    q: Quadratic | None = None,
    begin: tuple[Array, Array] | None = None,
) -> Point:
    """The best S and b for L, from those at hand; q: the squared loss where it is at hand.

    begin : (T, k) and b to begin at instead, under the logistic loss.
    """
    L = factors.L
    if q is None and problem.loss == "squared":
        q = _formed(problem.quadratic, L)
    # A component of zeros has no code: its entries would move freely at the lasso's own accuracy.
    V = factors.S.T * L.any(axis=0)
    ridge = lam * float(np.vdot(L, L))
    if q is not None:
        small = Quadratic(q.r @ L, inner(q, L))
        V = lasso(small, V, mu)
        value = small.value(V) + mu * float(np.abs(V).sum()) + ridge
        return Point(Factors(L, V.T), None, value, lambda: (q, None))
    if begin is None:
        begin = V, problem.null_intercept if b is None else b
    V, b = logistic_codes(_in_components(problem, L), *begin, mu, problem.fit_intercept)
    z = problem.predictions(V @ L.T, b)
    value = problem.logistic_value(z) + mu * float(np.abs(V).sum()) + ridge

    def model() -> tuple[Quadratic, Array]:
        q, _, slopes = problem.newton_model(V @ L.T, z)
        return _formed(q, L), slopes

    return Point(Factors(L, V.T), b, value, model)


def _formed(q: Quadratic, L: Array) -> Quadratic:
    """q with its H_t formed where L is so small that Hessians are."""
    return q if q.H is not None or L.size > DENSE else q.restrict(np.arange(q.p))


def _known(problem: Problem, here: Point) -> Quadratic | None:
    """The squared loss is its own model at any point."""
    return here.q if problem.loss == "squared" else None


def _in_components(problem: Problem, L: Array) -> CodeRows:
    """The rows X_t L."""
    d = problem.data
    assert isinstance(d, TaskData)
    Z = np.tile(d.X[0] @ L, (d.T, 1)) if d.shared else np.vstack([x @ L for x in d.X])
    return CodeRows(Z, np.concatenate(d.y), np.concatenate(problem.masses), np.asarray(d.n))


# -- L ---------------------------------------------------------------------------------------------------------------


def _alternating_round(problem: Problem, here: Point, lam: float, mu: float) -> Point:
    """The minimiser over L for this S, components rescaled, then S anew; half as far where that does not descend."""
    L, S = here.factors
    target = best_components(here, lam)
    step = 1.0
    for _ in range(HALVINGS):
        moved = balanced(Factors(L + step * (target - L), S), lam, mu)
        new = solve_codes(problem, moved, here.b, lam, mu, _known(problem, here))
        if new.value <= here.value + 4 * ROUNDING * abs(here.value):
            return new
        step /= 2  # the logistic loss is not its quadratic model
    return here


def _newton_round(problem: Problem, here: Point, lam: float, mu: float) -> Point | None:
    """A step of Newton's method on g; None where it does not descend."""
    L, S = here.factors
    if not S.any():
        return None
    live: NDArray[np.bool_] = np.asarray(S.any(axis=1))
    slope = (here.gradient.T @ S.T + 2 * lam * L)[:, live]
    step, follow = np.zeros_like(L), np.zeros_like(S)
    step[:, live], follow[live] = newton_step(here, live, slope, lam)
    step[:, ~live] = -L[:, ~live]
    descent = float(np.vdot(slope, step[:, live]))
    size = 1.0
    for _ in range(HALVINGS // 4):
        moved, begin = Factors(L + size * step, S), None
        most = here.value + FAR * size * abs(descent)
        if problem.loss != "squared":
            begin, value = _following(problem, here, moved, S + size * follow, mu)
        if problem.loss == "squared" or value + lam * float(np.vdot(moved.L, moved.L)) <= most:
            new = solve_codes(problem, moved, here.b, lam, mu, _known(problem, here), begin)
            if new.value <= here.value + 1e-4 * size * descent:
                return new
        size /= 4
    return None


def _following(
    problem: Problem, here: Point, moved: Factors, codes: Array, mu: float
) -> tuple[tuple[Array, Array], float]:
    """(V, b) to begin at for the moved L, and the objective there: for each task the codes given, or those it has."""
    assert here.b is not None
    change = (moved.L @ codes - here.factors.W).T
    other = codes.T, here.b - np.einsum("tj,tj->t", here.slopes, change)
    V, b, value = better_start(_in_components(problem, moved.L), mu, (moved.S.T, here.b), other)
    return (V, b), value


def single_task_start(problem: Problem, ridge: float) -> Array:
    """(p, T): each task's own coefficients by a ridge on the loss, or on its second-order model at zero."""
    if problem.loss == "squared":
        q = problem.quadratic
    else:
        V = np.zeros((problem.T, problem.p))
        q = problem.newton_model(V, problem.predictions(V, problem.null_intercept))[0]
    # Rows of zeros have no curvature to be relative to, and any ridge gives zero.
    return q.solve_shifted(q.r, ridge if ridge > 0 else 1.0).T
