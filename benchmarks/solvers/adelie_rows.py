"""adelie's multi-response group lasso: coordinate descent by groups with strong rules, in C++."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case
from benchmarks.machine import allowed
from benchmarks.solvers.solver import ByTolerance

Array = NDArray[np.float64]


class Adelie(ByTolerance):
    """Its loss is divided by n T, its groups are the rows of W."""

    name = "adelie"
    package = "adelie"
    module = "adelie"
    looser = (1e-4, 1e-8)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X, self.Y = np.asfortranarray(case.table.X[0]), np.asfortranarray(case.table.y[0])

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """One design, no intercept."""
        return None if case.table.shared and case.loss == "squared" else "it takes one design for all tasks"

    def start(self, target: float) -> float:
        """Its tolerance bounds a squared change, so that gaps go with its root."""
        return 100.0 * target**2

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
