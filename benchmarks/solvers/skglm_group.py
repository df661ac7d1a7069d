"""skglm's GroupLasso on the block diagonal."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case
from benchmarks.solvers.block_diagonal import multiple, refusal, stacked, unstacked
from benchmarks.solvers.solver import ByTolerance

Array = NDArray[np.float64]


class SkglmGroup(ByTolerance):
    """Its loss is divided by all rows."""

    name = "skglm group"
    package = "skglm"
    module = "skglm"
    looser = (1e-1, 1e-2)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X, self.y, self.groups = stacked(case.table)

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """Squared loss on the block diagonal."""
        if case.loss != "squared":
            return "it has no group lasso with the logistic loss on sparse designs"
        return refusal(case.table, case.scaling, case.fit_intercept)

    def run(self, tol: float) -> list[Array]:
        """W for each lam."""
        from skglm.estimators import GroupLasso

        answers = []
        solver = GroupLasso(
            groups=self.groups,
            fit_intercept=False,
            warm_start=True,
            tol=tol,
            max_iter=1000,
            max_epochs=100_000,
        )
        with warnings.catch_warnings():
            # What it says of its own convergence is not asked; the gap decides.
            warnings.simplefilter("ignore")
            for lam in self.case.lams:
                solver.alpha = lam * multiple(self.case.table)
                solver.fit(self.X, self.y)
                answers.append(unstacked(solver.coef_, self.case.table))
        return answers
