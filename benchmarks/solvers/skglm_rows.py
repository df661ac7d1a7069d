"""skglm's MultiTaskLasso: block coordinate descent on working sets with Anderson extrapolation, in Numba."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.solvers.one_design import OneDesign

Array = NDArray[np.float64]


class Skglm(OneDesign):
    """lam is its alpha; it stops by the violation of the optimality conditions; a path by warm starts."""

    name = "skglm"
    package = "skglm"
    module = "skglm"
    looser = (1e-1, 1e-2)
    columns = False

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
