"""Newton's method for a logistic loss plus a penalty: each step solves the penalised quadratic model.

Lee, Sun & Saunders 2014, Proximal Newton-type methods, algorithm 1, with exact inner solutions and a line search on
the objective.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.problem import Problem
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate

Array = NDArray[np.float64]
IDLE = 8


def prox_newton(
    problem: Problem,
    penalty: Callable[[Array], float],
    inner: Callable[[Quadratic, Array], Array],
    start: tuple[Array, Array] | None,
) -> Iterator[Iterate]:
    """Iterates (W, b) for min L(W, b) + penalty(W).

    penalty : of V (T, p); inner : (q, V0) -> argmin q(V) + penalty(V), started at V0. Ends after IDLE steps that do not
    lower the objective: rounding is all that is left, or all that the inner solver can see.
    """
    V = np.zeros((problem.T, problem.p)) if start is None else start[0].T.copy()
    b = problem.null_intercept if start is None else start[1]
    z = problem.predictions(V, b)
    value = problem.logistic_value(z) + penalty(V)
    idle = 0
    while idle < IDLE:
        model, offset, slopes = problem.newton_model(V, z)
        target = inner(model, V)
        dV = target - V
        db = offset - np.einsum("tj,tj->t", slopes, dV)
        dz = problem.predictions(dV, db)
        step = 1.0
        for _ in range(40):
            z_new = [a + step * c for a, c in zip(z, dz, strict=True)]
            new = problem.logistic_value(z_new) + penalty(V + step * dV)
            # Rounding alone may raise the value by its last digits once Newton has converged.
            if new <= value + 1e-15 * abs(value):
                break
            step /= 2
        else:
            step = 0.0
            new, z_new = value, z
        idle = 0 if new < value - 1e-14 * abs(value) else idle + 1
        V, b = V + step * dV, b + step * db
        # Predictions are formed anew, so that they do not drift from V and b.
        z = problem.predictions(V, b)
        value = new if step == 0.0 else problem.logistic_value(z) + penalty(V)
        yield V.T, b
