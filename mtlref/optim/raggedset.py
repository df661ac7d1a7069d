"""Row norms plus the squared loss of tasks that have each a design: working sets cut from Gram matrices formed once.

The rows are passed over once, for Gram matrices or, where tasks have few rows, for factors; a working set takes its
part of those. It is solved no more precisely than what is outside of it warrants.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.problem import Problem
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.sparse import CLOSE, Rows, sparse_quadratic

Array = NDArray[np.float64]
Start = tuple[Array, Array]
FIRST_SET = 60
FIRST_ACCURACY = 1e-1
FINEST = 1e-11
# Within a set the conditions are to hold to this share of what fails outside of it.
SHARE = 0.1
INNER_LIMIT = 400
STALE = 4
ROUGH = 1e-5
# A set that would hold so much of all features is all of them.
MOST = 0.7


def ragged_rows(problem: Problem, start: Start | None, lam: float, ridge: float) -> Iterator[Iterate]:
    """Iterates for the squared loss plus lam Σ_j ‖W[j,:]‖ + ridge/2 ‖W‖²."""
    q = problem.quadratic.with_ridge(ridge)
    V = np.zeros((q.T, q.p)) if start is None else np.ascontiguousarray(start[0].T)
    accuracy = FIRST_ACCURACY
    chosen = np.zeros(0, dtype=np.intp)
    part: Quadratic | None = None
    inner = np.inf
    while True:
        strength = Rows.strength(q.r - q.times(V))
        alive = np.asarray(V.any(axis=0))
        outside = np.asarray(~alive)
        outside[chosen] = False
        worst = float(np.where(outside, strength / lam - 1.0, 0.0).max(initial=0.0))
        if part is not None:
            yield (V.T, None) if max(worst, inner) <= CLOSE or accuracy <= FINEST else None
            if worst <= accuracy <= FINEST:
                return
            accuracy = max(FINEST, SHARE * max(worst, SHARE * inner))
        wanted = _wanted(strength, alive, outside, lam)
        if part is None or np.setdiff1d(wanted, chosen).size:
            chosen = wanted
            part = q.restrict(chosen)
        penalty = Rows(np.full(chosen.size, lam))
        inside = V[:, chosen]
        inner, found, stale = np.inf, inside, 0
        for k, (trial, certify) in enumerate(sparse_quadratic(part, Rows, lam, inside)):
            miss = penalty.residual(trial, part.r - part.times(trial))
            if miss < inner:
                stale = 0 if miss < 0.5 * inner else stale
                inner, found = miss, trial
            stale += certify or k % 20 == 0
            # What rounding keeps from the accuracy asked for is as good as it gets.
            if inner <= accuracy or k >= INNER_LIMIT or (stale > STALE and inner <= ROUGH):
                break
            yield None
        V = np.zeros_like(V)
        V[:, chosen] = found


def _wanted(
    strength: Array, alive: NDArray[np.bool_], outside: NDArray[np.bool_], lam: float
) -> NDArray[np.intp]:
    """What is not zero and, of what fails outside, the worst, as many again as are not zero; all where that is most."""
    failing = np.flatnonzero(outside & (strength > lam))
    size = max(FIRST_SET, int(alive.sum()))
    if failing.size > size:
        failing = failing[np.argsort(strength[failing])[-size:]]
    wanted = alive.copy()
    wanted[failing] = True
    if not wanted.any():
        wanted[np.argmax(strength)] = True
    if wanted.sum() > MOST * len(wanted):
        wanted[:] = True
    return np.flatnonzero(wanted)
