"""ADMM: what its linear systems and its acceleration rest on."""

from __future__ import annotations

import numpy as np
import pytest

from mtlref.optim.admm import Anderson, admm
from mtlref.optim.diagonal import Diagonal
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.stacks import principal


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("blocks", [1, 4])
def test_inverses_for_one_shift_are_those_of_the_spectrum(ridge: float, blocks: int) -> None:
    rng = np.random.default_rng(blocks)
    A = tuple(rng.standard_normal((5 - t % 2, 9)) for t in range(blocks))
    r, B = rng.standard_normal((4, 9)), rng.standard_normal((4, 9))
    for q in (Quadratic(r, None, A), Quadratic(r, np.stack([a.T @ a for a in A]))):
        q = q.with_ridge(ridge)
        found = q.shifted(0.7)(B)
        np.testing.assert_allclose(found, q.solve_shifted(B, 0.7), atol=1e-12)
        np.testing.assert_allclose(q.times(found) + 0.7 * found, B, atol=1e-12)


def test_what_has_no_cholesky_factor_is_left_to_the_spectrum() -> None:
    H = np.stack([np.diag([1.0, -1e-14]), np.eye(2)])  # as rounding leaves a matrix of rank one
    q = Quadratic(np.ones((2, 2)), H)
    np.testing.assert_allclose(q.shifted(1e-15)(np.ones((2, 2))), q.solve_shifted(np.ones((2, 2)), 1e-15))


def test_curvatures_are_those_of_the_spectrum() -> None:
    rng = np.random.default_rng(3)
    A = rng.standard_normal((6, 9))
    e = np.linalg.eigvalsh(A @ A.T)
    padded = np.vstack([A, np.zeros((2, 9))])  # rows of weight zero
    for q in (Quadratic(np.ones((2, 9)), None, (A,)), Quadratic(np.ones((2, 9)), None, (padded,))):
        lowest, mean, largest = q.with_ridge(0.5).curvatures
        assert mean == pytest.approx(0.5 + e.mean(), rel=1e-12)
        assert lowest < mean < 0.5 + e.max() <= largest
    inside = Diagonal(np.ones((2, 8)), np.r_[e, 0.0, 0.0], 0.5)
    assert inside.curvatures == pytest.approx((0.5 + e.min(), 0.5 + e.mean(), 0.5 + e.max()))
    assert Diagonal(np.ones((2, 3)), np.zeros(3)).curvatures == (0.0, 0.0, 0.0)


def test_parts_of_the_matrices_lie_one_after_the_other() -> None:
    H = np.random.default_rng(0).standard_normal((3, 5, 5))
    for f in (np.array([0, 3, 4]), np.array([2]), np.zeros(0, dtype=np.intp), np.array([4, 3, 2, 1, 0])):
        part = principal(H, f)
        assert part.flags.c_contiguous
        np.testing.assert_array_equal(part, H[:, f[:, None], f])
    assert principal(H, np.arange(5)) is H


def test_anderson_remembers_products_of_the_last_steps() -> None:
    """Its matrix is that of the differences it holds, and a linear map's fixed point is met as soon as they span it."""
    rng = np.random.default_rng(6)
    M = 0.9 * np.linalg.qr(rng.standard_normal((6, 6)))[0] * np.array([0.1, 0.5, 0.9, 1, 1, 1])
    c, v, past = rng.standard_normal(6), np.zeros((2, 3)), Anderson()
    for _ in range(8):
        v = past.propose(v, (M @ v.ravel() + c).reshape(2, 3) - v)
        known = min(past.count, len(past.bends)) if past.count else 0
        if known:
            bends = past.bends[:known]
            np.testing.assert_allclose(past.gram[:known, :known], bends @ bends.T, atol=1e-12)
    np.testing.assert_allclose(M @ v.ravel() + c, v.ravel(), atol=1e-9)


def test_an_answer_is_stayed_at() -> None:
    """Also from the first point on, which is one of the iteration's own."""
    q = Diagonal(np.array([[3.0, 0.5], [-2.0, 1.0]]), np.array([1.0, 2.0]))
    answer = np.sign(q.r) * np.maximum(np.abs(q.r) - 1.0, 0.0) / q.e  # lam = 1, absolute values
    steps = admm(q, lambda V, s: np.sign(V) * np.maximum(np.abs(V) - s, 0.0), answer, 1.0)
    for _ in range(12):
        Z, _, residual = next(steps)
        np.testing.assert_allclose(Z, answer, atol=1e-14)
    assert residual <= 1e-13


def test_accelerated_steps_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first point is one of the iteration's own: measured against a step of nothing, each would be taken back."""
    kept, plain = [], Anderson.propose

    def propose(self: Anderson, v: np.ndarray, step: np.ndarray) -> np.ndarray:
        out = plain(self, v, step)
        kept.append(self.fallback is not None)
        return out

    monkeypatch.setattr(Anderson, "propose", propose)
    rng = np.random.default_rng(8)
    q = Diagonal(rng.standard_normal((3, 20)), 10.0 ** rng.uniform(-2, 1, 20))
    start = np.zeros((3, 20))
    steps = admm(q, lambda V, s: np.sign(V) * np.maximum(np.abs(V) - 0.05 * s, 0.0), start, 1.0, 200)
    for _ in range(60):
        next(steps)
    assert sum(kept) >= 50


def test_every_iteration_knows_how_far_the_answer_is() -> None:
    """The residual is of this iteration, not of the last look at norms, and within curvatures of the error."""
    rng = np.random.default_rng(9)
    q = Diagonal(rng.standard_normal((4, 15)), 10.0 ** rng.uniform(-1, 1, 15))
    answer = np.sign(q.r) * np.maximum(np.abs(q.r) - 0.2, 0.0) / q.e
    shrink, size = lambda V, s: np.sign(V) * np.maximum(np.abs(V) - 0.2 * s, 0.0), np.linalg.norm(answer)
    seen = []
    for _, (Z, _, residual) in zip(range(40), admm(q, shrink, np.zeros_like(q.r), 1.0), strict=False):
        error = float(np.linalg.norm(Z - answer) / size)
        seen.append(residual)
        assert error <= 30 * residual + 1e-13
    assert seen[0] <= 3
    assert len(set(seen[:30])) == 30
    assert min(seen) <= 1e-12
