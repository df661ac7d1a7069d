"""CAGrad: one dimension searched, bisection over all sets of tasks, cvxpy, and its conditions themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.balance.hard import jacobians, make
from mtlref.verify.balancing import conflict_averse

B = mt.balance


@pytest.mark.parametrize("c", [0.1, 0.5, 1.0, 3.0])
def test_the_conditions_hold_to_the_last_digits(c: float) -> None:
    """(K): d − g_0 along g_w, and every task with weight gains the same; sharper than the gap, which is quadratic."""
    for hard in jacobians(4, 1):
        J = hard.J
        solution = B.CAGrad(c).solve(J)
        mean, size = J.mean(axis=0), np.linalg.norm(J, axis=1).max()
        moved = solution.direction - mean
        assert np.linalg.norm(moved) <= c * np.linalg.norm(mean) * (1 + 1e-13) + 1e-14 * size
        assert solution.certificate.residual <= 1e-13, hard
        v = solution.weights - 1 / len(J)
        gains = J @ solution.direction
        active = v > 1e-9 * np.abs(v).max()
        if active.any() and hard.kind != "zero_row":
            assert np.ptp(gains[active]) <= 1e-11 * size**2, hard


@pytest.mark.parametrize("seed", range(8))
def test_two_tasks_by_a_search_over_one_weight(seed: int) -> None:
    J = np.random.default_rng(seed).standard_normal((2, 4))
    mean = J.mean(axis=0)
    radius = 0.5 * np.linalg.norm(mean)

    def dual(w: Any) -> Any:
        tilted = w[:, None] * J[0] + (1 - w[:, None]) * J[1]
        return tilted @ mean + radius * np.linalg.norm(tilted, axis=1)

    low, high = 0.0, 1.0
    for _ in range(40):  # the convex function's minimum lies beside the best point of the grid
        grid = np.linspace(low, high, 101)
        best = int(np.argmin(dual(grid)))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 100)]
        if high - low < 1e-7:
            break
    gain = (J @ B.CAGrad(0.5)(J)).min()
    assert gain == pytest.approx(float(dual(np.linspace(low, high, 3)).min()), abs=1e-12)


@pytest.mark.parametrize("c", [0.4, 1.5])
@pytest.mark.parametrize("kind", ["plain", "conflicting", "tall", "rank_deficient"])
def test_the_plain_twin_agrees(kind: str, c: float) -> None:
    for seed in range(2):
        J = make(kind, np.random.default_rng(seed))
        size = np.linalg.norm(J, axis=1).max()
        gain, twin = (J @ B.CAGrad(c)(J)).min(), (J @ conflict_averse(J, c)).min()
        assert abs(gain - twin) <= 1e-8 * size**2


@pytest.mark.parametrize("seed", range(3))
def test_cvxpy_agrees(seed: int) -> None:
    cp = pytest.importorskip("cvxpy")
    J = make("plain", np.random.default_rng(seed))
    mean = J.mean(axis=0)
    d, t = cp.Variable(J.shape[1]), cp.Variable()
    ball = cp.norm(d - mean) <= 0.5 * np.linalg.norm(mean)
    value = cp.Problem(cp.Maximize(t), [ball, J @ d >= t]).solve(solver="CLARABEL")
    # An interior point is good to 1e-8 of the problem's size.
    assert (J @ B.CAGrad(0.5)(J)).min() == pytest.approx(value, abs=1e-6)


def test_no_radius_is_the_mean_and_a_large_one_the_shortest_vector() -> None:
    J = make("aligned", np.random.default_rng(0))
    np.testing.assert_array_equal(B.CAGrad(0.0)(J), B.CAGrad(0.0)(J))
    np.testing.assert_allclose(B.CAGrad(0.0)(J), J.mean(axis=0), rtol=0, atol=1e-15)
    far, along = B.CAGrad(1e7)(J), B.MGDA()(J)
    # The mean gradient is a 1e-7 part of the direction.
    np.testing.assert_allclose(far / np.linalg.norm(far), along / np.linalg.norm(along), rtol=0, atol=1e-5)


def test_rescaling_is_a_convention() -> None:
    J = make("plain", np.random.default_rng(5))
    plain = B.CAGrad(0.5)(J)
    np.testing.assert_allclose(B.CAGrad(0.5, "1+c2")(J), plain / 1.25, rtol=1e-15)
    np.testing.assert_allclose(B.CAGrad(0.5, "1+c")(J), plain / 1.5, rtol=1e-15)
    solution = B.CAGrad(0.5, "1+c").solve(J)
    np.testing.assert_allclose(solution.weights @ J, solution.direction, rtol=0, atol=1e-14)


def test_where_many_directions_are_optimal_the_nearest_to_the_mean_is_taken() -> None:
    J = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 3.0]])
    np.testing.assert_allclose(B.CAGrad(0.5)(J), [0.0, 1.0], rtol=0, atol=1e-15)
    assert not B.CAGrad()(np.array([[1.0, 2.0], [-1.0, -2.0]])).any()
    zero = np.array([[0.0, 0.0], [2.0, 0.0], [-1.0, 0.5]])
    solution = B.CAGrad(0.8).solve(zero)
    np.testing.assert_allclose(solution.direction, B.DualProj()(zero), rtol=0, atol=1e-15)
    assert solution.certificate.smallest >= -1e-15
    assert solution.certificate.residual <= 1e-15


@pytest.mark.parametrize("c", [0.05, 0.2, 0.5])
def test_a_task_without_a_gradient_beside_tasks_in_conflict(c: float) -> None:
    # No direction in the ball helps the first two, so that the worst gain is below that of the zero row.
    J = np.array([[1.0, 0.0], [-3.0, 0.2], [0.0, 0.0]])
    solution = B.CAGrad(c).solve(J)
    assert solution.certificate.residual <= 1e-12
    mean = J.mean(axis=0)
    angle = np.linspace(0, 2 * np.pi, 20_001)
    ring = mean + c * np.linalg.norm(mean) * np.column_stack([np.cos(angle), np.sin(angle)])
    best = (ring @ J.T).min(axis=1).max()
    assert best < 0
    assert (J @ solution.direction).min() == pytest.approx(best, abs=1e-7)  # of 20,001 directions
