"""Logistic lassos of all tasks side by side, beside each task's own fit; and the search for their intercepts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.datafit import intercept
from mtlref.optim.codes import CodeRows, better_start, logistic_codes

RNG = np.random.default_rng(3)
SIZES = (25, 40, 12)
Z = [RNG.standard_normal((n, 4)) for n in SIZES]
Y = [np.where(z[:, 0] + RNG.standard_normal(len(z)) > 0, 1.0, -1.0) for z in Z]
MASS = [RNG.uniform(0.5, 1.5, n) for n in SIZES]
ROWS = CodeRows(np.vstack(Z), np.concatenate(Y), np.concatenate(MASS), np.array(SIZES))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("far", [0.0, 1.0, 300.0])
@pytest.mark.parametrize("mu", [0.01, 2.0])
def test_codes_are_each_tasks_own_lasso(fit_intercept: bool, far: float, mu: float) -> None:
    start = far * RNG.standard_normal((3, 4)), far * RNG.standard_normal(3) * fit_intercept
    V, b = logistic_codes(ROWS, *start, mu, fit_intercept)
    model = mt.SingleTaskLasso(mu, loss="logistic", scaling="sum", fit_intercept=fit_intercept, tol=1e-13)
    model.fit(Z, Y, sample_weight=MASS)
    np.testing.assert_allclose(V, model.coef_, atol=1e-6)  # the lasso's gap bounds the square of this
    np.testing.assert_allclose(b, model.intercept_, atol=1e-6)
    assert mt.audit(model, mt.TaskData.from_list(Z, Y, weights=MASS), V.T, b).relative_gap <= 1e-12


def test_the_better_start_is_chosen_task_by_task() -> None:
    one = np.zeros((3, 4)), np.zeros(3)
    other = np.array([[1.0, 0, 0, 0], [-50.0, 0, 0, 0], [1.0, 0, 0, 0]]), np.zeros(3)
    V, _, value = better_start(ROWS, 0.1, one, other)
    assert V[:, 0].tolist() == [1.0, 0.0, 1.0]
    again = better_start(ROWS, 0.1, (V, np.zeros(3)), (V, np.zeros(3)))[2]
    assert value == pytest.approx(again, rel=1e-14)


def test_rounding_does_not_begin_an_intercepts_search_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step below rounding that leaves its bracket was answered by halving the bracket, fifty times over."""
    calls = [0]
    plain: Any = intercept.expit

    def counted(x: np.ndarray) -> Any:
        calls[0] += 1
        return plain(x)

    monkeypatch.setattr(intercept, "expit", counted)
    most = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        z, y = 5 * rng.standard_normal(450), np.where(rng.random(450) < 0.06, 1.0, -1.0)
        calls[0] = 0
        b = intercept.logistic_intercept(y, z, np.ones(450))
        most = max(most, calls[0])
        assert abs((plain(z + b) - (y > 0)).mean()) <= 1e-14  # the slope's terms are of size one
    assert most <= 30
