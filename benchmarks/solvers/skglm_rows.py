"""skglm's MultiTaskLasso: block coordinate descent on working sets with Anderson extrapolation, in Numba."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case
from benchmarks.solvers.solver import ByTolerance

Array = NDArray[np.float64]


class Skglm(ByTolerance):
    """lam is its alpha; it stops by the violation of the optimality conditions; a path by warm starts."""

    name = "skglm"
    package = "skglm"
    module = "skglm"
    looser = (1e-1, 1e-2)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X, self.Y = np.asfortranarray(case.table.X[0]), np.ascontiguousarray(case.table.y[0])

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """One design, no intercept."""
        return None if case.table.shared and case.loss == "squared" else "it takes one design for all tasks"

    def run(self, tol: float) -> list[Array]:
        """W for each lam."""
        from skglm.estimators import MultiTaskLasso

        solver = MultiTaskLasso(
            alpha=self.case.lams[0],
            fit_intercept=False,
            warm_start=True,
            tol=tol,
            max_iter=1000,
            max_epochs=100_000,
        )
        answers = []
        with warnings.catch_warnings():
            # What it says of its own convergence is not asked; the gap decides.
            warnings.simplefilter("ignore")
            for lam in self.case.lams:
                solver.alpha = lam
                solver.fit(self.X, self.Y)
                answers.append(solver.coef_.T.copy())
        return answers
