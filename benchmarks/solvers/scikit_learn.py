"""scikit-learn's MultiTaskLasso: block coordinate descent in Cython; a path by warm starts."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case
from benchmarks.solvers.solver import ByTolerance

Array = NDArray[np.float64]


class ScikitLearn(ByTolerance):
    """lam is its alpha; its tolerance is relative to the size of Y."""

    name = "scikit-learn"
    package = "scikit-learn"
    module = "sklearn"
    looser = (1e-2, 1e-4, 1e-6)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X, self.Y = np.asfortranarray(case.table.X[0]), np.asfortranarray(case.table.y[0])

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """One design, scaling by rows, no intercept."""
        return None if case.table.shared and case.loss == "squared" else "it takes one design for all tasks"

    def start(self, target: float) -> float:
        """Its tolerance is a gap relative to the square of Y: half of ours."""
        return 0.5 * target

    def run(self, tol: float) -> list[Array]:
        """W for each lam."""
        from sklearn.linear_model import MultiTaskLasso

        solver = MultiTaskLasso(fit_intercept=False, warm_start=True, tol=tol, max_iter=1_000_000)
        answers = []
        with warnings.catch_warnings():
            # What it says of its own convergence is not asked; the gap decides.
            warnings.simplefilter("ignore")
            for lam in self.case.lams:
                solver.set_params(alpha=lam).fit(self.X, self.Y)
                answers.append(solver.coef_.T.copy())
        return answers
