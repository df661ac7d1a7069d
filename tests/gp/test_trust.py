"""Newton's method in a trust region, on functions whose least points are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mtlref.errors import IllConditioned
from mtlref.gp.trust import minimise

FAR = np.full(2, 100.0)


class At:
    def __init__(self, value: float, gradient: Any, H: Any) -> None:
        self.value, self.gradient, self.H = value, gradient, H

    def hessian(self) -> Any:
        return self.H


def rosenbrock(x: Any) -> At:
    """100 (x₁ − x₀²)² + (1 − x₀)²."""
    a, b = x
    value = 100 * (b - a * a) ** 2 + (1 - a) ** 2
    gradient = np.array([-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)])
    return At(value, gradient, np.array([[1200 * a * a - 400 * b + 2, -400 * a], [-400 * a, 200.0]]))


def wells(x: Any) -> At:
    """Σ (x² − 1)² / 4 from a height: indefinite between the wells."""
    return At(float(((x * x - 1) ** 2).sum() / 4), x**3 - x, np.diag(3 * x * x - 1))


def quadratic(H: Any, c: Any) -> Any:
    return lambda x: At(float(0.5 * x @ H @ x - c @ x), H @ x - c, H)


def test_a_quadratic_takes_one_step() -> None:
    rng = np.random.default_rng(0)
    R = rng.standard_normal((5, 5))
    H, c = R @ R.T + np.eye(5), rng.standard_normal(5)
    found = minimise(
        quadratic(H, c), np.zeros(5), *np.outer([-100, 100], np.ones(5)), 1e-10, 20, radius=100.0
    )
    assert found.count == 2
    np.testing.assert_allclose(found.x, np.linalg.solve(H, c), rtol=1e-10)


def test_a_curved_valley() -> None:
    found = minimise(rosenbrock, np.array([-1.2, 1.0]), -FAR, FAR, 1e-9, 100)
    np.testing.assert_allclose(found.x, 1.0, rtol=1e-8)
    assert found.count < 60


def test_never_uphill() -> None:
    seen = []

    def f(x: Any) -> At:
        seen.append(rosenbrock(x).value)
        return rosenbrock(x)

    for count in range(1, 13):
        seen.clear()
        found = minimise(f, np.array([-1.2, 1.0]), -FAR, FAR, 1e-9, count, radius=10.0)
        assert found.count == len(seen) == count
        assert found.point.value == min(seen)
    assert max(np.diff(seen)) > 0


def test_an_indefinite_start() -> None:
    found = minimise(wells, np.array([0.1, -0.2, 0.3]), *np.outer([-9, 9], np.ones(3)), 1e-10, 50)
    np.testing.assert_allclose(found.x, [1, -1, 1], rtol=1e-9)


def test_bounds() -> None:
    """min ½ x' H x − c' x within bounds, against all choices of which variables are at which bound."""
    rng = np.random.default_rng(1)
    R = rng.standard_normal((4, 4))
    H, c = R @ R.T + 0.1 * np.eye(4), 3 * rng.standard_normal(4)
    low, high = np.full(4, -0.5), np.full(4, 0.7)
    f = quadratic(H, c)
    best = np.inf
    for code in np.ndindex(3, 3, 3, 3):
        at = np.array(code)
        x = np.where(at == 0, low, high)
        free = at == 2
        if free.any():
            x[free] = np.linalg.solve(H[np.ix_(free, free)], c[free] - H[np.ix_(free, ~free)] @ x[~free])
        if (x >= low).all() and (x <= high).all():
            best = min(best, f(x).value)
    found = minimise(f, np.zeros(4), low, high, 1e-10, 100)
    assert found.point.value == pytest.approx(best, rel=1e-12)
    assert ((found.x == low) | (found.x == high)).any()
    assert ((found.x >= low) & (found.x <= high)).all()


def test_points_without_a_value_are_stepped_back_from() -> None:
    def beyond(x: Any) -> At:
        if not x[0] > 2:
            raise IllConditioned("no value here")
        return quadratic(np.eye(2), np.zeros(2))(x)

    found = minimise(beyond, np.array([9.0, 5.0]), -FAR, FAR, 1e-9, 30, radius=50.0)
    assert found.refused > 0
    assert 2 < found.x[0] < 3
    with pytest.raises(IllConditioned):
        minimise(beyond, np.zeros(2), -FAR, FAR, 1e-9, 10)
