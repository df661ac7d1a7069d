"""The linear algebra of Newton's method on rows of ragged designs, and the working sets around it."""

from __future__ import annotations

import importlib.util
import inspect
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


def check_line(ahead: Callable[..., Any]) -> None:
    """On a straight line in log lam it is exact, and further on than twice the last step it stays."""
    rng = np.random.default_rng(3)
    slope, base = rng.standard_normal((4, 2)), rng.standard_normal((4, 2))
    slope[1] = base[1] = 0.0

    def at(lam: float) -> tuple[Any, Any]:
        return base + np.log(lam) * slope, np.log(lam) * slope[0]

    for lams in ((1.0, 0.5, 0.25), (1.0, 0.5, 0.3), (0.1, 0.3, 0.5)):
        W, b = ahead(lams, at(lams[0]), at(lams[1]))
        np.testing.assert_allclose(W, at(lams[2])[0], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(b, at(lams[2])[1], rtol=1e-12, atol=1e-12)
        assert not W[1].any()
    for lams in ((1.0, 0.5, 0.1), (1.0, 0.5, 0.7), (0.5, 0.5, 0.2), (1.0, 0.5, 0.5)):
        last = at(lams[1])
        assert ahead(lams, at(lams[0]), last) is last


def test_starts_lie_on_the_line_through_the_last_two_answers() -> None:
    check_line(ahead)


@pytest.mark.parametrize(("module", "check", "text", "fault"), [
    (rowsystem, check_system, "np.eye(a) - tall.T @ tall", "np.eye(a) + tall.T @ tall"),
    (rowsystem, check_system, "half.ravel() @ tall)", "-half.ravel() @ tall)"),
    (rowsystem, check_system, "np.diag(damping * D) + tall.T @ tall", "np.eye(len(d)) + tall.T @ tall"),
    (rowsystem, check_system, "inner[:, rows, rows] += 1.0", "inner[:, rows, rows] += 2.0"),
    (rowsystem, check_system, "-np.matmul(block, np", "np.matmul(block, np"),
    (ahead_module, check_line, "np.log(lams[1] / lams[0])", "np.log(lams[2] / lams[0])"),
    (ahead_module, check_line, "0.0 < share <= FARTHEST", "share <= FARTHEST"),
])  # fmt: skip
def test_faults_are_seen(module: ModuleType, check: Callable[..., None], text: str, fault: str) -> None:
    source = inspect.getsource(module)
    assert source.count(text) == 1
    spec = importlib.util.spec_from_loader("mutant", loader=None)
    assert spec is not None
    mutant = importlib.util.module_from_spec(spec)
    exec(source.replace(text, fault), mutant.__dict__)
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
