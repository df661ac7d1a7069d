"""The linear algebra of Newton's method on rows of ragged designs, and the working sets around it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.optim import ahead as ahead_module
from mtlref.optim import rowsystem
from mtlref.optim.ahead import ahead
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.rowminima import row_minima, row_minimum
from mtlref.verify.naive import row_newton_step


@pytest.mark.parametrize("size", [1, 2, 6, 7, 8, 23, 101])
def test_inverses_of_triangular_factors(size: int) -> None:
    rng = np.random.default_rng(size)
    L = np.tril(rng.standard_normal((3, size, size))) / size + 2 * np.eye(size)
    X = rowsystem.inverse_lower(L)
    assert np.abs(np.matmul(L, X) - np.eye(size)).max() <= 1e-13
    assert not np.triu(X, 1).any()


def system(T: int, n: int, a: int, seed: int = 0) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((T, n, a))
    unit = rng.standard_normal((T, a))
    unit /= np.linalg.norm(unit, axis=0)
    return (
        root,
        np.matmul(root.transpose(0, 2, 1), root),
        rng.random(a) + 0.5,
        unit,
        rng.standard_normal((T, a)),
    )


def check_system(row_solver: Callable[..., Any]) -> None:
    """Through the features and through the rows, with damping and without, as the whole Hessian has it."""
    for T, n, a in ((3, 20, 8), (4, 3, 9), (2, 5, 1)):
        root, H, d, unit, R = system(T, n, a)
        for damping in (0.0, 0.3):
            known = row_newton_step(H, d, damping, unit, R)
            for given in ((H, None), (None, root)):
                found = row_solver(given[0], d, damping, unit, given[1])(R)
                # The system's condition number is up to 1e3 here.
                assert np.abs(found - known).max() <= 1e-10 * np.abs(known).max()


def test_the_system_of_all_tasks() -> None:
    check_system(rowsystem.row_solver)


def test_no_step_where_the_blocks_are_not_positive_definite() -> None:
    _, H, d, unit, _ = system(2, 6, 4)
    assert rowsystem.row_solver(H - 100 * np.eye(4), d, 0.0, unit) is None


def check_parabola(ahead: Callable[..., Any]) -> None:
    """On a parabola in log lam it is exact, from two answers on a line; after a leap or a turn it stays."""
    rng = np.random.default_rng(3)
    base, slope, bend = rng.standard_normal((3, 4, 2))
    base[1] = slope[1] = bend[1] = 0.0

    def at(lam: float, bend: Any = bend) -> tuple[Any, Any]:
        x = np.log(lam)
        return base + x * slope + x * x * bend, base[0] + x * slope[0] + x * x * bend[0]

    for lams in ((0.9, 0.45, 0.225, 0.1125), (0.9, 0.5, 0.25, 0.15), (0.1, 0.2, 0.3, 0.5)):
        for curved, known in ((bend, 3), (0 * bend, 2)):
            W, b = ahead(lams[3 - known :], [at(lam, curved) for lam in lams[3 - known : 3]])
            np.testing.assert_allclose(W, at(lams[3], curved)[0], rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(b, at(lams[3], curved)[1], rtol=1e-12, atol=1e-12)
            assert not W[1].any()
    lams = (0.9, 0.5, 0.25, 0.15)
    answers = [at(lam) for lam in lams[:3]]

    def without(first_at: tuple[int, ...]) -> list[Any]:
        gone = np.where(np.arange(8).reshape(4, 2), 1.0, 0.0)
        return [(W * gone if k in first_at else W, b) for k, (W, b) in enumerate(answers)]

    for absent in ((0,), (0, 1)):  # what came in after the first, or after the second, goes on straight
        known = without(absent)
        W, straight = ahead(lams, known)[0], ahead(lams[1:], known[1:])[0]
        assert W[0, 0] == pytest.approx(straight[0, 0], rel=1e-12)
        np.testing.assert_allclose(W.flat[1:], at(lams[3])[0].flat[1:], rtol=1e-12, atol=1e-12)
    assert ahead(lams, without((2,)))[0][0, 0] == 0.0
    for lams in ((1.0, 0.5, 0.1), (1.0, 0.5, 0.7), (0.5, 0.5, 0.2), (1.0, 0.5, 0.5), (0.9, 0.8, 0.5, 0.1)):
        known = [at(lam) for lam in lams[:-1]]
        assert ahead(lams, known) is known[-1]


def test_starts_lie_on_the_parabola_through_the_last_three_answers() -> None:
    check_parabola(ahead)


@pytest.mark.parametrize(("module", "check", "text", "fault"), [
    (rowsystem, check_system, "np.eye(a) - tall.T @ tall", "np.eye(a) + tall.T @ tall"),
    (rowsystem, check_system, "half.ravel() @ tall)", "-half.ravel() @ tall)"),
    (rowsystem, check_system, "np.diag(damping * D) + tall.T @ tall", "np.eye(len(d)) + tall.T @ tall"),
    (rowsystem, check_system, "inner[:, rows, rows] += 1.0", "inner[:, rows, rows] += 2.0"),
    (rowsystem, check_system, "-np.matmul(block, np", "np.matmul(block, np"),
    (ahead_module, check_parabola, "np.diff(np.log(lams[-ANSWERS - 1 :]))", "np.diff(lams[-ANSWERS - 1 :])"),
    (ahead_module, check_parabola, "0.0 < new / old <= FARTHEST", "new / old <= FARTHEST"),
    (ahead_module, check_parabola, "(before != 0) & (oldest != 0)", "(before == before)"),
    (ahead_module, check_parabola, "np.where(now != 0, onto, 0.0)", "onto"),
    (ahead_module, check_parabola, "/ (steps[-2] + steps[-3])", "/ (steps[-2] - steps[-3])"),
])  # fmt: skip
def test_faults_are_seen(
    module: ModuleType, check: Callable[..., None], text: str, fault: str, mutated: Any
) -> None:
    mutant = mutated(module, text, fault)
    with pytest.raises((AssertionError, np.linalg.LinAlgError)):
        check(mutant.row_solver if module is rowsystem else mutant.ahead)


def test_minima_of_all_rows_at_once_are_those_of_each() -> None:
    rng = np.random.default_rng(5)
    C, H = 3 * rng.standard_normal((6, 9)), rng.random((6, 9)) + 0.1
    C[:, 2], lam = 0.01 * C[:, 2], rng.random(9) + 0.5
    for guess in (np.zeros(9), np.full(9, 1e3), rng.random(9)):
        found = row_minima(C, H, lam, guess)
        for j in range(9):
            np.testing.assert_allclose(
                found[:, j], row_minimum(C[:, j], H[:, j], lam[j]), rtol=1e-12, atol=1e-14
            )
    assert not found[:, 2].any()


def test_a_shared_design_in_its_eigenvectors_is_the_same_quadratic() -> None:
    rng = np.random.default_rng(2)
    A, r = rng.standard_normal((5, 8)), rng.standard_normal((3, 5))
    for q in (Quadratic(r @ A, None, (A,)), Quadratic(r @ A, (A.T @ A)[None])):
        inside, U = q.with_ridge(0.3).rotated or (None, None)
        assert inside is not None
        assert U is not None
        V = rng.standard_normal((3, U.shape[1]))
        whole = V @ U.T
        times = q.with_ridge(0.3).times(whole)
        np.testing.assert_allclose(inside.times(V), times @ U, atol=1e-12)
        np.testing.assert_allclose(inside.r @ U.T, q.r, atol=1e-12)
        np.testing.assert_allclose(inside.shifted(0.7)(inside.times(V) + 0.7 * V), V, atol=1e-12)
    assert Quadratic(np.ones((2, 3)), np.stack([np.eye(3), 2 * np.eye(3)])).rotated is None


@pytest.mark.parametrize("small", [1.0, 1e-5, 1e-9, 0.0])
def test_eigenvectors_of_wide_factors_are_orthonormal(small: float) -> None:
    rng = np.random.default_rng(4)
    A = rng.standard_normal((6, 20))
    A[5] = A[4] + small * A[5]
    e, U = Quadratic(rng.standard_normal((2, 20)), None, (A,)).spectrum
    kept = U[0][:, e[0] > 0]
    assert np.abs(kept.T @ kept - np.eye(kept.shape[1])).max() <= 1e-9  # what squaring may cost, and no more
    assert np.abs((U[0] * e[0]) @ U[0].T - A.T @ A).max() <= 1e-12 * e.max()


@pytest.mark.parametrize(("loss", "rows"), [("squared", 160), ("squared", 40), ("logistic", 40)])
def test_working_sets_of_ragged_designs(loss: str, rows: int) -> None:
    rng = np.random.default_rng(rows)
    W = np.zeros((120, 3))
    W[:15] = rng.standard_normal((15, 3))
    X = [rng.standard_normal((rows + 3 * t, 120)) for t in range(3)]
    Y = [x @ w + rng.standard_normal(len(x)) for x, w in zip(X, W.T, strict=True)]
    data = mt.TaskData.from_list(X, [np.sign(y) for y in Y] if loss == "logistic" else Y)
    top = mt.JointFeature(loss=loss).lam_max(data)
    for ridge in (0.0, 0.05 * top):
        model = mt.JointFeature(loss=loss, ridge=ridge, tol=1e-10)
        for fitted in model.path(data, [top / 2, top / 4, top / 8]):
            assert mt.audit(fitted, data, fitted.coef_.T, fitted.intercept_).relative_gap <= 1e-10
            assert 0 < fitted.selected_features_.sum() < 120
