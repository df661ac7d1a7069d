"""What every linear method shares: from data in any form to certified coefficients, one lam or a path of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError, NoClosedForm, NotConverged
from mtlref.estimator import Estimator
from mtlref.linear.path import Path
from mtlref.linear.prepared import Prepared, Start
from mtlref.moments import Moments
from mtlref.optim.ahead import ANSWERS, ahead
from mtlref.optim.result import Certificate, Result, Status
from mtlref.optim.rowsproblem import DENSE_ROWS, SMALL_GRAM
from mtlref.optim.run import Iterate, Outcome, run
from mtlref.registry import methods
from mtlref.tasks import TaskData

Array = NDArray[np.float64]

# Moments of so many numbers, 1 GiB, are made of sparse rows for methods that do not work on the rows themselves.
MOST_MOMENTS = 2**27
# A path of so many lams is worth a look at whether Moments can stand for the rows.
MANY = 4


class LinearModel(Estimator):
    """F(W, b) = L(W, b) + penalty(W): the plumbing of the pages of ``mtlref.linear``.

    A page gives ``degrees`` (weight -> degree of homogeneity of what it multiplies), and the static methods
    ``objective(fit, W, b, ...)``, ``certificate(fit, W, b, ...)`` and ``iterates(problem, start, ...)``.
    """

    degrees: ClassVar[Mapping[str, int]] = {"lam": 1, "ridge": 2}
    lengths: ClassVar[tuple[str, ...]] = ()  # parameters that are sizes of coefficients
    pooled_intercept: ClassVar[bool] = False
    # Whether the solver works on sparse rows themselves; with the squared loss Moments of them serve every method.
    sparse_rows: ClassVar[bool] = False
    # Whether the certificate counts what G may miss (``DualPoint.slip``), so that Moments of rows can stand for them.
    counts_slip: ClassVar[bool] = False
    # Whether the loop on one design is in SciPy's LAPACK, so that products of its certificates are too.
    lapack_on_one_design: ClassVar[bool] = False
    _takes_sparse = True

    lam: float
    scaling: str
    fit_intercept: bool
    tol: float
    max_iter: int
    result_: Result

    # (P) of (fit, W, b, ...); its certificate of the same; the solver's iterates of (problem, start, ...).
    objective: ClassVar[Callable[..., float]]
    certificate: ClassVar[Callable[..., Certificate]]
    iterates: ClassVar[Callable[..., Iterator[Iterate]]]

    @property
    def _any_sparse(self) -> bool:  # type: ignore[override]
        return self._takes_sparse and (self.loss == "squared" or self.sparse_rows)

    # -- what a person calls -----------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> Self:
        """Fit to data in any form of the contract: a TaskData, Moments, lists, one design with Y, long rows, one task.

        Stops when the certificate's relative gap is at most ``tol``; warns NotConverged where it is not. Raises
        DataError and FormError for data and parameters outside their ranges.
        """
        ready = self._prepare(X, y, tasks, sample_weight)
        outcome = ready.solve(self, self._weights(), None)
        self._warn(outcome.result, stacklevel=3)
        self._adopt(outcome.learned)
        return self

    def path(self, data: Any, lams: Sequence[float], **forms: Any) -> Path:
        """Fits for each of ``lams``, each started at the last answer, or, where the problem is convex, where the last
        ones point; data as in ``fit``.

        Every fit carries its own certificate; one that misses ``tol`` warns NotConverged. With many rows JointFeature's
        come from Gram statistics, which were held against the rows, and a bound of their rounding is in each gap; from
        the rows where ``tol`` is too small for that.
        """
        values = [self._check_lam(v) for v in lams]
        if not values:
            raise DataError("lams must hold at least one value; got none")
        ready = self._prepare(data, **forms)
        if self.counts_slip and len(values) >= MANY:
            ready = ready.on_statistics()
        fitted: list[LinearModel] = []
        start: Start | None = None
        answers: list[Start] = []
        for k, lam in enumerate(values):
            if k >= 2 and fitted[-1].result_.certificate.kind == "duality gap":
                start = ahead(values[k - len(answers) : k + 1], answers)
            model = type(self)(**{**self.get_params(), "lam": lam})
            outcome = ready.solve(model, model._weights(), start)
            model._warn(outcome.result, stacklevel=3)
            model._adopt(outcome.learned)
            start = outcome.start
            answers = [*answers[1 - ANSWERS :], start]
            fitted.append(model)
        return Path(tuple(values), tuple(fitted))

    def lam_max(self, data: Any, **forms: Any) -> float:
        """The smallest lam for which W = 0 is optimal. Raises NoClosedForm where there is none in closed form."""
        ready = self._prepare(data, **forms)
        W = np.zeros((ready.data.p, ready.data.T))
        value = self._lam_max(ready.fit.dual_point(W).G)
        return float(np.ldexp(value, ready.ex + ready.ey))

    def lam_scale(self, data: Any, **forms: Any) -> float:
        """The natural size of lam on this data, which grids are relative to: lam_max where it has a closed form.

        Otherwise the largest eigenvalue of a task's c_t X_t'X_t (centred where an intercept is fitted): beyond it the
        penalty outweighs the data in every direction.
        """
        ready = self._prepare(data, **forms)
        try:
            W = np.zeros((ready.data.p, ready.data.T))
            return float(np.ldexp(self._lam_max(ready.fit.dual_point(W).G), ready.ex + ready.ey))
        except NoClosedForm:
            return float(np.ldexp(ready.largest_curvature(), 2 * ready.ex))

    def _lam_max(self, G: Array) -> float:
        """The polar of the penalty per unit of lam, of G = X'θ at W = 0."""
        raise NoClosedForm(
            f"{type(self).__name__} has no lam_max in closed form: no finite lam makes W = 0 optimal. "
            "lam_scale(data) gives the natural size of lam."
        )

    def _run(
        self, ready: Prepared, here: dict[str, Any], start: Start | None
    ) -> tuple[Outcome, dict[str, Any]]:
        """The solver's outcome for weights ``here``, and further attributes that it leaves."""
        quick, certify = ready.certifiers(self, here)
        return run(self.iterates(ready.problem, start, **here), quick, certify, self.tol, self.max_iter), {}

    # -- parameters --------------------------------------------------------------------------------------------------

    def _check_lam(self, value: Any) -> float:
        return inputs.positive(value, "lam")

    def _weights(self) -> dict[str, Any]:
        """The penalty's weights, checked."""
        return {
            name: self._check_lam(self.lam)
            if name == "lam"
            else inputs.nonnegative(getattr(self, name), name)
            for name in self.degrees
        }

    def _prepare(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> Prepared:
        inputs.choice(self.loss, "loss", ("squared", "logistic"))
        inputs.choice(self.scaling, "scaling", ("mean", "sum"))
        inputs.flag(self.fit_intercept, "fit_intercept")
        inputs.positive(self.tol, "tol")
        inputs.count(self.max_iter, "max_iter")
        self._weights()
        data = self._read(X, y, tasks, sample_weight)
        classes = None
        if self.loss == "logistic":
            if isinstance(data, Moments):
                raise FormError(
                    'loss="logistic" needs the rows: Moments hold what the squared loss alone needs'
                )
            data, classes = self._encode(data, y)
            if self.fit_intercept and not self.pooled_intercept:
                _check_both_classes(data, classes)
        elif isinstance(data, TaskData):
            _check_numbers(data)
        ready = Prepared.of(self, self._from_sparse(data), classes)
        return replace(ready, form=data.form) if isinstance(data, TaskData) else ready

    def _from_sparse(self, data: TaskData | Moments) -> TaskData | Moments:
        """Sparse rows as the solver takes them: their Moments where those are small or it knows nothing else."""
        if isinstance(data, Moments) or not data.sparse:
            return data
        if self.loss == "squared":
            numbers = (1 if data.shared else data.T) * data.p**2
            tall = data.n.max() >= DENSE_ROWS * data.p or data.p <= SMALL_GRAM
            if tall or (not self.sparse_rows and numbers <= MOST_MOMENTS):
                return Moments.from_data(data)
        if not self.sparse_rows:
            able = [name for name, m in methods().items() if getattr(m.cls, "sparse_rows", False)]
            raise FormError(
                f"{type(self).__name__} takes sparse X with the squared loss and up to some {int(MOST_MOMENTS**0.5)} "
                f"features (T p² numbers) alone; got loss={self.loss!r}, p = {data.p}. Any sparse X: {', '.join(able)}"
            )
        return data

    def _warn(self, result: Result, stacklevel: int) -> None:
        if result.status is not Status.CONVERGED:
            warnings.warn(
                f"{type(self).__name__}: {result.status.value} = {self.tol:g}: relative gap "
                f"{result.certificate.relative_gap:.3e} after {result.n_iter} iterations",
                NotConverged,
                stacklevel=stacklevel,
            )

    # -- what a person reads off -------------------------------------------------------------------------------------

    @property
    def task_similarity_(self) -> Array:
        """(T, T): cosines between the tasks' coefficients; zero for a task whose coefficients are all zero."""
        self._check_fitted()
        norms = np.linalg.norm(self.coef_, axis=1)
        unit = np.divide(self.coef_, norms[:, None], out=np.zeros_like(self.coef_), where=norms[:, None] > 0)
        return np.clip(unit @ unit.T, -1.0, 1.0)


def _check_numbers(data: TaskData) -> None:
    for name, y in zip(data.names, data.y, strict=True):
        if y.dtype.kind != "f":
            raise FormError(
                f'y must hold numbers for loss="squared"; task {name!r} has text labels. Use loss="logistic" for them.'
            )


def _check_both_classes(data: TaskData, classes: NDArray[Any]) -> None:
    for t, (name, y) in enumerate(zip(data.names, data.y, strict=True)):
        seen = y if data.weights is None else y[data.weights[t] > 0]
        if (seen == seen[0]).all():
            only = classes[1] if seen[0] > 0 else classes[0]
            raise DataError(
                f"every task needs rows of both classes where an intercept is fitted: task {name!r} has only "
                f"{only!r}, so that no finite intercept is best. Leave the task out, or use fit_intercept=False."
            )
