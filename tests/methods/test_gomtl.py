"""The page GOMTL: known answers, each block against an interior-point solver, recovery, the docstring's claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.datafit import data_fit
from mtlref.optim.components import DENSE

RNG = np.random.default_rng(4)
X = [RNG.standard_normal((n, 5)) for n in (12, 9, 15, 11)]
Y = [x @ RNG.standard_normal(5) + 0.3 * RNG.standard_normal(len(x)) for x in X]
DATA = {
    "squared": mt.TaskData.from_list(X, Y),
    "logistic": mt.TaskData.from_list(X, [np.where(y > np.median(y), 1.0, -1.0) for y in Y]),
}
LOSSES = ["squared", "logistic"]


def fit(loss: str, relative: float = 1e-3, **changes: Any) -> Any:
    data = DATA[loss]
    model = mt.GOMTL(**{"loss": loss, "n_components": 3, "tol": 1e-10, **changes})
    return model.set_params(lam=relative * model.lam_zero(data)).fit(data)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_optimality_conditions_hold_row_by_row(loss: str) -> None:
    model = fit(loss, tol=1e-13)
    L, S = model.components_.T, model.membership_.T
    assert S.any()
    np.testing.assert_allclose(model.coef_.T, L @ S, rtol=1e-13, atol=1e-13)
    G = np.empty((5, 4))
    for t, (x, y) in enumerate(zip(X, DATA[loss].y, strict=True)):
        z = x @ model.coef_[t] + model.intercept_[t]
        theta = (y - z if loss == "squared" else y / (1 + np.exp(y * z))) / len(y)
        assert abs(theta.sum()) < 1e-8
        G[:, t] = x.T @ theta
    # A gap of 1e-13 leaves gradients of its root.
    np.testing.assert_allclose(G @ S.T, 2 * model.lam * L, atol=1e-5 * np.abs(G).max())
    pull = L.T @ G
    assert np.abs(pull).max() <= model.mu * (1 + 1e-5)
    np.testing.assert_allclose(pull[S != 0], model.mu * np.sign(S[S != 0]), rtol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("block", ["L", "S"])
def test_no_interior_point_solver_improves_a_block(loss: str, block: str) -> None:
    cp = pytest.importorskip("cvxpy")
    model = fit(loss)
    fixed = model.components_.T if block == "S" else model.membership_.T
    free = cp.Variable((3, 4) if block == "S" else (5, 3))
    L, S = (fixed, free) if block == "S" else (free, fixed)
    b = cp.Variable(4)
    total = model.mu * cp.sum(cp.abs(S)) + model.lam * cp.sum_squares(L)
    for t, (x, y) in enumerate(zip(X, DATA[loss].y, strict=True)):
        z = x @ (L @ S[:, t]) + b[t]
        loss_t = cp.sum_squares(y - z) / 2 if loss == "squared" else cp.sum(cp.logistic(-cp.multiply(y, z)))
        total += loss_t / len(y)
    value = cp.Problem(cp.Minimize(total)).solve(solver="CLARABEL")
    certificate = model.result_.certificate
    # The interior-point solver is good to about 1e-8 of the value.
    assert abs(value - certificate.primal) <= 1e-7 * certificate.scale


@pytest.mark.parametrize("relative", [1e-4, 0.05, 0.5, 1.5])
def test_one_task_of_one_feature_is_the_minimum_on_a_grid(relative: float) -> None:
    """There F(w) = L(w) + (3/2) (2 lam mu²)^{1/3} abs(w)^{2/3}, whose least value a fine grid finds."""
    data = mt.TaskData.from_list([X[0][:, :1]], [Y[0]])
    model = mt.GOMTL(mu=0.3, n_components=2, tol=1e-12)
    model.set_params(lam=relative * model.lam_zero(data)).fit(data)
    x, y = X[0][:, 0] - X[0][:, 0].mean(), Y[0] - Y[0].mean()
    w = np.linspace(-3, 3, 600_001)
    weight = 1.5 * np.cbrt(2 * model.lam * model.mu**2)
    values = ((x @ x) * w**2 - 2 * (x @ y) * w + y @ y) / (2 * len(y)) + weight * np.cbrt(w**2)
    assert model.result_.certificate.primal == pytest.approx(values.min(), rel=1e-9)
    # The grid's own step limits what it says of w.
    assert model.coef_[0, 0] == pytest.approx(w[values.argmin()], abs=2e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_beyond_lam_zero_nothing_is_the_global_minimum(loss: str) -> None:
    model = fit(loss, 1.0 + 1e-9)
    certificate = model.result_.certificate
    assert not model.coef_.any()
    assert model.lower_bound_ == pytest.approx(certificate.primal, rel=1e-9)
    assert fit(loss, 1e-3).lower_bound_ < fit(loss, 1e-3).result_.certificate.primal < certificate.primal


def test_overlapping_groups_are_found() -> None:
    for seed in range(3):
        data, W, _, (L, S) = mt.data.make_overlapping_groups(T=30, p=20, n=100, noise=0.1, random_state=seed)
        model = mt.GOMTL(restarts=1)
        model.set_params(lam=1e-5 * model.lam_zero(data)).fit(data)
        assert mt.metrics.support_f1(model.membership_.T, S) > 0.94
        # Thirty tasks of 100 rows with noise 0.1 show the subspace to about 0.02 radian.
        assert mt.metrics.subspace_angle(model.subspace_, L) < 0.03
        assert np.linalg.norm(model.coef_.T - W) < 0.08 * np.linalg.norm(W)


def test_few_rows_gain_from_the_groups() -> None:
    """The source's problem, 15 rows a task of 20 features: far better than any ridge of each task by itself."""
    data, W, _, _ = mt.data.make_overlapping_groups(noise=0.3, random_state=1)
    model, ridge = mt.GOMTL(restarts=2), mt.SingleTaskRidge()
    lams = np.logspace(-6, -2, 5) * model.lam_zero(data)
    best = min(np.linalg.norm(m.coef_.T - W) for m in model.path(data, lams))
    alone = min(np.linalg.norm(m.coef_.T - W) for m in ridge.path(data, np.logspace(-3, 1, 9)))
    assert best < 0.8 * alone


