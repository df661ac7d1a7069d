"""Newton's method for a logistic loss plus a penalty: each step solves the penalised quadratic model.

Lee, Sun & Saunders 2014, Proximal Newton-type methods, algorithm 1, with a line search on the objective. Where the
model is of no use, as where predictions are so far out that they bend no more, its curvature is raised towards that of
the parabolas that lie nowhere below the loss, whose minimiser descends whatever the point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.run import Iterate

Array = NDArray[np.float64]
IDLE = 8
# The decrease that a step must reach, as a share of what the slope and the penalty promise for it.
PROMISED = 1e-4
# Halvings of Newton's own step, and of one that descends in theory, where rounding and the inner solver are in the way.
HALVINGS, LAST_HALVINGS = 3, 40
# A step so much shortened raises the curvature; one that is not lowers it again, by the factor.
SHORT, LEAST, FACTOR = 0.25, 1e-2, 10.0
# Of the raised curvature so much is always there: without any a model has no minimiser. It costs no convergence seen.
FLOOR = 1e-8


class Smooth(Protocol):
    """What is asked of the loss; ``Problem`` says what each means. A model is whatever ``inner`` takes."""

    @property
    def T(self) -> int:
        """Number of tasks."""

    @property
    def p(self) -> int:
        """Number of features."""

    @property
    def null_intercept(self) -> Array:
        """(T,): the best intercepts at V = 0."""

    def predictions(self, V: Array, b: Array) -> list[Array]:
        """The z_t."""

    def logistic_value(self, z: list[Array]) -> float:
        """The loss."""

    def logistic_slope(self, z: list[Array], dz: list[Array]) -> float:
        """Its derivative along dz."""

    def newton_model(self, V: Array, z: list[Array], share: float) -> tuple[Any, Array, Array]:
        """(model, offset, slopes)."""


def prox_newton(
    problem: Smooth,
    penalty: Callable[[Array], float],
    inner: Callable[[Any, Array], Array],
    start: tuple[Array, Array] | None,
) -> Iterator[Iterate]:
    """Iterates (W, b) for min L(W, b) + penalty(W).

    penalty : of V (T, p); inner : (q, V0) -> argmin q(V) + penalty(V), started at V0. Ends after IDLE steps that do not
    lower the objective: rounding is all that is left, or all that the inner solver can see.
    """
    V = np.zeros((problem.T, problem.p)) if start is None else start[0].T.copy()
    b = problem.null_intercept if start is None else start[1]
    z = problem.predictions(V, b)
    own = penalty(V)
    value = problem.logistic_value(z) + own
    idle, share = 0, FLOOR
    while idle < IDLE:
        model, offset, slopes = problem.newton_model(V, z, share)
        dV = inner(model, V) - V
        db = offset - np.einsum("tj,tj->t", slopes, dV)
        dz = problem.predictions(dV, db)
        # What the objective would fall by were the loss straight; nothing to ask for where rounding hides it.
        promised = problem.logistic_slope(z, dz) + penalty(V + dV) - own
        step = 1.0
        for _ in range(HALVINGS if share < 1 else LAST_HALVINGS):
            z_new = [a + step * c for a, c in zip(z, dz, strict=True)]
            new = problem.logistic_value(z_new) + penalty(V + step * dV)
            # Rounding alone may raise the value by its last digits once Newton has converged.
            if new <= value + PROMISED * step * min(promised, 0.0) + 1e-15 * abs(value):
                break
            step /= 2
        else:
            if share < 1:
                share = 1.0
                yield None
                continue
            step = 0.0
        idle = 0 if step and new < value - 1e-14 * abs(value) else idle + 1
        if step <= SHORT:
            share = min(max(FACTOR * share, LEAST), 1.0)
        elif step == 1.0:
            share = share / FACTOR if share > LEAST else min(FLOOR, share / FACTOR**2)
        if step:
            V, b = V + step * dV, b + step * db
            # Predictions are formed anew, so that they do not drift from V and b.
            z, own = problem.predictions(V, b), penalty(V)
            value = problem.logistic_value(z) + own
        yield V.T, b
