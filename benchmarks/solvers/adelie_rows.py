"""adelie's multi-response group lasso: coordinate descent by groups with strong rules, in C++."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import allowed
from benchmarks.solvers.one_design import OneDesign
from benchmarks.solvers.solver import BySquaredChange

Array = NDArray[np.float64]


class Adelie(OneDesign, BySquaredChange):
    """Its loss is divided by n T, its groups are the rows of W."""

    name = "adelie"
    package = "adelie"
    module = "adelie"

    def run(self, tol: float) -> list[Array]:
        """W for each lam."""
        import adelie

        p, T = self.case.table.p, self.case.table.T
        state = adelie.grpnet(
            X=self.X,
            glm=adelie.glm.multigaussian(y=self.Y),
            lmda_path=np.array(self.case.lams) / T,
            penalty=np.ones(p),
            intercept=False,
            tol=tol,
            early_exit=False,
            n_threads=allowed(),
            progress_bar=False,
            max_iters=int(1e7),
        )
        return [np.asarray(b.todense()).reshape(p, T) for b in state.betas]