def test_more_starts_are_never_worse_and_the_seed_decides() -> None:
    data, _, _, _ = mt.data.make_overlapping_groups(n=30, random_state=5)
    lam = 1e-5 * mt.GOMTL().lam_zero(data)
    few, many = (mt.GOMTL(lam=lam, restarts=r).fit(data) for r in (0, 6))
    assert len(few.restart_objectives_) == 1
    assert len(many.restart_objectives_) == 7
    assert many.result_.certificate.primal <= few.result_.certificate.primal
    assert many.result_.certificate.primal == pytest.approx(many.restart_objectives_.min(), rel=1e-9)
    assert np.ptp(many.restart_objectives_) > 1e-6
    other = mt.GOMTL(lam=lam, restarts=6, random_state=9).fit(data)
    assert not (other.restart_objectives_[1:] == many.restart_objectives_[1:]).all()
    assert other.restart_objectives_[0] == many.restart_objectives_[0]


def test_components_come_by_size_with_positive_sums() -> None:
    model = fit("squared", 1e-4)
    size = np.linalg.norm(model.components_, axis=1) * np.abs(model.membership_).sum(axis=0)
    assert (np.diff(size) <= 0).all()
    assert (model.membership_.sum(axis=0) >= 0).all()
    assert model.subspace_.shape == (5, 3)
    np.testing.assert_allclose(model.subspace_.T @ model.subspace_, np.eye(3), atol=1e-14)
    assert mt.metrics.subspace_angle(model.subspace_, model.coef_.T) < 1e-7
    assert fit("squared", 2.0).subspace_.shape == (5, 0)


def test_conjugate_gradients_find_what_newton_finds() -> None:
    data, _, _, _ = mt.data.make_overlapping_groups(T=8, p=40, n=60, n_components=3, random_state=0)
    wide = mt.TaskData.from_list([np.hstack([x] + [0 * x] * 10) for x in data.X], list(data.y))
    model = mt.GOMTL(n_components=3, restarts=0)
    lam = 1e-3 * model.lam_zero(data)
    assert 3 * wide.p > DENSE
    few = model.set_params(lam=lam).fit(data).result_.certificate
    many = mt.GOMTL(lam=lam, n_components=3, restarts=0).fit(wide)
    assert many.result_.converged
    # Features of zeros change nothing; another path may end in another valley, not here.
    assert many.result_.certificate.primal == pytest.approx(few.primal, rel=1e-5)
    assert not many.coef_[:, 40:].any()


def test_school_is_certified(school: mt.TaskData) -> None:
    model = mt.GOMTL(n_components=3, restarts=0, tol=1e-8)
    moments = mt.Moments.from_data(school)
    model.set_params(lam=1e-5 * model.lam_zero(moments)).fit(moments)
    factors = (model.components_.T, model.membership_.T)
    certificate = mt.audit(model, school, factors, model.intercept_)
    assert certificate.relative_gap <= 1.01e-8
    assert certificate.primal < 0.9 * certificate.scale
    assert (np.diff(model.descent_) <= 1e-12 * certificate.scale).all()
    # 16 rounds when this was written; 41 by alternation alone.
    assert model.n_iter_ <= 60


def test_landmine_is_certified(landmine: mt.TaskData) -> None:
    model = mt.GOMTL(loss="logistic", n_components=2, restarts=0, tol=1e-8)
    model.set_params(lam=1e-5 * model.lam_zero(landmine)).fit(landmine)
    assert model.result_.converged
    assert model.membership_.any()


def test_zero_is_block_optimal_and_says_no_more() -> None:
    zero = (np.zeros((5, 2)), np.zeros((2, 4)))
    certificate = mt.audit(mt.GOMTL(lam=1e-6), DATA["squared"], zero)
    assert certificate.kind == "block optimality"
    assert certificate.gap == 0.0
    assert certificate.primal == pytest.approx(data_fit(DATA["squared"]).null)
    assert "block optimality" in str(certificate)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"mu": 0.0}, mt.DataError, "mu must be > 0"),
        ({"n_components": 0}, mt.DataError, "n_components must be >= 1"),
        ({"n_components": 2.5}, mt.FormError, "n_components must be a whole number >= 1"),
        ({"restarts": -1}, mt.DataError, "restarts must be >= 0"),
        ({"restarts": True}, mt.FormError, "restarts must be a whole number >= 0"),
    ],
)
def test_parameters_out_of_range(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mt.GOMTL(**changes).fit(DATA["squared"])


@pytest.mark.parametrize(
    ("W", "error", "message"),
    [
        (np.zeros((5, 4)), mt.FormError, "function of the factors"),
        ((np.zeros((4, 2)), np.zeros((2, 4))), mt.DataError, r"L must have shape \(5, k\)"),
        ((np.zeros((5, 2)), np.zeros((3, 4))), mt.DataError, r"one k; got \(5, 2\) and \(3, 4\)"),
        ((np.full((5, 2), np.nan), np.zeros((2, 4))), mt.DataError, "L"),
    ],
)
def test_an_audit_needs_both_factors(W: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mt.audit(mt.GOMTL(), DATA["squared"], W)
