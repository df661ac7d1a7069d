"""The fast paths against their plain twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.datafit import data_fit
from mtlref.losses import LOSSES
from mtlref.verify import naive
from mtlref.verify.derivative import complex_step, richardson
from mtlref.verify.strategies import KINDS, build

WELL = ("ragged", "shared", "zero_weights", "missing", "ties")


@pytest.mark.parametrize("name", [n for n, m in mt.methods().items() if "convex" in m.properties])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize(
    ("kind", "scaling", "intercept"), [("ragged", "mean", True), ("zero_weights", "sum", False)]
)
def test_the_solver_agrees_with_fista(name: str, loss: str, kind: str, scaling: str, intercept: bool) -> None:
    method = mt.methods()[name]
    data = build((kind,), 3, 3, 7, 11, loss)
    parameters: dict[str, Any] = {"loss": loss, "scaling": scaling, "fit_intercept": intercept, "tol": 1e-11}
    if method.required:
        parameters["graph"] = [[0, 1, 0], [1, 0, 2], [0, 2, 0]]
    scale = method.cls(**parameters).lam_scale(data)
    parameters["lam"] = 0.2 * scale
    if "ridge" in method.degrees:
        parameters["ridge"] = 0.1 * scale
    if "lam_sparse" in method.degrees:
        parameters["lam_sparse"] = 0.02 * scale
    model = method.cls(**parameters).fit(data)
    W, b = naive.solve(name, parameters, data, steps=1200)
    plain = naive.objective(name, parameters, data, W, b)
    certificate = model.result_.certificate
    # FISTA on the rows with some hundred steps: good to 1e-8, and never below the certified minimum.
    assert -1e-12 * certificate.scale <= plain - certificate.dual
    assert plain - certificate.primal <= 1e-7 * certificate.scale
    np.testing.assert_allclose(model.coef_.T, W, atol=2e-3 * (1 + np.abs(W).max()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_moments_are_the_sums_over_rows(kind: str, seed: int) -> None:
    data = build((kind,), 3, 3, 6, seed, "squared")
    fast, plain = mt.Moments.from_data(data), naive.moments(data)
    own = fast.per_task()
    for t, expected in enumerate(plain):
        size = np.abs(data.X[t]).max() + np.abs(data.y[t]).max()
        assert own.mass[t] == pytest.approx(expected["mass"], rel=1e-15)
        np.testing.assert_allclose(own.x_mean[t], expected["x_mean"], rtol=0, atol=1e-15 * size)
        # Centring first: what is lost is the rounding of the rows, not that of their squares.
        spread = (
            1e-15 * size * np.sqrt(max(np.diag(expected["cxx"]).max(), expected["cyy"])) + 1e-28 * size**2
        )
        np.testing.assert_allclose(own.cxx[t], expected["cxx"], rtol=1e-13, atol=50 * spread)
        np.testing.assert_allclose(own.cxy[t], expected["cxy"], rtol=1e-13, atol=50 * spread)
        np.testing.assert_allclose(own.cyy[t], expected["cyy"], rtol=1e-13, atol=50 * spread)


def test_columns_with_a_mean_of_1e9_lose_nothing_to_cancellation() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(-8, 9, (50, 3)).astype(float)  # integers, so that the shift is exact
    y = rng.integers(-8, 9, 50).astype(float)
    near = mt.Moments.from_data(mt.TaskData.from_list([X], [y]))
    far = mt.TaskData.from_list([X + 1e9], [y - 1e9])
    chunks = [far.take([np.arange(i, i + 10)]) for i in range(0, 50, 10)]
    # Means of size 1e9 are good to 1e-7 as numbers: joining chunks loses nothing because what rounding took is kept.
    for moments in (mt.Moments.from_data(far), mt.Moments.from_chunks(iter(chunks))):
        size = near.cxx.max()
        np.testing.assert_allclose(moments.cxx, near.cxx, rtol=0, atol=1e-13 * size)
        np.testing.assert_allclose(moments.cxy, near.cxy, rtol=0, atol=1e-13 * size)
        np.testing.assert_allclose(moments.cyy, near.cyy, rtol=0, atol=1e-13 * size)
    plain = mt.JointFeature(lam=0.1, tol=1e-10).fit([X], [y])
    # Predictions from such rows are themselves known to 1e-7 only, and the certificate says so.
    model = mt.JointFeature(lam=0.1, tol=1e-5)
    np.testing.assert_allclose(
        model.fit(mt.Moments.from_chunks(iter(chunks))).coef_, plain.coef_, rtol=0, atol=1e-6
    )
    np.testing.assert_allclose(model.fit(far).coef_, plain.coef_, rtol=0, atol=1e-6)


@pytest.mark.parametrize("loss", list(LOSSES))
@pytest.mark.parametrize("scaling", ["mean", "sum"])
@pytest.mark.parametrize("kind", WELL)
def test_the_loss_term_is_the_sum_over_rows(loss: str, scaling: str, kind: str) -> None:
    data = build((kind,), 3, 3, 6, 5, loss)
    rng = np.random.default_rng(0)
    W, b = rng.standard_normal((data.p, data.T)), rng.standard_normal(data.T)
    fits = [data_fit(data, loss, scaling)]
    if loss == "squared":
        fits.append(data_fit(mt.Moments.from_data(data), loss, scaling))
    plain = naive.loss_term(data, W, b, loss, scaling)
    best = naive.best_intercepts(data, W, loss, scaling)
    for fit in fits:
        assert fit.total(W, b) == pytest.approx(plain, rel=1e-12)
        np.testing.assert_allclose(fit.best_intercept(W), best, rtol=1e-9, atol=1e-9)
        # G is minus the gradient of L at the best intercepts, which are stationary.
        at = best.copy()
        numeric = richardson(
            lambda V, at=at: naive.loss_term(data, V.reshape(W.shape), at, loss, scaling), W.ravel()
        )
        np.testing.assert_allclose(fit.dual_point(W).G.ravel(), -numeric, atol=1e-8)


def test_derivatives_of_known_functions() -> None:
    x = np.array([0.3, -1.2, 2.0])
    np.testing.assert_allclose(
        complex_step(lambda z: np.exp(np.sin(z)).sum(), x), np.cos(x) * np.exp(np.sin(x)), rtol=1e-15
    )
    numeric = richardson(lambda z: float(np.exp(np.sin(z)).sum()), x)
    np.testing.assert_allclose(numeric, np.cos(x) * np.exp(np.sin(x)), rtol=1e-10)
