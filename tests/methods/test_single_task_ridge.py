"""The page SingleTaskRidge: known answers, real data, and what its docstring claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.optim import ridge

RNG = np.random.default_rng(1)
X = [RNG.standard_normal((n, 5)) for n in (12, 9, 15)]
Y = [x @ RNG.standard_normal(5) + 0.3 * RNG.standard_normal(len(x)) for x in X]
DATA = mt.TaskData.from_list(X, Y, names=["a", "b", "c"])


def test_landmine(check_landmine: Any) -> None:
    check_landmine("SingleTaskRidge")


def test_closed_form() -> None:
    model = mt.SingleTaskRidge(lam=0.7, scaling="sum", tol=1e-12).fit(DATA)
    for t, (x, y) in enumerate(zip(X, Y, strict=True)):
        xc = x - x.mean(axis=0)
        w = np.linalg.solve(xc.T @ xc + 0.7 * np.eye(5), xc.T @ (y - y.mean()))
        np.testing.assert_allclose(model.coef_[t], w, rtol=1e-10)
        np.testing.assert_allclose(model.intercept_[t], y.mean() - x.mean(axis=0) @ w, rtol=1e-10)


def test_distance_is_that_of_strong_convexity() -> None:
    best = mt.SingleTaskRidge(lam=0.7, tol=1e-14).fit(DATA).coef_.T
    for size in (1e-3, 1.0):
        W = best + size * RNG.standard_normal(best.shape)
        certificate = mt.audit(mt.SingleTaskRidge(lam=0.7), DATA, W)
        assert certificate.distance == pytest.approx(np.sqrt(2 * certificate.gap / 0.7))
        assert certificate.distance >= np.linalg.norm(W - best)


def test_wide_data_stay_in_the_span_of_the_rows() -> None:
    x = RNG.standard_normal((4, 30))
    model = mt.SingleTaskRidge(lam=0.1, fit_intercept=False).fit(x, x[:, 0])
    outside = np.eye(30) - np.linalg.pinv(x) @ x
    assert np.abs(outside @ model.coef_[0]).max() <= 1e-12


def test_similarity_is_a_matrix_of_cosines() -> None:
    model = mt.SingleTaskRidge(lam=0.1).fit([X[0], X[0], X[0]], [Y[0], -Y[0], np.zeros(12)])
    np.testing.assert_allclose(model.task_similarity_, [[1, -1, 0], [-1, 1, 0], [0, 0, 0]], atol=1e-12)


@pytest.mark.parametrize("p", [6, 40])
def test_newtons_models_by_inverses_are_those_by_eigenvalues(p: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few and many features beside the 12 rows of a task; fits of ten iterations, so that none needs more."""
    rng = np.random.default_rng(5)
    X = [rng.standard_normal((12, p)) for _ in range(3)]
    y = [np.where(rng.permutation(12) < 6, -1.0, 1.0) for _ in range(3)]
    model = mt.SingleTaskRidge(lam=0.02, loss="logistic", tol=1e-10, max_iter=10)
    answers = []
    for well in (0.0, np.inf):
        monkeypatch.setattr(ridge, "WELL", well)
        answers.append(model.fit(X, y).coef_)
        assert model.result_.converged
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-9, atol=1e-12)
