"""scikit-learn's linear models as oracles, on the problems that they share with ours."""

from __future__ import annotations

import numpy as np
import pytest

import mtlref as mt

pytest.importorskip("sklearn")

from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LogisticRegression,
    MultiTaskElasticNet,
    MultiTaskLasso,
    Ridge,
)

RNG = np.random.default_rng(3)
X = RNG.standard_normal((40, 8)) + 1.0
Y = X[:, :3] @ RNG.standard_normal((3, 4)) + 0.5 * RNG.standard_normal((40, 4))
TIGHT = {"tol": 1e-13, "max_iter": 200_000}


def same(model: mt.SingleTaskRidge, theirs: object) -> None:
    coef, intercept = np.atleast_2d(theirs.coef_), np.atleast_1d(theirs.intercept_)  # type: ignore[attr-defined]
    np.testing.assert_allclose(model.coef_, np.broadcast_to(coef, model.coef_.shape), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        model.intercept_, np.broadcast_to(intercept, model.intercept_.shape), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("lam", [0.01, 0.3])
def test_multi_task_lasso(lam: float, intercept: bool) -> None:
    """scaling="mean" is scikit-learn's 1/(2n)."""
    ours = mt.JointFeature(lam=lam, fit_intercept=intercept, tol=1e-13).fit(X, Y)
    same(ours, MultiTaskLasso(alpha=lam, fit_intercept=intercept, **TIGHT).fit(X, Y))


def test_multi_task_elastic_net() -> None:
    ours = mt.JointFeature(lam=0.1 * 0.7, ridge=0.1 * 0.3, tol=1e-13).fit(X, Y)
    same(ours, MultiTaskElasticNet(alpha=0.1, l1_ratio=0.7, **TIGHT).fit(X, Y))


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("lam", [0.01, 0.3])
def test_lasso(lam: float, intercept: bool) -> None:
    ours = mt.SingleTaskLasso(lam=lam, fit_intercept=intercept, tol=1e-13).fit(X, Y)
    same(ours, Lasso(alpha=lam, fit_intercept=intercept, **TIGHT).fit(X, Y))


def test_lasso_with_weights() -> None:
    w = RNG.random(40)
    ours = mt.SingleTaskLasso(lam=0.05, tol=1e-13).fit(X, Y[:, 0], sample_weight=w)
    same(ours, Lasso(alpha=0.05, **TIGHT).fit(X, Y[:, 0], sample_weight=w))


def test_elastic_net() -> None:
    ours = mt.SingleTaskLasso(lam=0.1 * 0.4, ridge=0.1 * 0.6, tol=1e-13).fit(X, Y[:, 1])
    same(ours, ElasticNet(alpha=0.1, l1_ratio=0.4, **TIGHT).fit(X, Y[:, 1]))


@pytest.mark.parametrize("intercept", [True, False])
def test_ridge(intercept: bool) -> None:
    w = RNG.random(40)
    ours = mt.SingleTaskRidge(lam=2.0, scaling="sum", fit_intercept=intercept, tol=1e-13)
    ours.fit(X, Y, sample_weight=w)
    same(ours, Ridge(alpha=2.0, fit_intercept=intercept).fit(X, Y, sample_weight=w))


def test_pooled_is_ridge_on_all_rows() -> None:
    tasks = np.repeat([0, 1], 20)
    ours = mt.Pooled(lam=2.0, scaling="sum", tol=1e-13).fit(X, Y[:, 0], tasks=tasks)
    same(ours, Ridge(alpha=2.0).fit(X, Y[:, 0]))


@pytest.mark.parametrize("intercept", [True, False])
def test_logistic_ridge(intercept: bool) -> None:
    labels = (Y[:, 0] > np.median(Y[:, 0])).astype(int)
    ours = mt.SingleTaskRidge(lam=0.5, loss="logistic", scaling="sum", fit_intercept=intercept, tol=1e-13)
    theirs = LogisticRegression(C=2.0, fit_intercept=intercept, tol=1e-12, max_iter=100_000).fit(X, labels)
    ours.fit(X, labels)
    same(ours, theirs)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)


def test_logistic_lasso() -> None:
    labels = (Y[:, 0] > np.median(Y[:, 0])).astype(int)
    ours = mt.SingleTaskLasso(lam=1.5, loss="logistic", scaling="sum", fit_intercept=False, tol=1e-12).fit(
        X, labels
    )
    theirs = LogisticRegression(
        l1_ratio=1.0, C=1 / 1.5, solver="saga", fit_intercept=False, tol=1e-10, max_iter=100_000
    ).fit(X, labels)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
