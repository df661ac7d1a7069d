"""Quadratic or logistic loss plus a squared box norm of the singular values: ADMM, and where that creeps its M's path.

ADMM's steps are cheap, and few where the penalty's curvatures, 2 weight / eta and 2 weight / (1 + eta), are near one
another. Where they are not, the interior-point method takes over.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.admm import admm
from mtlref.optim.boxinterior import affordable, box_interior
from mtlref.optim.boxnorm import BoxNormTerm
from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.smooth import in_row_space
from mtlref.optim.spectral import INNER_LIMIT, PROMISING, SETTLED, prox_singular

Array = NDArray[np.float64]
Start = tuple[Array, Array]
# Steps of ADMM, which make a decomposition each, and some more while the residual is below NEARLY and falls tenfold
# every LOOK_EVERY. Inside Newton's method, where many fits begin near their answers, as many as take the
# time of the path.
BURST, MORE, NEARLY, BURST_INSIDE = 15, 15, 3e-4, 100
CHECK_EVERY, LOOK_EVERY, FALLEN = 50, 5, 0.1


def box_in_row_space(problem: Problem, start: Start | None, term: BoxNormTerm) -> Iterator[Iterate]:
    """Iterates for L(W, b) + term(σ(W)), in the span of the rows where that is smaller than p."""
    if problem.loss == "squared" and problem.wide and not problem.sparse and problem.quadratic.shared:
        return box_fit(problem, start, term)
    return in_row_space(problem, start, lambda part, begin: box_fit(part, begin, term))


def box_fit(problem: Problem, start: Start | None, term: BoxNormTerm) -> Iterator[Iterate]:
    """Iterates for L(W, b) + term(σ(W)); each is certified where what it misses is a share of what the last one did."""
    if problem.loss == "squared":
        V = np.zeros((problem.T, problem.p)) if start is None else start[0].T
        shown = np.inf
        for k, (V, miss) in enumerate(points(problem.quadratic, V, term), 1):
            if miss <= min(FALLEN * shown, PROMISING) or k % CHECK_EVERY == 0:
                shown = miss
                yield V.T, None
            else:
                yield None
        return

    def inner(q: Quadratic, V: Array) -> Array:
        for k, (V, miss) in enumerate(points(q, V, term, BURST_INSIDE, on=False)):
            if miss <= SETTLED or k >= INNER_LIMIT:
                break
        return V

    def value(V: Array) -> float:
        return term.value(np.asarray(np.linalg.svd(V, compute_uv=False)))

    yield from prox_newton(problem, value, inner, start)


def points(
    q: Quadratic, V: Array, term: BoxNormTerm, burst: int = BURST, on: bool = True
) -> Iterator[tuple[Array, float]]:
    """(V, miss) of every step: miss is ADMM's residual, or the gap on the path of M, which says about as much.

    Of a shared design in its eigenvectors, where a step multiplies by no matrix of the features. on : whether there are
    more after the last step of the path, for which rounding left no better one.
    """
    if term.k >= min(q.r.shape):
        yield from _ridge(q, V, 2.0 * term.weight / (1.0 + term.eta))
    inside, basis = (q, None) if q.rotated is None else q.rotated
    path = inside if q.p > q.T else q
    within = affordable(path)

    def prox(V: Array, step: float) -> Array:
        if not within:
            return prox_singular(V, lambda sigma: term.prox(sigma, step))
        U, sigma, Vt = np.linalg.svd(
            V, full_matrices=False
        )  # small: one decomposition that never needs another
        return np.asarray((U * term.prox(sigma, step)) @ Vt)

    def outside(Z: Array) -> Array:
        return Z if basis is None else Z @ basis.T

    rho = term.first_rho(q, V)
    while True:
        for k, (Z, rho, residual) in enumerate(admm(inside, prox, V if basis is None else V @ basis, rho), 1):
            V, look = outside(Z), k % LOOK_EVERY == 0
            yield V, residual if look else np.inf
            over = k - burst
            if (
                within
                and look
                and over >= 0
                and (over >= MORE or residual > NEARLY * 0.1 ** (over / LOOK_EVERY))
            ):
                break
        for Z, gap in box_interior(path, term):
            V = Z if path is q else outside(Z)
            yield V, gap
        if not on:
            return
        within = False


def _ridge(q: Quadratic, V: Array, weight: float) -> Iterator[tuple[Array, float]]:
    """The ridge problem that is left where M = I: a solve, and steps of refinement."""
    size = float(np.linalg.norm(q.r))
    miss = q.r - q.times(V) - weight * V
    while True:
        V = V + q.solve_shifted(miss, weight)
        miss = q.r - q.times(V) - weight * V
        yield V, float(np.linalg.norm(miss)) / size if size > 0 else 0.0
