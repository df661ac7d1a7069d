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
# A leap ends where its steps have become so small, or after so many.
STILL = 1e-12
LEAP = 500
# Numbers in all H_t together up to which they are formed for a leap.
FORMED = 2e7


def spectral_leap(problem: Problem, start: Start, term: PartialTraceTerm, ridge: float) -> tuple[Start, int]:
    """A point near a stationary one of L(W, b) + term + ridge/2 ‖W‖², and the iterations it took; it may miss."""
    found, b = start
    if term.free == min(found.shape) and problem.loss == "squared":
        return (_unpenalised(problem, ridge), b), 1
    steps = 0
    for iterate in in_row_space(problem, start, lambda part, begin: _leaps(part, begin, term, ridge)):
        steps += 1
        if iterate is not None:
            last, found = found, iterate[0]
            if float(np.linalg.norm(found - last)) <= STILL * float(np.linalg.norm(found)):
                break
        if steps >= LEAP:
            break
    return (found, b), steps


def _leaps(problem: Problem, start: Start | None, term: PartialTraceTerm, ridge: float) -> Iterator[Iterate]:
    """By Newton's method in factors of W, or by ADMM where that is too large."""
    assert start is not None
    if problem.loss == "squared":
        q = problem.quadratic.with_ridge(ridge)
        V = partial_trace(_dense(q), start[0].T, term.free, term.lam) if _formable(q) else None
        if V is None:
            yield from spectral_fit(problem, start, term, ridge)
        else:
            yield V.T, None
        return

    def inner(q: Quadratic, V: Array) -> Array:
        q = q.with_ridge(ridge)
        found = partial_trace(_dense(q), V, term.free, term.lam) if _formable(q) else None
        return by_admm(q, V, term) if found is None else found

    yield from prox_newton(problem, lambda V: with_ridge(V, term, ridge), inner, start)


def _formable(q: Quadratic) -> bool:
    return q.H is not None or q.T * q.p**2 <= FORMED


def _dense(q: Quadratic) -> Quadratic:
    return q if q.H is not None else q.restrict(np.arange(q.p))


def _unpenalised(problem: Problem, ridge: float) -> Array:
    """(p, T): least squares, the shortest where there are several: what is left where every singular value is free."""
    q = _dense(problem.quadratic)
    assert q.H is not None
    H = np.broadcast_to(q.H + ridge * np.eye(q.p), (q.T, q.p, q.p))
    return np.column_stack([np.linalg.lstsq(h, r, rcond=1e-13)[0] for h, r in zip(H, q.r, strict=True)])
