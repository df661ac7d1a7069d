"""celer's MultiTaskLasso: coordinate descent on working sets with dual extrapolation, in Cython."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case
from benchmarks.solvers.solver import ByTolerance

Array = NDArray[np.float64]


class Celer(ByTolerance):
    """lam is its alpha; a path by warm starts."""

    name = "celer"
    package = "celer"
    module = "celer"
    looser = (1e-2, 1e-4, 1e-6)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X, self.Y = np.asfortranarray(case.table.X[0]), np.asfortranarray(case.table.y[0])

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """One design, no intercept."""
        return None if case.table.shared and case.loss == "squared" else "it takes one design for all tasks"

    def start(self, target: float) -> float:
        """Its tolerance is a gap relative to the square of Y: half of ours."""
        return 0.5 * target

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
