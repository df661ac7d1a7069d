"""A leap towards a stationary point of a quadratic or logistic loss plus a partial trace norm, which is not convex."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.lowrank import partial_trace
from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.smooth import in_row_space
from mtlref.optim.spectral import PartialTraceTerm, by_admm, spectral_fit, with_ridge

Array = NDArray[np.float64]
Start = tuple[Array, Array]
# A leap ends where its steps have become so small, or after so many of ADMM's, or of Newton's on the logistic loss.
STILL = 1e-12
LEAP, NEWTONS = 500, 15
# Times the length of W, beyond which a leap is on its way to infinity: classes that the free directions separate.
FARTHEST = 20.0
# Of the largest curvature of a task: none.
NONE = 1e-13


def spectral_leap(problem: Problem, start: Start, term: PartialTraceTerm, ridge: float) -> tuple[Start, int]:
    """A point near a stationary one of L(W, b) + term + ridge/2 ‖W‖², and the iterations it took; it may miss."""
    found, b = start
    reach = float(np.linalg.norm(found))
    if term.free == min(found.shape) and problem.loss == "squared":
        return (_unpenalised(problem, ridge), b), 1
    steps, most = 0, LEAP if problem.loss == "squared" else NEWTONS
    for iterate in in_row_space(problem, start, lambda part, begin: _leaps(part, begin, term, ridge)):
        steps += 1
        if iterate is not None:
            last, found = found, iterate[0]
            length = float(np.linalg.norm(found))
            if float(np.linalg.norm(found - last)) <= STILL * length or length > FARTHEST * reach:
                break
        if steps >= most:
            break
    return (found, b), steps


def _leaps(problem: Problem, start: Start | None, term: PartialTraceTerm, ridge: float) -> Iterator[Iterate]:
    """By Newton's method in factors of W, or by ADMM where that is not defined."""
    assert start is not None
    if problem.loss == "squared":
        q = problem.quadratic.with_ridge(ridge)
        V = partial_trace(q, start[0].T, term.free, term.lam)
        if V is None:
            yield from spectral_fit(problem, start, term, ridge)
        else:
            yield V.T, None
        return

    def inner(q: Quadratic, V: Array) -> Array:
        q = q.with_ridge(ridge)
        found = partial_trace(q, V, term.free, term.lam)
        return by_admm(q, V, term) if found is None else found

    yield from prox_newton(problem, lambda V: with_ridge(V, term, ridge), inner, start)


def _unpenalised(problem: Problem, ridge: float) -> Array:
    """(p, T): least squares, the shortest where there are several: what is left where every singular value is free."""
    q = problem.quadratic
    e, U = q.spectrum
    curved = e + ridge > NONE * e.max(axis=1, keepdims=True)
    weight = np.divide(1.0, e + ridge, out=np.zeros_like(e), where=curved)
    inner = np.matmul(q.r[:, None, :], U)[:, 0] * weight
    return np.asarray(np.matmul(U, inner[:, :, None])[:, :, 0].T)
