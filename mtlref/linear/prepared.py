"""Data made ready for the solver, once for any number of parameters: scaled, its loss terms and certifiers set up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit import DataFit, HeldFit, data_fit
from mtlref.extremes import exponent_of, extreme_exponents, scaled_rows
from mtlref.linalg.products import product
from mtlref.moments import Moments
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate, Result
from mtlref.optim.rowsproblem import few_rows
from mtlref.optim.run import Certify, Coefficients
from mtlref.rowstatistics import error_growth
from mtlref.tasks import TaskData

if TYPE_CHECKING:
    from mtlref.linear.model import LinearModel

Array = NDArray[np.float64]
Start = tuple[Coefficients, Array]  # W (p, T), b (T,)

# Weights beyond this are as good as infinite, or zero: the data are not seen, or the penalty is not.
LARGEST_WEIGHT = 2.0**996
# Rows for each feature.
FEW = 4


def scale_weight(value: float, exponent: int) -> float:
    """value · 2^exponent, kept within 2^±996."""
    if exponent == 0 or value == 0:
        return value
    with np.errstate(over="ignore", under="ignore"):
        return float(np.clip(np.ldexp(value, exponent), 1 / LARGEST_WEIGHT, LARGEST_WEIGHT))


@dataclass(frozen=True)
class Solved:
    """What one solution gives: attributes for the estimator, its result, and a start for the next."""

    learned: dict[str, Any]
    result: Result
    start: Start


@dataclass(frozen=True)
class Prepared:
    """Data ready to be solved for any number of parameters.

    ex, ey : X and y of ``data`` were divided by 2^ex and 2^ey (zero but for extreme magnitudes).
    """

    data: TaskData | Moments
    classes: NDArray[Any] | None
    ex: int
    ey: int
    fit: DataFit
    problem: Problem
    quick: DataFit
    form: str | None = None
    held: HeldFit | None = None

    @classmethod
    def of(cls, model: LinearModel, data: TaskData | Moments, classes: NDArray[Any] | None) -> Prepared:
        """Scale what is extreme, and set up the loss term for the certificate and for the solver."""
        products: Array | None = None
        moments: Moments | None = None
        if isinstance(data, Moments):
            extra = exponent_of(float(np.sqrt(np.abs(data.cxx).max())))
            rows: TaskData | Moments = data.at_exponents(data.x_exponent + extra, data.y_exponent)
            assert isinstance(rows, Moments)
            ex, ey = rows.x_exponent, rows.y_exponent
        else:
            # The rows of a design a task are looked at once, for their sizes and for what a solver on them begins with.
            plain = data.weights is None and not (model.fit_intercept or data.shared or data.sparse)
            begun = model.loss == "squared" and plain and few_rows(data)
            products = np.empty((data.T, data.p)) if begun else None
            if model.loss == "squared" and not few_rows(data):
                moments = Moments.of_ordinary(data, centre=model.fit_intercept)
            ex, ey = (0, 0) if moments is not None else extreme_exponents(data, products)
            if model.loss == "logistic":
                ey = 0
            rows = scaled_rows(data, ex, ey) if ex or ey else data
        settings = (model.loss, model.scaling, model.fit_intercept, model.pooled_intercept)
        times = (
            product if model.lapack_on_one_design and rows.shared and model.loss == "squared" else np.matmul
        )
        fit = data_fit(rows, *settings, times=times)
        problem = Problem(rows, model.loss, fit.c, model.fit_intercept, model.tol)
        if products is not None and rows is data:
            problem.told(products=products)
        if moments is not None:
            problem.told(moments=moments)
        quick = fit
        if model.loss == "squared" and isinstance(rows, TaskData) and not problem.wide:
            quick = data_fit(problem.moments, *settings, times=times)
        return cls(rows, classes, ex, ey, fit, problem, quick)

    def on_statistics(self) -> Prepared:
        """The same, certified from Moments of the rows where these are what the rows say and ``tol`` allows it."""
        if self.quick is self.fit or not isinstance(self.data, TaskData):
            return self
        f = self.fit
        settings = (f.loss, f.scaling, f.fit_intercept, f.pooled_intercept)
        held = HeldFit(*settings, self.problem.moments, f.times, error_growth(self.data))
        return replace(self, held=held) if held.agrees(f) else self

    def remembered(self, model: LinearModel) -> dict[str, Any]:
        """The attributes that every form of data leaves; sparse rows are remembered in theirs when Moments are left."""
        learned = model._remember(self.data)
        return learned if self.form is None else learned | {"_form": self.form}

    def largest_curvature(self) -> float:
        """The largest eigenvalue of any c_t X_t'X_t."""
        q = self.problem.quadratic
        if q.H is not None:
            return float(np.linalg.eigvalsh(q.H)[:, -1].max())
        assert q.A is not None
        return max(float(np.linalg.eigvalsh(A @ A.T)[-1]) for A in q.A)

    def scaled(self, model: LinearModel, weights: dict[str, Any]) -> dict[str, Any]:
        """The penalty's weights for the scaled data: lam (s_y / s_x)^d / s_y² for degree d; lengths by s_x / s_y."""
        scaled = {
            name: value
            if name not in model.degrees
            else scale_weight(value, (model.degrees[name] - 2) * self.ey - model.degrees[name] * self.ex)
            for name, value in weights.items()
        }
        with np.errstate(over="ignore", under="ignore"):
            return scaled | {n: float(np.ldexp(scaled[n], self.ex - self.ey)) for n in model.lengths}

    def certify(self, model: LinearModel, W: Array, b: Array, weights: dict[str, Any]) -> Certificate:
        """The certificate of (W, b), in the user's units, from the data."""
        shift = self.ey - self.ex
        certificate = model.certificate(
            self.fit, np.ldexp(W, -shift), np.ldexp(b, -self.ey), **self.scaled(model, weights)
        )
        return certificate.rescaled(2 * self.ey, shift)

    def certifiers(self, model: LinearModel, here: dict[str, Any]) -> tuple[Certify, Certify]:
        """(quick, certify) for ``run``: from the statistics that the solver works on, and from the data."""

        def by(fit: DataFit) -> Certify:
            def certify(W: Coefficients, b: Array | None) -> tuple[Certificate, Array]:
                given = W if fit.takes_few_rows else np.asarray(W)
                b = fit.best_intercept(given) if b is None else b
                return model.certificate(fit, given, b, **here), b

            return certify

        exact = by(self.fit)
        if self.held is None:
            return exact if self.quick is self.fit or self._soon_read else by(self.quick), exact
        held = by(self.held)

        def bounded(W: Coefficients, b: Array | None) -> tuple[Certificate, Array]:
            found = held(W, b)
            return found if found[0].relative_gap <= model.tol else exact(W, b)

        return by(self.quick), bounded

    @property
    def _soon_read(self) -> bool:
        """Whether rows of one design are so few that certificates from them cost little more than from Moments."""
        d = self.data
        return isinstance(d, TaskData) and d.shared and len(d.y[0]) <= FEW * d.p

    def solve(self, model: LinearModel, weights: dict[str, Any], start: Start | None) -> Solved:
        """Run the solver from ``start`` until the certificate closes."""
        here = self.scaled(model, weights)
        outcome, further = model._run(self, here, start)
        shift = self.ey - self.ex
        found = np.asarray(outcome.W)
        if here["lam"] == LARGEST_WEIGHT and model.degrees["lam"] == 2:
            # W is proportional to 1/lam there, and lam was cut.
            mantissa, exponent = np.frexp(weights["lam"])
            found = found / mantissa
            shift -= int(exponent) - 2 * self.ex - 996
        with np.errstate(over="ignore", under="ignore"):
            W = np.ldexp(found, shift) if shift else found
            b = np.ldexp(outcome.b, self.ey)
        result = Result(
            model.get_params(),
            outcome.status,
            outcome.certificate.rescaled(2 * self.ey, self.ey - self.ex),
            outcome.n_iter,
            outcome.history,
        )
        learned = self.remembered(model)
        learned |= {
            # What was made here is nobody else's, and its transpose is as good as a copy of it.
            "coef_": np.ascontiguousarray(W.T) if W is outcome.W else W.T,
            "intercept_": b,
            "result_": result,
            "n_iter_": outcome.n_iter,
        } | further
        if self.classes is not None:
            learned["classes_"] = self.classes
        return Solved(learned, result, (outcome.W, outcome.b))
