"""Problems on which our own solvers, or the laws that they are put to, once failed."""

from __future__ import annotations

from typing import Any

import numpy as np

import mtlref as mt
from mtlref.verify.laws import ESTIMATOR_LAWS
from mtlref.verify.strategies import Case

LAWS = {law.name: law for law in ESTIMATOR_LAWS}


def holds(law: str, name: str, parameters: dict[str, Any], X: list[Any], y: list[Any]) -> None:
    """Raises where the law is broken."""
    data = mt.TaskData.from_list([np.array(x, float) for x in X], [np.array(v, float) for v in y])
    LAWS[law].check(Case(mt.methods()[name], parameters, data), np.random.default_rng(0))


def test_an_answer_that_is_wrong_by_less_than_rounding_is_not_wrong() -> None:
    # All targets are alike, so that F(0, b0) is zero, and the coefficients are rounding, of size 1e-48.
    parameters = {"loss": "squared", "scaling": "mean", "fit_intercept": True, "tol": 1e-9, "lam": 0.95}
    X = np.random.default_rng(0).standard_normal((3, 5, 1))
    X[2] *= 2.0
    holds("wrong_answers_are_refused", "Pooled", parameters, list(X), [np.full(5, 2.5)] * 3)


def test_rows_that_are_repeated_reach_no_further_direction() -> None:
    # Three rows for four features, but two of them alike: what is orthogonal to both is rounding, of size 1e-13.
    parameters = {"loss": "squared", "scaling": "mean", "fit_intercept": True, "tol": 1e-9, "lam": 1.2}
    X = 1000.0 + np.random.default_rng(5).standard_normal((2, 4))
    for name in ("MeanRegularized", "TraceNorm", "MTRL", "GraphRegularized"):
        graph = {"graph": 1.0} if name == "GraphRegularized" else {}
        case = {**parameters, **graph}
        holds("certificate_closes", name, case, [X[[0, 1, 1]]], [[2.0, 3.9, 3.9]])
        holds("weights_are_repeated_rows", name, case, [X], [[2.0, 3.9]])


def test_targets_that_are_all_zero_have_no_intercept() -> None:
    # Bisection ended at an intercept of 1e-60, whose loss is above zero by more than rounding of zero.
    parameters = {"loss": "squared", "scaling": "mean", "fit_intercept": True, "tol": 1e-9, "lam": 1.0}
    holds(
        "scale_is_the_objective_at_zero", "TraceNorm", parameters, [np.zeros((2, 1))], [np.array([-0.0, 0.0])]
    )
