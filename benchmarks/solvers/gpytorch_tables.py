"""GPyTorch's exact Gaussian processes in double precision: Kronecker for complete tables, Cholesky for other cells.

Both are built at the parameters of a model of this library: RBF with a length a feature, B = A A' + diag(kappa), a
noise variance a task, no mean. Values are −log p(y), with gradients in all of these parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.gp import RBF, Cells, Coregional, Model

Array = NDArray[Any]


def _kernel(gpytorch: Any, torch: Any, model: Model) -> Any:
    kernel = gpytorch.kernels.RBFKernel(ard_num_dims=len(model.terms[0][1].length)).double()
    kernel.lengthscale = torch.tensor(np.array(model.terms[0][1].length))
    return kernel


def _tasks(task_kernel: Any, torch: Any, model: Model) -> None:
    B = model.terms[0][0]
    task_kernel.covar_factor.data = torch.as_tensor(np.array(B.A))
    task_kernel.var = torch.as_tensor(np.array(B.kappa))


class Table:
    """A complete table by GPyTorch's MultitaskKernel."""

    def __init__(self, model: Model, cells: Cells) -> None:
        import gpytorch
        import torch

        T, rank = model.T, model.terms[0][0].rank
        self.torch, self.gpytorch = torch, gpytorch
        self.X, self.Y = torch.tensor(cells.X), torch.tensor(cells.y.reshape(T, -1).T.copy())
        self.likelihood = gpytorch.likelihoods.MultitaskGaussianLikelihood(
            num_tasks=T, rank=0, has_global_noise=False
        ).double()
        self.likelihood.task_noises = torch.as_tensor(np.array(model.noise.kappa))
        kernel = _kernel(gpytorch, torch, model)

        class Process(gpytorch.models.ExactGP):  # type: ignore[misc, name-defined]
            def __init__(self, X: Any, Y: Any, likelihood: Any) -> None:
                super().__init__(X, Y, likelihood)
                self.mean_module = gpytorch.means.MultitaskMean(gpytorch.means.ZeroMean(), num_tasks=T)
                self.covar_module = gpytorch.kernels.MultitaskKernel(kernel, num_tasks=T, rank=rank).double()

            def forward(self, x: Any) -> Any:
                return gpytorch.distributions.MultitaskMultivariateNormal(
                    self.mean_module(x), self.covar_module(x)
                )

        self.process = Process(self.X, self.Y, self.likelihood)
        _tasks(self.process.covar_module.task_covar_module, torch, model)
        self.process.train()
        self.likelihood.train()
        self.parameters = [p for p in self.process.parameters() if p.requires_grad]

    def value_and_gradient(self) -> float:
        """−log p(y); the gradients are left in the parameters."""
        for p in self.parameters:
            p.grad = None
        loss = -self.likelihood(self.process(self.X)).log_prob(self.Y)
        loss.backward()
        return float(loss.detach())

    def model(self) -> Model:
        """The parameters as a model of this library, which says their likelihood by itself."""
        tasks = self.process.covar_module.task_covar_module
        lengths = self.process.covar_module.data_covar_module.lengthscale.detach().numpy().ravel()
        B = Coregional(tasks.covar_factor.detach().numpy(), tasks.var.detach().numpy())
        noise = Coregional.diagonal(self.likelihood.task_noises.detach().numpy())
        return Model.make([(B, RBF(lengths))], noise)

    def descend(self, steps: int, enough: Callable[[float], bool], by: str = "scipy") -> int:
        """L-BFGS, SciPy's or PyTorch's, on all parameters until ``enough`` says so; the number of evaluations."""
        count = 0

        def value() -> float:
            nonlocal count
            count += 1
            found = self.value_and_gradient()
            if enough(found):
                raise StopIteration
            return found

        with suppress(StopIteration):
            (self._by_scipy if by == "scipy" else self._by_torch)(value, steps)
        return count

    def _by_scipy(self, value: Callable[[], float], steps: int) -> None:
        from scipy.optimize import minimize

        def loss(theta: Array) -> tuple[float, Array]:
            at = 0
            for p in self.parameters:
                part = theta[at : at + p.numel()]
                p.data = self.torch.as_tensor(part.reshape(p.shape).copy())
                at += p.numel()
            return value(), np.concatenate([p.grad.numpy().ravel() for p in self.parameters])

        start = np.concatenate([p.detach().numpy().ravel() for p in self.parameters])
        options = {"maxiter": steps, "ftol": 0.0, "gtol": 1e-4}
        minimize(loss, start, jac=True, method="L-BFGS-B", options=options)

    def _by_torch(self, value: Callable[[], float], steps: int) -> None:
        optimizer = self.torch.optim.LBFGS(
            self.parameters,
            max_iter=steps,
            history_size=20,
            line_search_fn="strong_wolfe",
            tolerance_grad=1e-7,
            tolerance_change=0.0,
        )
        optimizer.step(lambda: self.torch.tensor(value(), dtype=self.torch.float64))


class CellsByCholesky:
    """Any cells: k(x, x') B[t, t'] + noise as one dense matrix."""

    def __init__(self, model: Model, cells: Cells) -> None:
        import gpytorch
        import torch

        self.torch, self.gpytorch = torch, gpytorch
        self.X = torch.tensor(cells.X[cells.place])
        self.task = torch.tensor(cells.task)[:, None]
        self.y = torch.tensor(cells.y)
        self.kernel = _kernel(gpytorch, torch, model)
        self.tasks = gpytorch.kernels.IndexKernel(num_tasks=model.T, rank=model.terms[0][0].rank).double()
        _tasks(self.tasks, torch, model)
        self.noise = torch.tensor(np.log(model.noise.kappa), requires_grad=True)
        self.parameters = [*self.kernel.parameters(), *self.tasks.parameters(), self.noise]

    def value_and_gradient(self) -> float:
        """−log p(y); the gradients are left in the parameters."""
        g = self.gpytorch
        for p in self.parameters:
            p.grad = None
        exact = g.settings.fast_computations(covar_root_decomposition=False, log_prob=False, solves=False)
        with exact:
            K = self.kernel(self.X).mul(self.tasks(self.task)).add_diagonal(self.noise.exp()[self.task[:, 0]])
            normal = g.distributions.MultivariateNormal(self.torch.zeros_like(self.y), K)
            loss = -normal.log_prob(self.y)
            loss.backward()
        return float(loss.detach())
