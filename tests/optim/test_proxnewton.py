"""Newton's method for the logistic loss from starts at which its own model says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

import mtlref as mt
from mtlref.optim import proxnewton, rowsproblem
from mtlref.optim.rowsproblem import majorising_curvature
from mtlref.verify.strategies import build

METHODS: list[tuple[Any, dict[str, Any]]] = [
    (mt.SingleTaskRidge, {}),
    (mt.JointFeature, {}),
    (mt.JointFeatureLinf, {}),
    (mt.MTRL, {}),
    (mt.GraphRegularized, {"graph": np.ones((3, 3)), "ridge": 1e-3, "lam_sparse": 1e-3}),
]
FAR = [3.0, 30.0, 1000.0]


def fit(kind: Any, weights: dict[str, Any], far: float, seed: int, **settings: Any) -> mt.Result:
    """From coefficients of the size ``far``, on data that no plane divides; lam is a thousandth of its natural size."""
    rng = np.random.default_rng(seed)
    X = [rng.standard_normal((30, 4)) + 1.0 for _ in range(3)]
    scores = [x @ rng.standard_normal(4) - 1.0 + rng.standard_normal(30) for x in X]
    data = mt.TaskData.from_list(X, [np.where(z > np.median(z), 1.0, -1.0) for z in scores])
    model = kind(loss="logistic", tol=1e-8, **{"max_iter": 300, **weights, **settings})
    model.set_params(lam=1e-3 * model.lam_scale(data))
    start = far * rng.standard_normal((4, 3)), far * rng.standard_normal(3) * model.fit_intercept
    result: mt.Result = model._prepare(data).solve(model, model._weights(), start).result
    return result


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize(("kind", "weights"), METHODS)
def test_the_answer_is_found_from_far_out(kind: Any, weights: dict[str, Any], far: float) -> None:
    found = fit(kind, weights, far, 1)
    assert found.certificate.relative_gap <= 1e-8
    near = fit(kind, weights, 0.0, 1)
    assert found.certificate.primal == pytest.approx(near.certificate.primal, rel=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_row_maxima_along_a_steep_path(seed: int) -> None:
    """Each start is a leap beyond the last two answers, whose rows share their level with other tasks."""
    for far in (10.0, 100.0):
        assert fit(mt.JointFeatureLinf, {}, far, seed).certificate.relative_gap <= 1e-8
        assert fit(mt.JointFeatureLinf, {}, far, seed, fit_intercept=False).certificate.relative_gap <= 1e-8


def own_curvature(z: np.ndarray) -> np.ndarray:
    """The loss's own second derivative."""
    return np.asarray(expit(z) * expit(-z))


@pytest.mark.parametrize(
    ("module", "name", "value", "kind", "far"),
    [
        (rowsproblem, "majorising_curvature", own_curvature, mt.SingleTaskRidge, 1000.0),
        (proxnewton, "LAST_HALVINGS", 0, mt.JointFeatureLinf, 30.0),
    ],
)
def test_each_part_of_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, value: Any, kind: Any, far: float
) -> None:
    monkeypatch.setattr(module, name, value)
    try:
        with np.errstate(all="ignore"):
            lost = not fit(kind, {}, far, 1, max_iter=60).certificate.relative_gap <= 1e-8
    except (ZeroDivisionError, np.linalg.LinAlgError):
        lost = True
    assert lost


def test_the_parabola_lies_nowhere_below_the_loss() -> None:
    z = np.concatenate([[0.0, 1e-12, -1e-9, 1e-7], np.linspace(-40, 40, 81), [-1e3, 1e3]])
    to = np.linspace(-60, 60, 481)
    bend = majorising_curvature(z)[:, None]
    move = to - z[:, None]
    loss = np.logaddexp(0.0, -z)[:, None]
    slope = -1.0 / (1.0 + np.exp(np.minimum(z, 700.0)))[:, None]
    above = loss + slope * move + bend / 2 * move**2 - np.logaddexp(0.0, -to)
    assert above.min() >= -1e-12
    # It touches again at −z, so that a smaller curvature would cross the loss.
    again = loss[:, 0] - 2 * slope[:, 0] * z + 2 * bend[:, 0] * z**2 - np.logaddexp(0.0, z)
    np.testing.assert_allclose(again, 0.0, atol=1e-9)  # up to 1e3 less 1e3


@pytest.mark.parametrize("kind", [mt.SingleTaskLasso, mt.JointFeature, mt.JointFeatureLinf])
def test_a_last_step_is_not_refused_for_the_rounding_of_far_coefficients(kind: Any) -> None:
    """Separated classes: terms of a model's value are thousands of times their sum."""
    data = build(("plain",), 1, 5, 6, 104, "logistic")
    model = kind(lam=0.0016484965506443237, fit_intercept=False, loss="logistic", tol=1e-9).fit(data)
    assert model.result_.certificate.relative_gap <= 1e-9
