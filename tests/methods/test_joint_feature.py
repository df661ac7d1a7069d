"""The page JointFeature: known answers, real data, and what its docstring claims."""

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
    check_known("JointFeature", 2)


def test_landmine(check_landmine: Any) -> None:
    check_landmine("JointFeature")


@pytest.mark.parametrize(("lam", "optimum", "zero_rows"), [
    (1400.0, 1009763.659, 24), (800.0, 927982.232, 22), (200.0, 783909.203, 16),
])  # fmt: skip
def test_school(school: mt.TaskData, lam: float, optimum: float, zero_rows: int) -> None:
    model = mt.JointFeature(lam=lam, scaling="sum", fit_intercept=False, tol=1e-10)
    for data in (school, mt.Moments.from_data(school)):
        certificate = model.fit(data).result_.certificate
        assert certificate.relative_gap <= 1e-10
        assert certificate.primal == pytest.approx(optimum, abs=1e-3)
        assert int((~model.selected_features_).sum()) == zero_rows


def test_lam_max_is_the_largest_row_of_correlations() -> None:
    model = mt.JointFeature(fit_intercept=False)
    G = np.column_stack([x.T @ y / len(y) for x, y in zip(X, Y, strict=True)])
    assert model.lam_max(DATA) == pytest.approx(np.linalg.norm(G, axis=1).max(), rel=1e-13)


def test_a_feature_is_used_by_all_tasks_or_by_none() -> None:
    model = mt.JointFeature(lam=0.7).fit(DATA)
    used = model.coef_ != 0
    assert (used.all(axis=0) | ~used.any(axis=0)).all()
    assert 0 < model.selected_features_.sum() < 5


def test_more_features_than_rows() -> None:
    designs = [RNG.standard_normal((15, 250)) for _ in range(3)]
    targets = [x[:, 0] - x[:, 1] for x in designs]
    model = mt.JointFeature(lam=0.2, tol=1e-10).fit(designs, targets)
    assert model.result_.certificate.relative_gap <= 1e-10
    assert model.selected_features_[:2].all()
    assert model.selected_features_.sum() < 60


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_rows_than_active_features(loss: str, n: int) -> None:
    """Newton's matrix is singular there: its step once left the solution by fourteen orders of magnitude."""
    for seed in range(15):
        rng = np.random.default_rng(seed)
        designs = [rng.standard_normal((n + 1, 5)) for _ in range(2)]
        targets = [np.array(([1.0, -1.0] * 3)[: n + 1]) + (loss == "squared") * x[:, 0] for x in designs]
        model = mt.JointFeature(loss=loss, scaling="sum", fit_intercept=False, tol=1e-9)
        model.set_params(lam=0.01 * model.lam_max(designs, y=targets)).fit(designs, targets)
        assert model.result_.certificate.relative_gap <= 1e-9
