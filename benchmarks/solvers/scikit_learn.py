"""scikit-learn's MultiTaskLasso: block coordinate descent in Cython; a path by warm starts."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.solvers.one_design import OneDesign
from benchmarks.solvers.solver import ByGap

Array = NDArray[np.float64]


class ScikitLearn(OneDesign, ByGap):
    """lam is its alpha; its tolerance is relative to the size of Y."""

    name = "scikit-learn"
    package = "scikit-learn"
    module = "sklearn"

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
