"""The page SingleTaskLasso: known answers, real data, and what its docstring claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

RNG = np.random.default_rng(1)
X = [RNG.standard_normal((n, 5)) for n in (12, 9, 15)]
Y = [x @ RNG.standard_normal(5) + 0.3 * RNG.standard_normal(len(x)) for x in X]
DATA = mt.TaskData.from_list(X, Y, names=["a", "b", "c"])


def test_known_optima(check_known: Any) -> None:
    check_known("SingleTaskLasso", 2)


def test_landmine(check_landmine: Any) -> None:
    check_landmine("SingleTaskLasso")


def test_lam_max_is_the_largest_correlation() -> None:
    model = mt.SingleTaskLasso(scaling="sum", fit_intercept=False)
    expected = max(np.abs(x.T @ y).max() for x, y in zip(X, Y, strict=True))
    assert model.lam_max(DATA) == pytest.approx(expected, rel=1e-13)
    assert model.lam_scale(DATA) == model.lam_max(DATA)


def test_selected_features_are_those_that_some_task_uses() -> None:
    model = mt.SingleTaskLasso(lam=0.5).fit(DATA)
    assert model.selected_features_.tolist() == [bool(column.any()) for column in model.coef_.T]
    assert 0 < model.selected_features_.sum() <= 5


def test_more_features_than_rows() -> None:
    x = RNG.standard_normal((60, 300))
    y = x[:, 0] - 2 * x[:, 1]
    model = mt.SingleTaskLasso(lam=0.1, tol=1e-10).fit(x, y)
    assert model.result_.certificate.relative_gap <= 1e-10
    assert model.selected_features_[:2].all()


def test_duplicate_columns_do_not_disturb() -> None:
    doubled = [np.column_stack([x, x]) for x in X]
    model = mt.SingleTaskLasso(lam=0.1, tol=1e-11).fit(doubled, Y)
    single = mt.SingleTaskLasso(lam=0.1, tol=1e-11).fit(X, Y)
    np.testing.assert_allclose(model.coef_[:, :5] + model.coef_[:, 5:], single.coef_, atol=1e-6)
