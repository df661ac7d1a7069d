"""Quadratic penalties: a linear solve with refinement for the squared loss, Newton's method for the logistic one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate

Array = NDArray[np.float64]
Start = tuple[Array, Array]


def quadratic_penalty(
    problem: Problem,
    start: Start | None,
    times: Callable[[Array], Array],
    factor: Callable[[Quadratic], Callable[[Array], Array]],
) -> Iterator[Iterate]:
    """Iterates for L(W, b) + <V, P V>/2, V (T, p).

    times : V -> P V;  factor : q -> a function R -> approximately (H + P)⁻¹ R. Every iterate after the first is a
    step of iterative refinement, which mends what an ill-conditioned or inexact solve lost.
    """
    if problem.loss == "squared":
        q = problem.quadratic
        solve = factor(q)
        V = np.zeros((problem.T, problem.p)) if start is None else start[0].T
        while True:
            V = V + solve(q.r - q.times(V) - times(V))
            yield V.T, None

    def inner(q: Quadratic, V: Array) -> Array:
        solve = factor(q)
        for _ in range(2):
            V = V + solve(q.r - q.times(V) - times(V))
        return V

    yield from prox_newton(problem, lambda V: float(np.vdot(V, times(V))) / 2, inner, start)


def in_row_space(
    problem: Problem, start: Start | None, iterates: Callable[[Problem, Start | None], Iterator[Iterate]]
) -> Iterator[Iterate]:
    """Iterates of a rotation-invariant method, found in the span of the rows where that is smaller than p.

    The answer lies in that span: leaving it changes no prediction and lengthens W.
    """
    if not problem.fewer_rows_than_features:
        yield from iterates(problem, start)
        return
    basis, reduced = problem.row_space
    inside = None if start is None else (basis.T @ start[0], start[1])
    for iterate in iterates(reduced, inside):
        yield None if iterate is None else (basis @ iterate[0], iterate[1])
