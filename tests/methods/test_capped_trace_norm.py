"""The page CappedTraceNorm: the majorisers, real data, and what its docstring claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.datafit import data_fit
from mtlref.errors import DataError, FormError
from mtlref.linear.capped_trace_norm import certificate, tangent
from mtlref.optim.spectral import PartialTraceTerm, TraceNormTerm
from mtlref.verify.strategies import build

RNG = np.random.default_rng(1)
X = [RNG.standard_normal((n, 5)) for n in (22, 19, 25, 20)]
W0 = 2 * np.outer(RNG.standard_normal(5), RNG.standard_normal(4)) + 0.2 * RNG.standard_normal((5, 4))
Y = [x @ W0[:, t] + 0.3 * RNG.standard_normal(len(x)) for t, x in enumerate(X)]
DATA = {
    "squared": mt.TaskData.from_list(X, Y),
    "logistic": mt.TaskData.from_list(X, [np.where(y > 0, 1.0, -1.0) for y in Y]),
}


@pytest.mark.parametrize(("share", "threshold"), [(0.3, 10.0), (0.03, 100.0), (0.003, 1.0)])
def test_school(school: mt.TaskData, share: float, threshold: float) -> None:
    model = mt.CappedTraceNorm(threshold=threshold, tol=1e-9)
    model.set_params(lam=share * model.lam_max(school)).fit(mt.Moments.from_data(school))
    again = mt.audit(model, school, model.coef_.T)
    assert again.kind == "stationarity"
    assert again.relative_gap <= 1.01e-9
    values = [stage.objective for stage in model.stages_]
    assert len(values) > 1
    assert values == sorted(values, reverse=True)
    assert all(stage.certificate.relative_gap <= 1.01e-9 for stage in model.stages_)


def test_landmine(landmine: mt.TaskData) -> None:
    model = mt.CappedTraceNorm(loss="logistic", threshold=2.0, ridge=1e-2, tol=1e-8)
    model.set_params(lam=0.1 * model.lam_max(landmine)).fit(landmine)
    assert model.result_.certificate.relative_gap <= 1e-8


@pytest.mark.parametrize(("loss", "ridge"), [("squared", 0.0), ("squared", 0.05), ("logistic", 0.05)])
def test_the_answer_minimises_its_own_majoriser(loss: str, ridge: float) -> None:
    """An interior-point solver finds no lower value of (M) made at W."""
    cp = pytest.importorskip("cvxpy")
    data = DATA[loss]
    model = mt.CappedTraceNorm(lam=0.15, threshold=1.0, ridge=ridge, loss=loss, tol=1e-10).fit(data)
    S, k = tangent(model.coef_.T, 1.0)
    assert 0 < k < model.rank_
    W, b = cp.Variable((5, 4)), cp.Variable(4)
    total = 0.15 * (cp.normNuc(W) - cp.sum(cp.multiply(S, W)) + k) + ridge / 2 * cp.sum_squares(W)
    for t, (x, y) in enumerate(zip(data.X, data.y, strict=True)):
        z = x @ W[:, t] + b[t]
        each = cp.square(z - y) / 2 if loss == "squared" else cp.logistic(-cp.multiply(y, z))
        total += cp.sum(each) / len(y)
    least = cp.Problem(cp.Minimize(total)).solve(solver="CLARABEL", tol_gap_abs=1e-9, tol_gap_rel=1e-9)
    assert model.result_.certificate.primal == pytest.approx(least, rel=1e-7)  # what the oracle is good to


def test_the_majoriser_touches_and_bounds_from_above() -> None:
    """M made at V is F there, and at least F elsewhere."""
    fit = data_fit(DATA["squared"])
    weights = {"lam": 0.2, "threshold": 1.0, "ridge": 0.1}
    for size in (0.1, 0.5, 3.0):
        V = size * RNG.standard_normal((5, 4))
        b = fit.best_intercept(V)
        here = certificate(fit, V, b, **weights).primal
        assert here == pytest.approx(mt.CappedTraceNorm.objective(fit, V, b, **weights), rel=1e-13)
        for _ in range(20):
            W = V + size * RNG.standard_normal((5, 4))
            bw = fit.best_intercept(W)
            majoriser = certificate(fit, W, bw, **weights, at=V).primal
            assert majoriser >= mt.CappedTraceNorm.objective(fit, W, bw, **weights) - 1e-12


def test_every_majoriser_is_bounded_from_below_by_its_dual() -> None:
    """At any W and any V: the dual value of M made at V is below M at points that nothing chose."""
    fit = data_fit(DATA["squared"])
    for ridge in (0.0, 0.1):
        for size in (0.5, 3.0):
            V, W = size * RNG.standard_normal((5, 4)), size * RNG.standard_normal((5, 4))
            W = 0.9 * W0 + 0.1 * W
            dual = certificate(fit, W, fit.best_intercept(W), lam=0.3, threshold=1.0, ridge=ridge, at=V).dual
            for point in (W0, W, V, 0.5 * W0):
                b = fit.best_intercept(point)
                value = certificate(fit, point, b, lam=0.3, threshold=1.0, ridge=ridge, at=V).primal
                assert value >= dual - 1e-12


def test_an_orthonormal_design_keeps_large_singular_values() -> None:
    Q = np.linalg.qr(RNG.standard_normal((9, 4)))[0]
    U, V = np.linalg.qr(RNG.standard_normal((4, 4)))[0], np.linalg.qr(RNG.standard_normal((4, 4)))[0]
    B = U @ np.diag([5.0, 2.5, 1.5, 0.3]) @ V.T
    settings: dict[str, Any] = {"scaling": "sum", "fit_intercept": False, "tol": 1e-12}
    model = mt.CappedTraceNorm(lam=0.7, threshold=2.0, **settings).fit(Q, Q @ B)
    # 2.5 − 0.7 is below the threshold in the first stage, and so stays shrunk: a stationary point of two.
    np.testing.assert_allclose(model.singular_values_, [5.0, 1.8, 0.8, 0.0], atol=1e-8)
    np.testing.assert_allclose(model.coef_.T, U @ np.diag([5.0, 1.8, 0.8, 0.0]) @ V.T, atol=1e-8)
    assert model.rank_ == 3


def test_low_rank_truth_is_estimated_without_bias() -> None:
    """The first singular value is that of the least squares of rank one; the trace norm's is smaller."""
    data = DATA["squared"]
    capped = mt.CappedTraceNorm(lam=0.3, threshold=1.5, tol=1e-9).fit(data)
    plain = mt.TraceNorm(lam=0.3, tol=1e-9).fit(data)
    truth = np.linalg.svd(W0, compute_uv=False)[0]
    assert abs(capped.singular_values_[0] - truth) < 0.3 * abs(plain.singular_values_[0] - truth)


