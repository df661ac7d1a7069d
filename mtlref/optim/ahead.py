"""Where a path of answers points: the start for the next weight."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mtlref.linalg.fewrows import FewRows, rows_in_use
from mtlref.optim.run import Coefficients

Array = NDArray[np.float64]
Start = tuple[Coefficients, Array]
# A step in log lam of more than so many times the last one is a leap, for which the last answers say too little.
FARTHEST = 2.0
# So many answers are of use: a parabola goes through three.
ANSWERS = 3


def ahead(lams: Sequence[float], answers: Sequence[Start]) -> Start:
    """The parabola in log lam through the last three ``answers``, or the line through two, at the last of ``lams``.

    answers : at the ``lams`` before that one. What is zero in the last answer stays so, and what was zero before that
    goes on straight: it has come in with a bend. The last answer itself where the last lam is not further on in the
    same direction, or too far on.
    """
    last = answers[-1]
    steps = np.diff(np.log(lams[-ANSWERS - 1 :]))
    onward = [bool(old and 0.0 < new / old <= FARTHEST) for old, new in pairwise(steps)]
    if not onward or not onward[-1]:
        return last
    share, bend = steps[-1] / steps[-2], 0.0
    if all(onward[-2:]) and len(onward) > 1:
        bend = share * (steps[-1] + steps[-2]) / (steps[-2] + steps[-3])
    before, oldest = answers[-2], answers[-3] if bend else answers[-2]

    def at(oldest: Array, before: Array, now: Array) -> Array:
        line = now - before
        onto = now + share * line
        if bend:
            # Newton's divided differences, times the steps that they are over.
            second = line - steps[-2] / steps[-3] * (before - oldest)
            onto += bend * np.where((before != 0) & (oldest != 0), second, 0.0)
        return np.where(now != 0, onto, 0.0)

    on = rows_in_use(last[0])
    W = FewRows(len(last[0]), on, at(*(v[0][on] for v in (oldest, before, last))))
    return W if isinstance(last[0], FewRows) else np.asarray(W), at(oldest[1], before[1], last[1])
