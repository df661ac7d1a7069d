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
        kernel = GPy.kern.RBF(p, ARD=True)
        self.process = GPy.models.GPCoregionalizedRegression(X, y, kernel=kernel, W_rank=B.rank)
        self.process.update_model(False)
        product = self.process.kern
        product.rbf.lengthscale[:] = model.terms[0][1].length
        product.rbf.variance[:] = 1.0
        product.rbf.variance.fix(warning=False)
        product.B.W[:] = B.A
        product.B.kappa[:] = B.kappa
        for t, part in enumerate(self.process.likelihood.likelihoods_list):
            part.variance[:] = model.noise.kappa[t]
        self.process.update_model(True)
        self.point = np.array(self.process.optimizer_array)
        self.turn = 0

    def value_and_gradient(self) -> float:
        """−log p(y); setting the parameters computes the gradients. They move by 1e-12, so that nothing is cached."""
        self.turn += 1
        self.process.optimizer_array = self.point * (1.0 + 1e-12 * (self.turn % 2))
        return -float(self.process.log_likelihood())