def test_leaving_none_alone_is_the_trace_norm() -> None:
    sigma = np.array([5.0, 2.0, 1.0, 0.2])
    for free, value, shrunk in (
        (0, 8.2, [4.5, 1.5, 0.5, 0.0]),
        (2, 1.2, [5.0, 2.0, 0.5, 0.0]),
        (4, 0.0, sigma),
    ):
        term = PartialTraceTerm(1.0, free)
        assert term.value(sigma) == pytest.approx(value)
        np.testing.assert_allclose(term.prox(sigma, 0.5), shrunk)
    assert PartialTraceTerm(0.3).value(sigma) == TraceNormTerm(0.3).value(sigma)


@pytest.mark.parametrize(("threshold", "error"), [(0.0, DataError), (-1.0, DataError), ("a", FormError)])
def test_a_bad_threshold_is_refused(threshold: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="threshold"):
        mt.CappedTraceNorm(threshold=threshold).fit(DATA["squared"])


def test_an_answer_off_by_its_rounding_is_stationary() -> None:
    """Three rows in five features leave directions that no θ reaches: there σ_1 = lam, whatever the last bits of W."""
    data = build(("shared",), 2, 5, 2, 522, "squared")
    model = mt.CappedTraceNorm(lam=0.12, threshold=0.28, scaling="sum", tol=1e-7)
    rng = np.random.default_rng(0)
    for _ in range(40):
        counts = [rng.integers(1, 4, len(y)) for y in data.y]
        rows = [np.repeat(x, k, axis=0) for x, k in zip(data.X, counts, strict=True)]
        repeated = mt.TaskData.from_list(rows, [np.repeat(y, k) for y, k in zip(data.y, counts, strict=True)])
        fitted = model.fit(repeated)
        W = fitted.coef_.T * (1 + 2e-16 * rng.integers(-8, 9, (5, 2)))
        assert mt.audit(model, repeated, W, fitted.intercept_).relative_gap <= 1e-7


def test_where_nothing_holds_what_is_free_the_fit_ends_soon_and_says_so() -> None:
    """Free directions that separate the classes: the loss falls all the way to infinity."""
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((24, 12))
    W = rng.standard_normal((12, 3)) @ rng.standard_normal((3, 8))
    data = mt.TaskData.from_shared(rows, np.sign(rows @ W))
    model = mt.CappedTraceNorm(loss="logistic", threshold=0.5)
    model.set_params(lam=0.2 * model.lam_max(data))
    with pytest.warns(mt.NotConverged):
        model.fit(data)
    assert model.n_iter_ < 300
    held = model.set_params(ridge=0.01).fit(data)
    assert held.result_.certificate.relative_gap <= held.tol
