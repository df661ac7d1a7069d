"""skglm's GroupLasso on the block diagonal."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.solvers.block_diagonal import BlockDiagonal

Array = NDArray[np.float64]


class SkglmGroup(BlockDiagonal):
    """Its loss is divided by all rows."""

    name = "skglm group"
    package = "skglm"
    module = "skglm"
    looser = (1e-1, 1e-2)

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
            for alpha in self.alphas:
                solver.alpha = alpha
                solver.fit(self.X, self.y)
                answers.append(self.coefficients(solver.coef_))
        return answers
