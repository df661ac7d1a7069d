"""celer's MultiTaskLasso: coordinate descent on working sets with dual extrapolation, in Cython."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.solvers.one_design import OneDesign
from benchmarks.solvers.solver import ByGap

Array = NDArray[np.float64]


class Celer(OneDesign, ByGap):
    """lam is its alpha; a path by warm starts."""

    name = "celer"
    package = "celer"
    module = "celer"

    def run(self, tol: float) -> list[Array]:
        """W for each lam."""
        # Its estimators do not run with scikit-learn >= 1.6; the function beneath them does.
        from celer.homotopy import mtl_path

        with warnings.catch_warnings():
            # What it says of its own convergence is not asked; the gap decides.
            warnings.simplefilter("ignore")
            _, coefs, _ = mtl_path(
                self.X, self.Y, alphas=np.array(self.case.lams), tol=tol, max_iter=1000, max_epochs=100_000
            )
        return [coefs[..., k].T.copy() for k in range(len(self.case.lams))]
