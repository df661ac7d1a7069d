"""MultiTaskGP: a Gaussian process over tasks and inputs, its parameters fitted, with the estimators' face.

(P)  y_ti = mean_t(x_i) + f_t(x_i) + noise_ti,   cov(f_t(x), f_u(z)) = Σ_q B_q[t, u] k_q(x, z)
     θ = (B_q, k_q, Σ, β) minimises −log p(y; θ), less the logarithms of priors where there are any
(K)  certified: the projected gradient of that over N, and the backward error ‖C α − r‖ of the equations solved

Source: Bonilla et al. 2008; Álvarez et al. 2012; Rakitsch et al. 2013.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import FormError
from mtlref.estimator import Estimator
from mtlref.gp import hyper, leave_out, predict
from mtlref.gp.cells import Cells
from mtlref.gp.choice import Choice, choose_next
from mtlref.gp.coregional import correlation
from mtlref.gp.forms import ask
from mtlref.gp.kernels import Kernel
from mtlref.gp.leave_out import LeftOut
from mtlref.gp.model import Model
from mtlref.gp.priors import Prior, attach
from mtlref.gp.route import Route, condition_on
from mtlref.gp.starts import check_options, first_model, in_units
from mtlref.optim.result import Certificate, Result, Status
from mtlref.registry import register
from mtlref.tasks import TaskData

Array = NDArray[Any]


@register(
    family="gp",
    penalty="none: −log p(y) itself",
    sources=("bonilla2008", "alvarez2012", "rakitsch2013"),
    losses=("squared",),
    properties=("self_tuned",),
    certificate="projected gradient",
)
class MultiTaskGP(Estimator):
    """Multi-task Gaussian process regression with exact inference.

    y_ti = mean_t(x_i) + f_t(x_i) + noise,   cov(f_t(x), f_u(z)) = Σ_q B_q[t, u] k_q(x, z)   (P)
    with B_q = A_q A_q' + diag(kappa_q) (T, T), A_q (T, rank) of any signs, kappa_q (T,) > 0

    Parameters
    ----------
    kernel : a kernel of ``mtlref.gp``, a list of them (one a term of the sum), or None (default): RBF with a length for
        each feature. A kernel given starts the fit from its own parameters, and stays within a factor of 1000 of them.
    rank : int >= 0, default 1. Columns of A_q; 0: tasks without a tie.
    noise_rank : int >= 0, default 0. 0: one noise variance a task; more: noise correlated between tasks at one place.
    mean : "zero", "constant" (default) or "linear": of each task by itself.
    objective : "likelihood" (default), "leave-one-out" (each measurement from all others) or "leave-place-out" (all
        tasks at a place from the other places), both by log density.
    priors : None (default: maximum likelihood) or a dict from a parameter's name to a prior of ``mtlref.gp.priors``:
        {"length": LogNormal(1.0, 0.5), "noise.kappa": Gamma(2.0, 10.0)}, in the targets' units. The fit is then the
        largest posterior density (MAP).
    n_restarts : int >= 0, default 2. Further starts, drawn from random_state.
    route : None (default: the cheapest), "kronecker", "holes" or "dense".
    tol : float > 0, default 1e-5. Converged when the projected gradient of the objective / N is at most tol.
    max_iter : int >= 1, default 500. Iterations of each start.
    random_state : int, Generator or None, default 0.

    Attributes: model_ (a Model, in the targets' units), route_ (its covariance of the data, factorised), notes_,
    log_prior_ (0 without any), result_, n_iter_, tasks_, task_covariance_, noise_covariance_ and task_correlation_ of
    the functions, (T, T), noisy_correlation_ (T, T) of measurements at one place.

    Raises: DataError, FormError for data or parameters out of range; IllConditioned where no start has a covariance
    that is positive definite in double precision (nothing is added to it). Warns: NotConverged; FitDoubt with what is
    in doubt: bounds hit, starts that ended elsewhere, trial points refused. A kappa at its lower bound, a task without
    a part of its own, is told in notes_ alone.

    Certificate: the projected gradient (a stationary point, not the global optimum) and the solve's backward error.
    Cost: an evaluation O(n³ + n² T) on a complete table, O(N³) on N cells at different places. Targets are scaled to
    variance 1 inside. Departs from the source: a mean a task.
    Source: bonilla2008; alvarez2012; rakitsch2013.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> x = np.linspace(0, 1, 20)[:, None]
    >>> noise = 0.1 * np.random.default_rng(0).standard_normal((20, 2))
    >>> model = mt.MultiTaskGP(n_restarts=0).fit(x, np.sin(5 * x) * [1.0, -1.0] + noise)
    >>> model.predict(x[:3]).shape, bool(model.task_correlation_[0, 1] < -0.9)
    ((3, 2), True)
    """

    loss = "squared"
    _learned = "model_"
    comparison_rows: ClassVar[int] = 2000

    def __init__(
        self,
        kernel: Kernel | list[Kernel] | None = None,
        *,
        rank: int = 1,
        noise_rank: int = 0,
        mean: str = "constant",
        objective: str = "likelihood",
        priors: Mapping[str, Prior] | None = None,
        n_restarts: int = 2,
        route: str | None = None,
        tol: float = 1e-5,
        max_iter: int = 500,
        random_state: int | np.random.Generator | None = 0,
    ) -> None:
        self.kernel = kernel
        self.rank = rank
        self.noise_rank = noise_rank
        self.mean = mean
        self.objective = objective
        self.priors = priors
        self.n_restarts = n_restarts
        self.route = route
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, tasks: Any = None) -> Self:
        """Fit to data in any form of the contract; row weights are refused."""
        data = self._read(X, y, tasks, None)
        if not isinstance(data, TaskData):
            raise FormError("a Gaussian process needs the rows; got Moments")
        check_options(self)
        inputs.choice(self.objective, "objective", tuple(hyper.OBJECTIVES))
        cells = Cells.from_tasks(data)
        start, center, scale = first_model(self, cells)
        unit = replace(cells, y=(cells.y - center[cells.task]) / scale[cells.task])
        priors = attach(self.priors, start, scale)
        options = ("n_restarts", "objective", "route", "tol", "max_iter", "random_state")
        fitted = hyper.fit(start, unit, **{name: getattr(self, name) for name in options}, priors=priors)
        model = in_units(fitted.model, center, scale)
        route = condition_on(model, cells, self.route if self.objective == "likelihood" else "dense")
        converged = fitted.projected <= self.tol
        value = fitted.value + float(np.log(scale)[cells.task].sum())
        weighed = " of likelihood and priors" if priors.terms else ""
        certificate = Certificate(
            f"projected gradient{weighed} (backward error {route.backward_error:.1e})",
            primal=value,
            dual=-np.inf,
            gap=fitted.projected * cells.N,
            relative_gap=fitted.projected,
            scale=float(cells.N),
        )
        status = Status.CONVERGED if converged else Status.MAX_ITER
        learned = self._remember(data)
        learned |= {
            "model_": model,
            "route_": route,
            "notes_": fitted.notes,
            "log_prior_": fitted.log_prior,
            "n_iter_": max(1, fitted.n_iter),
            "result_": Result(self.get_params(), status, certificate, fitted.n_iter),
            "task_covariance_": sum(B.matrix() for B, _ in model.terms),
            "noise_covariance_": model.noise.matrix(),
        }
        learned["task_correlation_"] = correlation(learned["task_covariance_"])
        learned["noisy_correlation_"] = correlation(
            learned["task_covariance_"] + learned["noise_covariance_"]
        )
        self._adopt(learned)
        hyper.tell(self, fitted.projected, fitted.doubts)
        return self

    model_: Model
    route_: Route
    notes_: tuple[str, ...]
    result_: Result

    def predict(self, X: Any, tasks: Any = None, *, return_std: bool = False, noise: bool = False) -> Any:
        """Means, in the form of the data that ``fit`` took; with return_std also standard deviations in that form.

        Of the function; noise=True: of a new measurement. Raises NotFitted, UnknownTask, DataError.
        """
        asked = ask(self, X, tasks)
        mean = asked.answer(predict.mean(self.route_, asked.X))
        if not return_std:
            return mean
        variance = predict.variance(self.route_, asked.X, noise=noise)
        return mean, asked.answer(np.sqrt(variance))

    def covariance(self, X: Any, *, noise: bool = False) -> Array:
        """The joint covariance of all tasks at X (m, p): (T, m, T, m)."""
        self._check_fitted()
        design = self._design(X, "X")
        m, T = len(design), len(self.tasks_)
        return predict.covariance(self.route_, design, noise=noise).reshape(T, m, T, m)

    def sample(
        self,
        X: Any,
        count: int = 1,
        random_state: int | np.random.Generator | None = None,
        *,
        noise: bool = False,
    ) -> Array:
        """Joint samples of all tasks at X (m, p): (count, m, T)."""
        self._check_fitted()
        count = inputs.count(count, "count")
        return predict.samples(self.route_, self._design(X, "X"), count, random_state, noise=noise)

    def log_predictive_density(self, X: Any, y: Any, tasks: Any = None) -> Any:
        """log p(y_i | data) of each new measurement by itself, in the form of the data; NaN where y is NaN."""
        asked = ask(self, X, tasks)
        mean, variance = (
            asked.answer(values)
            for values in (
                predict.mean(self.route_, asked.X),
                predict.variance(self.route_, asked.X, noise=True),
            )
        )
        truth = X.y if isinstance(X, TaskData) and y is None else y
        if isinstance(mean, list):
            return [
                predict.density(np.asarray(v), m, s) for v, m, s in zip(truth, mean, variance, strict=True)
            ]
        return predict.density(np.asarray(truth, dtype=float), mean, variance)

    def leave_one_out(self, by: str = "cell") -> LeftOut:
        """What the others say of each measurement, parameters kept: by="cell", or "place" (all tasks there left out).

        In the order of the rows of fit, task after task.
        """
        self._check_fitted()
        inputs.choice(by, "by", ("cell", "place"))
        out = (leave_out.by_cell if by == "cell" else leave_out.by_place)(self.route_)
        back = np.argsort(self.route_.cells.order, kind="stable")
        density = out.log_density[back] if by == "cell" else out.log_density
        return LeftOut(out.mean[back], out.variance[back], density)

    def next_measurement(
        self,
        X: Any,
        *,
        by: str = "information",
        about: tuple[Any, Hashable] | None = None,
        tasks: list[Hashable] | None = None,
    ) -> Choice:
        """The place of X (m, p) and the task whose measurement has the largest variance or tells most.

        about : (places, task label): what is to be learned; None: all functions. tasks : labels that may be measured.
        """
        self._check_fitted()
        target = None if about is None else (about[0], self._places([about[1]])[0])
        allowed = None if tasks is None else self._places(tasks)
        return choose_next(self.route_, self._design(X, "X"), by=by, about=target, tasks=allowed)
