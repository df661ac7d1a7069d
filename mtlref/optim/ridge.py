"""Ridge regression task by task: from Gram statistics while they hold enough digits, else from the rows.

Gram statistics square the condition number of the rows: the answer loses eps κ² of its size, κ² the condition number of
H_t + lam I. Beyond ``GRAM_CONDITION``, and always for lam = 0, each task is solved by Householder QR of its rows with
residuals in twice the working precision (mtlref.linalg.least_squares), which loses next to nothing while κ < 1e15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.linalg import LeastSquares, RankDeficient
from mtlref.moments import Moments
from mtlref.optim.problem import Problem
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.smooth import in_row_space, quadratic_penalty

Array = NDArray[np.float64]
Start = tuple[Array, Array]

GRAM_CONDITION = 1e8
# Moments whose matrix of correlations is worse than this do not determine what lam = 0 asks for.
MOMENT_CONDITION = 1e12
# A shift above this share of the curvature is solved by inverses as well as by eigenvalues, in less time.
WELL = 1e-8


def ridge(problem: Problem, start: Start | None, *, lam: float, whose: str = "") -> Iterator[Iterate]:
    """Iterates of L(W, b) + lam/2 ‖W‖_F²; lam = 0 with the squared loss alone.

    whose : what an error calls the rows, else the task. Raises DataError where lam = 0 and the columns do not determine
    the coefficients.
    """
    if problem.loss == "squared" and (lam == 0 or ill_conditioned(problem, lam)):
        found = (
            _from_moments(problem, whose)
            if isinstance(problem.data, Moments)
            else _from_rows(problem, lam, whose)
        )
        if found is not None:
            yield found
            return

    def factor(q: Quadratic) -> Callable[[Array], Array]:
        # Newton's models are solved with one shift each, the squared loss with those of a path.
        if problem.loss == "logistic" and lam > WELL * q.curvatures[2]:
            return q.shifted(lam)
        return lambda R: q.solve_shifted(R, lam)

    def inside(part: Problem, begin: Start | None) -> Iterator[Iterate]:
        return quadratic_penalty(part, begin, times=lambda V: lam * V, factor=factor)

    yield from in_row_space(problem, start, inside)


def ill_conditioned(problem: Problem, lam: float) -> bool:
    """Whether Gram statistics with lam would lose more digits than the rows, where those are known.

    Where a task has far fewer rows than features its factors are not squared, and stay.
    """
    if isinstance(problem.data, Moments) or problem.wide or problem.fewer_rows_than_features:
        return False
    e, _ = problem.quadratic.spectrum
    return bool((e.max(axis=1) + lam > GRAM_CONDITION * (e.min(axis=1) + lam)).any())


def _from_rows(problem: Problem, lam: float, whose: str) -> Iterate:
    """The minimiser, or None where refinement did not settle."""
    d, T = problem.data, problem.T
    assert not isinstance(d, Moments)
    W, b = np.empty((d.p, T)), np.zeros(T)
    alike = d.shared and bool((problem.c == problem.c[0]).all())
    factors: LeastSquares | None = None
    for t in range(T):
        if factors is None or not alike:
            s = None if d.weights is None else d.weights[t]
            try:
                factors = LeastSquares(d.X[t], s, lam / float(problem.c[t]), problem.fit_intercept)
            except RankDeficient as lost:
                if lam > 0:
                    return None
                raise _undetermined(whose or f"task {d.names[t]!r}", lost.condition) from None
        answer = factors.solve(d.y[t])
        if not answer.settled and lam > 0:
            return None
        W[:, t], b[t] = answer.w, answer.b
    return W, b


def _from_moments(problem: Problem, whose: str) -> Iterate:
    """The minimiser for lam = 0, in coordinates with a unit diagonal."""
    q = problem.quadratic
    assert q.H is not None
    V = np.empty((q.T, q.p))
    for k, H in enumerate(q.H):
        name = whose or f"task {problem.data.names[k]!r}"
        size = np.sqrt(np.diag(H))
        if not (size > 0).all():
            raise _undetermined(name, np.inf)
        e, U = np.linalg.eigh(H / (size[:, None] * size))
        condition = float(e[-1] / e[0]) if e[0] > 0 else np.inf
        if condition > MOMENT_CONDITION:
            raise _undetermined(name, float(np.sqrt(condition)))
        own = slice(None) if q.shared else slice(k, k + 1)
        V[own] = 0.0
        for _ in range(3):  # two steps of refinement mend what the eigenvectors lost
            left = q.r[own] - V[own] @ H
            V[own] += ((left / size) @ U / e) @ U.T / size
    return V.T, None


def _undetermined(whose: str, condition: float) -> DataError:
    said = f"{condition:.1e}" if np.isfinite(condition) else "infinite"
    return DataError(
        f"lam = 0 needs columns that determine the coefficients: those of {whose} are linearly dependent in double "
        f"precision (condition number {said}, scaled and, with an intercept, centred). Use lam > 0, or fewer features."
    )
