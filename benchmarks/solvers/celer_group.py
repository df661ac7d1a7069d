"""celer's GroupLasso on the block diagonal."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.solvers.block_diagonal import BlockDiagonal
from benchmarks.solvers.solver import ByGap

Array = NDArray[np.float64]


class CelerGroup(BlockDiagonal, ByGap):
    """Its loss is divided by all rows."""

    name = "celer group"
    package = "celer"
    module = "celer"

    def run(self, tol: float) -> list[Array]:
        """W for each lam."""
        # Its estimators do not run with scikit-learn >= 1.6; the function beneath them does.
        from celer.homotopy import celer_path

        with warnings.catch_warnings():
            # What it says of its own convergence is not asked; the gap decides.
            warnings.simplefilter("ignore")
            _, coefs, _ = celer_path(
                self.X,
                self.y,
                "grouplasso",
                alphas=self.alphas,
                groups=self.groups,
                tol=tol,
                max_iter=1000,
                max_epochs=100_000,
            )[:3]
        return [self.coefficients(coefs[:, k]) for k in range(len(self.case.lams))]
