"""The page ASO: block optimality, the relaxation's bound, and what its docstring claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import subspace_angles

import mtlref as mt

DATA, _, _ = mt.data.make_low_rank(T=10, p=6, n=25, rank=2, noise=0.5, random_state=0)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_gradient_vanishes_and_the_bound_is_the_relaxations(loss: str) -> None:
    data = DATA if loss == "squared" else mt.data.make_low_rank(T=5, p=4, n=25, loss=loss, random_state=0)[0]
    settings: dict[str, Any] = {"lam": 0.1, "eta": 0.1, "dim": 2, "loss": loss, "tol": 1e-10}
    model = mt.ASO(**settings).fit(data)
    certificate = model.result_.certificate
    assert model.result_.converged
    assert certificate.kind == "block optimality"
    relaxed = mt.ConvexASO(**settings).fit(data).result_.certificate
    assert model.lower_bound_ == pytest.approx(relaxed.dual, rel=1e-8)
    assert model.lower_bound_ <= certificate.primal
    assert (np.diff(model.descent_) <= 1e-12 * certificate.scale).all()
    # No step from the answer lowers (P), to the square of its size.
    rng = np.random.default_rng(0)
    for _ in range(10):
        step = 1e-4 * rng.standard_normal(model.coef_.T.shape)
        assert (
            mt.audit(model, data, model.coef_.T + step).primal
            >= certificate.primal - 1e-9 * certificate.scale
        )


def test_the_answer_of_its_subspace_in_closed_form() -> None:
    model = mt.ASO(lam=0.3, eta=0.2, dim=2, scaling="sum", fit_intercept=False, tol=1e-13).fit(DATA)
    B = model.subspace_
    penalty = 2 * 0.3 * (1.2 * np.eye(6) - B @ B.T)
    for x, y, w in zip(DATA.X, DATA.y, model.coef_, strict=True):
        np.testing.assert_allclose(w, np.linalg.solve(x.T @ x + penalty, x.T @ y), rtol=0, atol=1e-6)


def test_the_subspace_is_found() -> None:
    for seed in range(3):
        data, W, _ = mt.data.make_low_rank(T=15, p=10, n=30, rank=2, noise=0.3, random_state=seed)
        model = mt.ASO(lam=0.3, eta=0.01, dim=2).fit(data)
        truth = np.linalg.svd(W)[0][:, :2]
        assert np.rad2deg(subspace_angles(model.subspace_, truth).max()) < 6


def test_more_features_than_rows() -> None:
    data, _, _ = mt.data.make_low_rank(T=3, p=30, n=5, rank=1, random_state=0)
    model = mt.ASO(lam=0.1, eta=0.2, dim=2, tol=1e-9).fit(data)
    assert model.result_.certificate.relative_gap <= 1e-9
    assert model.subspace_.shape == (30, 2)


@pytest.mark.parametrize("dim", [6, 9])
def test_as_many_directions_as_w_has_is_ridge(dim: int) -> None:
    one = mt.ASO(lam=0.4, eta=0.25, dim=dim, tol=1e-12).fit(DATA)
    np.testing.assert_allclose(one.coef_, mt.SingleTaskRidge(lam=0.2, tol=1e-12).fit(DATA).coef_, atol=1e-6)


@pytest.mark.parametrize("bad", [{"eta": 0.0}, {"dim": 0}, {"n_restarts": 0}])
def test_parameters_out_of_range(bad: dict[str, Any]) -> None:
    with pytest.raises(mt.DataError, match=next(iter(bad))):
        mt.ASO(**bad).fit(DATA)


def test_school_and_landmine(school: mt.TaskData, landmine: mt.TaskData) -> None:
    """Block optimality to 1e-8; the relaxation bounds the minimum from below."""
    for data, loss, share in ((mt.Moments.from_data(school), "squared", 0.01), (landmine, "logistic", 0.1)):
        model = mt.ASO(loss=loss, n_restarts=1, tol=1e-8)
        model.set_params(lam=share * model.lam_scale(data)).fit(data)
        certificate = model.result_.certificate
        assert certificate.relative_gap <= 1e-8
        assert 0 < model.lower_bound_ <= certificate.primal


@pytest.mark.parametrize("weight", ["lam", "eta"])
def test_a_weight_out_of_range_is_named(weight: str) -> None:
    with pytest.raises(mt.DataError, match=f"^{weight} must be"):
        mt.ASO(**{weight: -1.0})._weights()
