"""The page Pooled: known answers, real data, and what its docstring claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

RNG = np.random.default_rng(1)
X = [RNG.standard_normal((n, 5)) for n in (12, 9, 15)]
Y = [x @ RNG.standard_normal(5) + 0.3 * RNG.standard_normal(len(x)) for x in X]
DATA = mt.TaskData.from_list(X, Y, names=["a", "b", "c"])


def test_landmine(check_landmine: Any) -> None:
    check_landmine("Pooled")


def test_one_row_of_coefficients_and_one_intercept() -> None:
    model = mt.Pooled(lam=0.1).fit(DATA)
    assert (model.coef_ == model.coef_[0]).all()
    assert (model.intercept_ == model.intercept_[0]).all()


def test_closed_form_with_each_task_weighted_by_one_over_its_rows() -> None:
    model = mt.Pooled(lam=0.3, tol=1e-12).fit(DATA)
    c = np.concatenate([np.full(len(y), 1 / len(y)) for y in Y])
    x = np.column_stack([np.vstack(X), np.ones(len(c))])
    solution = np.linalg.solve(
        x.T @ (c[:, None] * x) + np.diag([0.3] * 5 + [0.0]), x.T @ (c * np.concatenate(Y))
    )
    np.testing.assert_allclose(model.coef_[0], solution[:5], rtol=1e-10)
    np.testing.assert_allclose(model.intercept_[0], solution[5], rtol=1e-10)


def test_an_answer_with_columns_that_differ_is_refused() -> None:
    W = np.ones((5, 3))
    W[0, 1] = 2.0
    with pytest.raises(mt.DataError, match="one w and one intercept for all tasks"):
        mt.audit(mt.Pooled(), DATA, W)
    with pytest.raises(mt.DataError, match="one w and one intercept for all tasks"):
        mt.audit(mt.Pooled(), DATA, np.ones((5, 3)), [0.0, 1.0, 0.0])


def test_one_class_in_a_task_is_no_obstacle_to_a_common_intercept() -> None:
    labels = [np.ones(12), -np.ones(9), np.where(Y[2] > 0, 1.0, -1.0)]
    assert mt.Pooled(loss="logistic").fit(X, labels).result_.converged
