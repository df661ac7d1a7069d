"""Inverses of a matrix a task: by LAPACK and by halves alike, exact to rounding, refused where not definite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mtlref.optim import stacks

EPS = float(np.finfo(float).eps)
# (tasks, rows): by LAPACK for few rows or few in all, by halves, those again by halves, odd numbers of rows.
SHAPES = [(3, 1), (4, 32), (2, 90), (31, 33), (20, 70), (8, 131)]


def definite(T: int, p: int, condition: float) -> np.ndarray:
    """Symmetric matrices with eigenvalues from 1 down to 1 / condition."""
    rng = np.random.default_rng(T * p)
    Q = np.linalg.qr(rng.standard_normal((T, p, p)))[0]
    H = (Q * np.geomspace(1.0, 1.0 / condition, p)) @ Q.transpose(0, 2, 1)
    return (H + H.transpose(0, 2, 1)) / 2


def check(module: Any, condition: float = 1e3) -> None:
    for T, p in SHAPES:
        H = definite(T, p, condition)
        before, one = H.copy(), np.eye(p)
        K, inverse = module.inverse_factors(H, 0.5), module.inverses(H, 0.5)
        np.testing.assert_array_equal(H, before)
        assert not np.triu(K, 1).any()
        shifted = H + 0.5 * one
        np.testing.assert_allclose(
            K @ shifted @ K.transpose(0, 2, 1), np.broadcast_to(one, H.shape), atol=1e-13
        )
        np.testing.assert_allclose(inverse @ shifted, np.broadcast_to(one, H.shape), atol=1e-13)
        np.testing.assert_array_equal(inverse, inverse.transpose(0, 2, 1))


@pytest.mark.parametrize(("text", "fault"), [
    ("", ""),
    ("M[:, j, j] += shift", "M[:, j, 0] += shift"),
    ("last -= np.matmul", "last += np.matmul"),
    ("np.negative(np.matmul(last, np.matmul(factor, first))", "np.positive(np.matmul(last, np.matmul(factor, first))"),
    ("M[:, :half, half:] = 0.0", "pass"),
    ("upper += np.matmul(below.transpose(0, 2, 1), below)", "pass"),
    ("L[:, :half, half:] = turned.transpose(0, 2, 1)", "pass"),
    ("last[:] = np.matmul(last.transpose(0, 2, 1), last)", "pass"),
    ('np.array(H, dtype=np.float64, order="C")', "H"),
])  # fmt: skip
def test_inverses_and_their_factors_and_faults_in_them(text: str, fault: str, mutated: Any) -> None:
    module = mutated(stacks, text, fault)
    if not text:
        check(module)
        return
    with pytest.raises((AssertionError, ValueError, np.linalg.LinAlgError)):
        check(module)


@pytest.mark.parametrize("condition", [1e2, 1e6, 1e10])
def test_a_solve_by_halves_is_as_good_as_by_substitution(condition: float) -> None:
    """Residuals are rounding of the size of the matrix and the solution, whatever the condition."""
    H = definite(12, 100, condition)
    b = np.random.default_rng(1).standard_normal((12, 100, 1))
    x = np.matmul(stacks.inverses(H, 0.0), b)
    left = np.linalg.norm(H @ x - b, axis=1)
    assert (left <= 100 * EPS * (np.linalg.norm(x, axis=1) + np.linalg.norm(b, axis=1))).all()


def test_what_is_not_definite_is_refused() -> None:
    for T, p in SHAPES:
        H = definite(T, p, 10.0)
        H[-1, -1, -1] = -1.0
        with pytest.raises(np.linalg.LinAlgError):
            stacks.inverses(H, 0.0)
