"""adelie's group lasso on the block diagonal, squared and logistic loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case
from benchmarks.machine import allowed
from benchmarks.solvers.block_diagonal import BlockDiagonal
from benchmarks.solvers.solver import BySquaredChange

Array = NDArray[np.float64]


class AdelieGroup(BlockDiagonal, BySquaredChange):
    """Its loss is divided by all rows."""

    name = "adelie group"
    package = "adelie"
    module = "adelie"
    losses = ("squared", "logistic")

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X.sort_indices()

    def matrix(self) -> Any:
        """The block diagonal as adelie takes it."""
        import adelie

        return adelie.matrix.sparse(self.X, method="naive", n_threads=allowed())

    def run(self, tol: float) -> list[Array]:
        """W for each lam."""
        import adelie

        table = self.case.table
        p, T, threads = table.p, table.T, allowed()
        made = adelie.glm.gaussian if self.case.loss == "squared" else adelie.glm.binomial
        y = self.y if self.case.loss == "squared" else (self.y > 0).astype(float)
        further = {} if self.case.loss == "squared" else {"irls_tol": tol}
        state = adelie.grpnet(
            X=self.matrix(),
            glm=made(y=y),
            groups=np.arange(p) * T,
            lmda_path=self.alphas,
            penalty=np.ones(p),
            intercept=False,
            tol=tol,
            early_exit=False,
            n_threads=threads,
            progress_bar=False,
            max_iters=int(1e7),
            **further,
        )
        return [self.coefficients(np.asarray(b.todense()).ravel()) for b in state.betas]


class AdelieGroupDense(AdelieGroup):
    """The same with its zeros stored, as a user has it who writes the block diagonal down as an array."""

    name = "adelie group dense"

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X = np.asfortranarray(self.X.toarray())

    def matrix(self) -> Any:
        """The block diagonal as adelie takes it."""
        return self.X
