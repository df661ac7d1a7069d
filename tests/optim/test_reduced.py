"""The Hessian with one factor eliminated, against differences of the gradient and against itself as a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mtlref.optim import reduced
from mtlref.optim.quadratic import Quadratic
from mtlref.verify.derivative import richardson

Array = np.ndarray


def quadratics(seed: int) -> list[Quadratic]:
    """Six tasks and five features: of Gram matrices, of one for all, and of few rows."""
    rng = np.random.default_rng(seed)
    r, A = rng.standard_normal((6, 5)), rng.standard_normal((6, 9, 5))
    H = np.matmul(A.transpose(0, 2, 1), A)
    few = tuple(rng.standard_normal((n, 5)) for n in (2, 1, 2, 2, 1, 2))
    return [Quadratic(r, H, ridge=0.3), Quadratic(r, H[:1], ridge=0.3), Quadratic(r, None, few, ridge=0.3)]


def point(module: Any, q: Quadratic, B: Array, on: Array, D: Array) -> tuple[Any, Array]:
    """(the Hessian, the gradient in B) of q(U B') + tr(U D U')/2 + tr(B D B')/2, U its minimiser where ``on``."""
    k = np.arange(B.shape[1])
    HB = module.columns(q, B)
    M = (B.T @ HB + np.diag(D)) * np.ones((q.T, 1, 1))
    M *= on[:, :, None] & on[:, None, :]
    M[:, k, k] += ~on
    inverse = np.linalg.inv(M) * (on[:, :, None] & on[:, None, :])
    U = np.matmul(inverse, (q.r @ B)[:, :, None])[:, :, 0]
    slope = q.times(U @ B.T) - q.r
    return module.Reduced(q, B, HB, U, slope, inverse, D), slope.T @ U + B * D


def check(module: Any) -> None:
    rng = np.random.default_rng(1)
    for q in quadratics(0):
        check_at(module, q, rng.standard_normal((5, 3)), rng.random((6, 3)) < 0.7, np.array([0.5, 1.5, 1.0]))


def check_at(module: Any, q: Quadratic, B: Array, on: Array, D: Array) -> None:
    at, _ = point(module, q, B, on, D)
    X, Y = np.random.default_rng(2).standard_normal((2, *B.shape))
    assert np.vdot(X, at.times(Y)) == pytest.approx(np.vdot(Y, at.times(X)), rel=1e-10)
    change = richardson(
        lambda h: float(np.vdot(Y, point(module, q, B + h[0] * X, on, D)[1])), np.zeros(1), step=1e-3
    )
    assert change[0] == pytest.approx(np.vdot(Y, at.times(X)), abs=1e-6 * float(np.abs(at.times(X)).max()))
    falls = at.falls(X)
    assert not falls[~on].any()
    U = [point(module, q, B + h * X, on, D)[0].U for h in (1e-6, -1e-6)]
    np.testing.assert_allclose((U[1] - U[0]) / 2e-6, falls, atol=1e-6 * np.abs(falls).max())


def test_it_is_the_derivative_of_the_gradient() -> None:
    check(reduced)


@pytest.mark.parametrize(("text", "fault"), [
    ("- self.slope.T @ Z", "+ self.slope.T @ Z"),
    ("- Z @ self.B.T", ""),
    ("self.slope @ X + ", ""),
    (" + X * self.D)", ")"),
    ("out + q.ridge * B", "out"),
])  # fmt: skip
def test_faults_in_it_are_seen(text: str, fault: str, mutated: Any) -> None:
    with pytest.raises(AssertionError):
        check(mutated(reduced, text, fault))


def test_the_step_is_newtons_where_it_bends_up() -> None:
    rng = np.random.default_rng(2)
    for q in quadratics(0):
        at, _ = point(reduced, q, rng.standard_normal((5, 2)), np.ones((6, 2), dtype=bool), np.full(2, 50.0))
        K = np.column_stack([at.times(e.reshape(5, 2)).ravel() for e in np.eye(10)])
        assert np.linalg.eigvalsh(K)[0] > 0
        g = rng.standard_normal((5, 2))
        # As small a gradient beside the scale as this is met as exactly as any.
        step = at.step(g, 1e9 * float(np.linalg.norm(g)))
        assert np.linalg.norm(at.times(step) + g) <= 1e-4 * np.linalg.norm(g)
        np.testing.assert_allclose(
            step.ravel(), -np.linalg.solve(K, g.ravel()), atol=1e-3 * np.abs(step).max()
        )


def test_where_it_bends_down_the_step_still_descends() -> None:
    q = quadratics(0)[0]
    at, _ = point(reduced, q, np.zeros((5, 2)), np.ones((6, 2), dtype=bool), np.full(2, 0.1))
    steep = reduced.Reduced(q, at.B, at.HB, at.U, at.slope, 1e3 * at.inverse, at.D)
    g = np.random.default_rng(3).standard_normal((5, 2))
    assert np.vdot(steep.step(g, 1.0), g) < 0
