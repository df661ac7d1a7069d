"""MGDA: the closed form of two tasks, every set of tasks tried, cvxpy, and its four normalisations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.balance.hard import jacobians, make
from mtlref.balance.jacobian import rows_of
from mtlref.balance.mgda import gap
from mtlref.balance.minnorm import hull_point, inner_products, quick_hull
from mtlref.verify.balancing import shortest_in_hull

B = mt.balance


def draws(count: int, *kinds: str) -> list[Any]:
    return [make(kind, np.random.default_rng(k)) for kind in kinds for k in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_two_tasks_have_a_closed_form(seed: int) -> None:
    a, b = np.random.default_rng(seed).standard_normal((2, 4)) + 0.3 * (seed % 3)
    w = min(max(float((b - a) @ b) / float((b - a) @ (b - a)), 0.0), 1.0)
    np.testing.assert_allclose(B.MGDA()(np.stack([a, b])), w * a + (1 - w) * b, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "J", draws(4, "plain", "tall", "conflicting", "rank_deficient", "balanced", "duplicate")
)
def test_the_point_is_the_best_of_all_sets_of_tasks(J: Any) -> None:
    size = np.linalg.norm(J, axis=1).max()
    # The twin works through J J': half the digits where the rows nearly cancel.
    assert np.linalg.norm(B.MGDA()(J) - shortest_in_hull(J)) <= 1e-7 * size


@pytest.mark.parametrize("seed", range(3))
def test_cvxpy_agrees(seed: int) -> None:
    cp = pytest.importorskip("cvxpy")
    J = make("plain", np.random.default_rng(seed))
    w = cp.Variable(len(J), nonneg=True)
    value = cp.Problem(cp.Minimize(cp.sum_squares(J.T @ w)), [cp.sum(w) == 1]).solve(solver="CLARABEL")
    d = B.MGDA()(J)
    assert abs(float(d @ d) - value) <= 1e-8 * (1 + value)


@pytest.mark.parametrize("normalization", ["none", "l2", "loss", "loss+"])
def test_normalisations_divide_the_gradients(normalization: str) -> None:
    J = make("aligned", np.random.default_rng(1))
    losses = 0.5 + np.arange(len(J))
    length = np.linalg.norm(J, axis=1)
    s = {"none": np.ones(len(J)), "l2": length, "loss": losses, "loss+": losses * length}[normalization]
    solution = B.MGDA(normalization).solve(J, losses)
    np.testing.assert_allclose(solution.direction, B.MGDA()(J / s[:, None]), rtol=0, atol=1e-13)
    np.testing.assert_allclose(solution.weights @ J, solution.direction, rtol=0, atol=1e-13)
    assert solution.certificate.residual <= 1e-14
    assert solution.certificate.smallest > 0
    code = B.MGDA(normalization, convention="weights").solve(J, losses)
    np.testing.assert_allclose(code.weights, solution.weights * s, rtol=0, atol=1e-13)
    np.testing.assert_allclose(code.direction, code.weights @ J, rtol=0, atol=1e-13)
    assert code.weights.sum() == pytest.approx(1.0, abs=1e-14)


def test_a_gap_of_another_point_is_its_distance() -> None:
    from mtlref.balance.mgda import gap

    J = make("plain", np.random.default_rng(3))
    best, mean = B.MGDA()(J), J.mean(axis=0)
    size = np.linalg.norm(J, axis=1).max()
    assert gap(J, mean) * size**2 >= np.linalg.norm(mean - best) ** 2
    assert gap(J, best) <= 1e-15


def test_opposite_and_zero_rows() -> None:
    J = np.outer([1.0, -0.25], [3.0, 4.0])
    solution = B.MGDA().solve(J)
    np.testing.assert_allclose(solution.weights, [0.2, 0.8], rtol=0, atol=1e-14)
    assert np.linalg.norm(solution.direction) <= 1e-15
    assert solution.certificate.stationary
    zero = B.MGDA("l2").solve(np.array([[1.0, 2.0], [0.0, 0.0]]))
    assert not zero.direction.any()
    assert zero.certificate.stationary


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e150, 1e300])
def test_sizes_at_the_ends_of_the_range(scale: float) -> None:
    J = make("aligned", np.random.default_rng(2)) / 10
    for balancer in (
        B.MGDA(),
        B.DualProj(),
        B.UPGrad(),
        B.IMTLG(),
        B.ConFIG(),
        B.AlignedMTL(),
        B.CAGrad(),
        B.PCGrad(),
    ):
        got = balancer(J * scale) / scale
        np.testing.assert_allclose(got, balancer(J), rtol=1e-11, atol=1e-11)
    for balancer in (B.NashMTL(), B.FairGrad(1.0)):
        np.testing.assert_allclose(balancer(J * scale), balancer(J), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("m", [1, 2, 3, 5, 10, 30])
def test_the_short_way_is_the_long_way(m: int) -> None:
    taken = 0
    for seed in range(20):
        rng = np.random.default_rng([m, seed])
        J = rng.standard_normal((m, 200)) + rng.uniform(0, 1) * rng.standard_normal(200)
        J *= np.exp(rng.uniform(-2, 2, m))[:, None]
        quick = quick_hull(J)
        if quick is None:
            continue
        taken += 1
        w, d = hull_point(rows_of(J))
        np.testing.assert_allclose(quick[0], w, atol=1e-12)
        largest = np.linalg.norm(J, axis=1).max()
        np.testing.assert_allclose(quick[1], rows_of(J).back(d), atol=1e-12 * largest)
    assert taken >= 10  # it is a way that is taken


def test_the_short_way_leaves_hard_jacobians_alone() -> None:
    """Where it answers on the hard ones, the answer is optimal to rounding."""
    for case in jacobians(3, 0):
        quick = quick_hull(np.array(case.J))
        if quick is not None:
            assert gap(case.J, quick[1]) <= 1e-12, case
            assert (quick[0] >= 0).all()
    for bad in (np.nan, np.inf, 1e300, 1e-300):
        J = np.eye(3, 5)
        J[1, 1] = bad
        assert quick_hull(J) is None
    for J in (np.full((2, 3), np.nan), [[1.0, np.inf]], np.zeros((0, 3)), np.zeros((2, 0))):
        with pytest.raises(mt.DataError):
            mt.balance.MGDA()(J)


@pytest.mark.parametrize("shape", [(1, 7), (3, 5), (5, 30000), (20, 9001), (64, 4096), (1, 200000)])
def test_inner_products_in_pieces_and_whole(shape: tuple[int, int]) -> None:
    J = np.random.default_rng(0).standard_normal(shape)
    for form in (J, np.asfortranarray(J), np.repeat(J, 2, axis=1)[:, ::2]):
        np.testing.assert_allclose(
            inner_products(form), np.einsum("id,jd->ij", J, J), rtol=0, atol=1e-12 * shape[1]
        )
    J[0, -1] = np.nan
    assert np.isnan(inner_products(J)[0, 0])
