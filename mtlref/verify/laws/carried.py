"""Fits for laws: their answers, carried to equivalent problems and audited there.

That holds also where the minimiser is not unique, and bounds the distance in objective value.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import NotConverged
from mtlref.moments import Moments
from mtlref.optim.factorpair import Factors
from mtlref.optim.result import Certificate
from mtlref.tasks import TaskData
from mtlref.verify import naive
from mtlref.verify.audit import audit
from mtlref.verify.laws.check import LawViolation
from mtlref.verify.strategies import Case

Array = NDArray[np.float64]
# An equivalent problem's rounding differs: the carried answer is granted this many times tol.
CARRIED = 10.0
EPS = float(np.finfo(float).eps)


def fitted(case: Case, data: TaskData | Moments | None = None, **changes: Any) -> Any:
    """The case's model, fitted; a fit that does not converge breaks a law."""
    model = case.model(**changes)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotConverged)
        try:
            return model.fit(case.data if data is None else data)
        except NotConverged as missed:
            raise LawViolation(f"{model!r}: {missed}") from missed


def signed(case: Case) -> TaskData:
    """The case's data, labels as −1 and +1."""
    return naive.signs(case.data) if case.loss == "logistic" else case.data


def objective_of(case: Case, W: Any, b: Array) -> float:
    """F(W, b) by loops."""
    return naive.objective(case.method.name, case.parameters, signed(case), W, b)


def rounding_of(case: Case, W: Any, b: Array) -> float:
    """A bound in the order of the rounding of F(W, b) at the rows."""
    total = 0.0
    W = matrix_of(W)
    for t, c in enumerate(naive.factors(case.data, case.parameters["scaling"])):
        X, y = case.data.X[t], case.data.y[t]
        s = np.array(naive.weights_of(case.data, t))
        size = np.abs(X) @ np.abs(W[:, t]) + abs(b[t]) + (np.abs(y) if y.dtype.kind == "f" else 1.0)
        residual = np.abs(X @ W[:, t] + b[t] - y) if case.loss == "squared" else np.ones(len(y))
        total += float(c * (s @ (size * (residual + EPS * size))))
    return 16 * EPS * total


def certified(
    case: Case,
    data: TaskData | Moments,
    W: Any,
    b: Array,
    what: str,
    slack: float = CARRIED,
    **changes: Any,
) -> Certificate:
    """The audit of (W, b) on data, which must hold to ``slack`` times tol."""
    model = case.model(**changes)
    certificate = audit(model, data, W, b)
    tol = slack * model.tol
    if not certificate.relative_gap <= tol:
        rounding = rounding_of(case, W, b) if isinstance(data, TaskData) and data.T == case.data.T else 0.0
        if not certificate.gap <= tol * certificate.scale + 4 * rounding:
            raise LawViolation(f"{what}: {certificate} misses relative {tol:.1e} for {model!r}")
    return certificate


def answer_of(model: Any) -> tuple[Any, Array]:
    """W (p, T), or the factors L (p, k) and S (k, T) of a method that is about them, and b."""
    if hasattr(model, "components_") and hasattr(model, "membership_"):  # W = L S
        return Factors(model.components_.T, model.membership_.T), model.intercept_
    return model.coef_.T, model.intercept_


def matrix_of(W: Any) -> Array:
    """W (p, T) of either."""
    return W.W if isinstance(W, Factors) else np.asarray(W)


def columns_of(W: Any, order: NDArray[np.intp]) -> Any:
    """The tasks in another order."""
    return Factors(W.L, W.S[:, order]) if isinstance(W, Factors) else W[:, order]


def mapped(W: Any, change: Callable[[Array], Array]) -> Any:
    """change(W) for a linear change that acts on each column."""
    return Factors(change(W.L), W.S) if isinstance(W, Factors) else change(W)


def zero_of(case: Case) -> Any:
    """An answer of zeros."""
    p, T = case.data.p, case.data.T
    if "factored" in case.method.properties:
        return Factors(np.zeros((p, 1)), np.zeros((1, T)))
    return np.zeros((p, T))


def largest_correlation(case: Case) -> float:
    """A bound on every entry of X'θ at W = 0."""
    total = 0.0
    for t, c in enumerate(naive.factors(case.data, case.parameters["scaling"])):
        size = np.abs(case.data.y[t]) if case.loss == "squared" else np.ones(len(case.data.y[t]))
        total += (
            c * float(np.array(naive.weights_of(case.data, t)) @ size) * float(np.abs(case.data.X[t]).max())
        )
    return total


def with_rows(data: TaskData, change: Callable[[Array], Array]) -> TaskData:
    """The data with X_t replaced by change(X_t)."""
    if data.shared:
        return replace(data, X=(change(data.X[0]),) * data.T)
    return replace(data, X=tuple(change(x) for x in data.X))
