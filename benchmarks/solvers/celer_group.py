"""celer's GroupLasso on the block diagonal."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case
from benchmarks.solvers.block_diagonal import multiple, refusal, stacked, unstacked
from benchmarks.solvers.solver import ByTolerance

Array = NDArray[np.float64]


class CelerGroup(ByTolerance):
    """Its loss is divided by all rows."""

    name = "celer group"
    package = "celer"
    module = "celer"
    looser = (1e-2, 1e-4, 1e-6)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X, self.y, self.groups = stacked(case.table)

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """Squared loss on the block diagonal."""
        if case.loss != "squared":
            return "it has no group lasso with the logistic loss"
        return refusal(case.table, case.scaling, case.fit_intercept)

    def start(self, target: float) -> float:
        """Its tolerance is a gap relative to the square of Y: half of ours."""
        return 0.5 * target

    def run(self, tol: float) -> list[Array]:
        """W for each lam."""
        # Its estimators do not run with scikit-learn >= 1.6; the function beneath them does.
        from celer.homotopy import celer_path

        table = self.case.table
        with warnings.catch_warnings():
            # What it says of its own convergence is not asked; the gap decides.
            warnings.simplefilter("ignore")
            _, coefs, _ = celer_path(
                self.X,
                self.y,
                "grouplasso",
                alphas=np.array(self.case.lams) * multiple(table),
                groups=self.groups,
                tol=tol,
                max_iter=1000,
                max_epochs=100_000,
            )[:3]
        return [unstacked(coefs[:, k], table) for k in range(len(self.case.lams))]
