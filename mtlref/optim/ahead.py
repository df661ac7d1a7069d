"""Where a path of answers points: the start for the next weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Start = tuple[Array, Array]
# A step in lam of more than so many times the last one is a leap, for which the last answers say too little.
FARTHEST = 2.0
# So many answers are of use: a parabola goes through three.
ANSWERS = 3


def ahead(lams: Sequence[float], answers: Sequence[Start]) -> Start:
    """The parabola in lam through the last three answers, or the line through two, at the last of ``lams``.

    answers : at the ``lams`` before that. While the same rows are not zero, W is near a straight line in lam (it is one
    where the penalty's gradient is constant), but not in log lam. A row that is zero in the last answer stays so; one
    that was zero before has entered with a bend, and goes on straight. The last answer itself where lam does not go on
    in the same direction, or too far.
    """
    last = answers[-1]
    steps = np.diff(lams[-ANSWERS - 1 :])
    forward = [0.0 < after / before <= FARTHEST if before else False for before, after in zip(steps, steps[1:])]
    if len(answers) < 2 or not forward[-1]:
        return last
    share = steps[-1] / steps[-2]
    bend = share * (steps[-1] + steps[-2]) / (steps[-2] + steps[-3]) if len(forward) > 1 and forward[-2] else 0.0
    before, oldest = answers[-2], answers[-3] if bend else answers[-2]

    def at(oldest: Array, before: Array, now: Array) -> Array:
        line = now - before
        if not bend:
            return now + share * line
        # Newton's divided differences, times the steps that they are over.
        second = np.where((before != 0) & (oldest != 0), line - steps[-2] / steps[-3] * (before - oldest), 0.0)
        return now + share * line + bend * second

    on = np.flatnonzero((last[0] != 0).any(axis=1))
    W = np.zeros(last[0].T.shape)
    W[:, on] = at(*(v[0].T[:, on] for v in (oldest, before, last)))
    return W.T, at(oldest[1], before[1], last[1])
