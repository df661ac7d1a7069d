"""GPy's coregionalised regression: one dense Cholesky factorisation of all cells."""

from __future__ import annotations

import numpy as np

from mtlref.gp import Cells, Model


class GPyCells:
    """GPCoregionalizedRegression at the parameters of a model of this library."""

    def __init__(self, model: Model, cells: Cells) -> None:
        import GPy

        T, B = model.T, model.terms[0][0]
        X = [cells.X[cells.place[cells.task == t]] for t in range(T)]
        y = [cells.y[cells.task == t][:, None] for t in range(T)]
        p = cells.X.shape[1]
        kernel = GPy.util.multioutput.ICM(
            input_dim=p, num_outputs=T, kernel=GPy.kern.RBF(p, ARD=True), W_rank=B.rank
        )
        self.process = GPy.models.GPCoregionalizedRegression(X, y, kernel=kernel)
        self.process.kern.rbf.variance.fix(warning=False)
        # All at once, in the order that GPy keeps: every single setting would factorise anew.
        self.process[:] = np.concatenate(
            [[1.0], model.terms[0][1].length, B.A.ravel(), B.kappa, model.noise.kappa]
        )
        self.point = np.array(self.process.optimizer_array)
        self.turn = 0

    def value_and_gradient(self) -> float:
        """−log p(y); setting the parameters computes the gradients. They move by 1e-12, so that nothing is cached."""
        self.turn += 1
        self.process.optimizer_array = self.point * (1.0 + 1e-12 * (self.turn % 2))
        return -float(self.process.log_likelihood())
