"""Least squares and ridge by refined QR of the rows: right to the last digits while a condition number allows any."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.linalg import LeastSquares, RankDeficient
from mtlref.linalg import least_squares as module
from mtlref.optim import ridge as route
from mtlref.optim.problem import Problem
from mtlref.verify.rigorous.elimination import solve
from mtlref.verify.rigorous.interval import Exact

EPS = np.finfo(float).eps


def design(n: int, p: int, exponent: int, seed: int = 0) -> np.ndarray:
    """(n, p), columns of length about one, condition number about 10^exponent."""
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal(shape))[0] for shape in ((n, p), (p, p)))
    return np.asarray((U * np.logspace(0, -exponent, p)) @ V.T)


def exact(X: Any, y: Any, s: Any, lam: float, intercept: bool) -> tuple[np.ndarray, float]:
    """(w, b) of (P) in rational arithmetic, rounded once."""
    n, p = X.shape
    A = Exact.of(np.column_stack([X, np.ones(n)]) if intercept else X)
    weights = Exact.of((np.ones(n) if s is None else s)[:, None])
    H = A.T @ (A * weights)
    penalty = Exact.of(np.diag(np.append(np.full(p, lam), 0.0) if intercept else np.full(p, lam)))
    found = solve(H + penalty, A.T @ (Exact.of(y[:, None]) * weights)).floats()[:, 0]
    return found[:p], float(found[p]) if intercept else 0.0


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("exponent", [0, 4, 8, 12, 14])
def test_least_squares_are_right_to_the_last_digits(exponent: int, weighted: bool, intercept: bool) -> None:
    rng = np.random.default_rng(exponent)
    X, y = design(20, 4, exponent), rng.standard_normal(20)
    s = np.round(rng.random(20) + 0.1, 3) if weighted else None
    if s is not None:
        s[3] = 0.0
    if intercept:
        X = X + 3.0
    answer = LeastSquares(X, s, 0.0, intercept).solve(y)
    w, b = exact(X, y, s, 0.0, intercept)
    assert answer.settled
    np.testing.assert_allclose(answer.w, w, rtol=8 * EPS)
    assert answer.b == pytest.approx(b, rel=8 * EPS)


@pytest.mark.parametrize("exponent", [2, 10, 15])
@pytest.mark.parametrize("n", [3, 20])
def test_ridge_also_where_columns_are_dependent(n: int, exponent: int) -> None:
    rng = np.random.default_rng(exponent)
    X, y, lam = design(20, 4, 3)[:n], rng.standard_normal(n), 10.0 ** (-2 * exponent)
    X[:, 3] = X[:, 0] if n == 20 else X[:, 3]
    answer = LeastSquares(X, None, lam, True).solve(y)
    w, b = exact(X, y, None, lam, True)
    assert answer.settled
    np.testing.assert_allclose(answer.w, w, rtol=8 * EPS, atol=8 * EPS * np.abs(w).max())
    assert answer.b == pytest.approx(b, rel=8 * EPS, abs=8 * EPS * np.abs(w).max())


def test_units_of_columns_and_levels_cost_nothing() -> None:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((30, 3)) * [1e-12, 1.0, 1e12] + [1e-10, 1e6, 0.0]
    y = 1e8 + rng.standard_normal(30)
    answer = LeastSquares(X, None, 0.0, True).solve(y)
    w, b = exact(X, y, None, 0.0, True)
    np.testing.assert_allclose(answer.w, w, rtol=8 * EPS)
    assert answer.b == pytest.approx(b, rel=8 * EPS)


def test_no_target_no_coefficients() -> None:
    answer = LeastSquares(design(9, 3, 1), None, 0.0, False).solve(np.zeros(9))
    assert answer.settled
    assert not answer.w.any()


def test_what_columns_do_not_determine_is_refused() -> None:
    X = design(9, 3, 1)
    for broken in (
        np.column_stack([X, X[:, 0]]),
        np.column_stack([X, np.zeros(9)]),
        X[:2],
        design(20, 4, 15),
    ):
        with pytest.raises(RankDeficient):
            LeastSquares(broken, None, 0.0, False)
    constant = np.column_stack([X, np.full(9, 0.1)])
    LeastSquares(constant, None, 0.0, False)
    with pytest.raises(RankDeficient):
        LeastSquares(constant, None, 0.0, True)


def test_a_condition_beyond_all_digits_is_not_called_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the twice longer residuals refinement stops where rounding does.
    monkeypatch.setattr(module, "STEPS", 1)
    assert not LeastSquares(design(20, 4, 8), None, 0.0, False).solve(np.ones(20)).settled


# -- the estimators: which route, and what they say ---------------------------------------------------------------


def ill(condition: float, shift: float = 0.0) -> mt.TaskData:
    rng = np.random.default_rng(5)
    X = [design(20, 4, np.log10(condition), seed) + shift for seed in (1, 2)]  # type: ignore[arg-type]
    return mt.TaskData.from_list(X, [rng.standard_normal(20) for _ in X])


@pytest.mark.parametrize("scaling", ["mean", "sum"])
@pytest.mark.parametrize("intercept", [True, False])
def test_ridge_takes_the_rows_where_gram_statistics_lose_digits(scaling: str, intercept: bool) -> None:
    data = ill(1e6, 1.0)
    lam = 1e-13
    model = mt.SingleTaskRidge(lam=lam, scaling=scaling, fit_intercept=intercept).fit(data)
    for t in range(2):
        own = lam * 20 if scaling == "mean" else lam
        w, b = exact(data.X[t], data.y[t], None, own, intercept)
        np.testing.assert_allclose(model.coef_[t], w, rtol=1e-12)
        assert model.intercept_[t] == pytest.approx(b, rel=1e-12)
    assert model.result_.n_iter == 1
    assert model.result_.converged


def test_the_route_depends_on_the_condition_with_lam_alone() -> None:
    tame, wild = ill(10.0), ill(1e6)
    for data, lam, rows in ((tame, 1e-9, False), (wild, 1e-13, True), (wild, 1.0, False)):
        assert route.ill_conditioned(Problem(data, "squared", np.ones(2), True), lam) is rows
    assert not route.ill_conditioned(Problem(mt.Moments.from_data(wild), "squared", np.ones(2), True), 1e-13)


@pytest.mark.parametrize("scaling", ["mean", "sum"])
def test_zero_is_least_squares_from_every_form(scaling: str) -> None:
    data = ill(100.0, 1.0)
    rows = mt.SingleTaskRidge(lam=0, scaling=scaling, tol=1e-12).fit(data)
    sums = mt.SingleTaskRidge(lam=0, scaling=scaling, tol=1e-12).fit(mt.Moments.from_data(data))
    for t in range(2):
        A = np.column_stack([data.X[t], np.ones(20)])
        found = np.append(rows.coef_[t], rows.intercept_[t])
        np.testing.assert_allclose(found, np.linalg.lstsq(A, data.y[t], rcond=None)[0], rtol=1e-10)
    # A Gram matrix squares the condition number of 100 and the shift.
    np.testing.assert_allclose(sums.coef_, rows.coef_, rtol=1e-9)
    assert rows.result_.converged
    assert sums.result_.converged
    path = mt.SingleTaskRidge(scaling=scaling).path(data, [1.0, 0.0])
    np.testing.assert_array_equal(path[1].coef_, rows.coef_)


def test_one_design_with_weights() -> None:
    rng = np.random.default_rng(6)
    X, Y, s = design(20, 3, 9), rng.standard_normal((20, 3)), np.round(rng.random(20) + 0.1, 2)
    model = mt.SingleTaskRidge(lam=0).fit(mt.TaskData.from_shared(X, Y, weights=s))
    for t in range(3):
        w, _ = exact(X, Y[:, t], s, 0.0, True)
        np.testing.assert_allclose(model.coef_[t], w, rtol=1e-13)


def test_pooled_least_squares() -> None:
    data = ill(1e7, 1.0)
    model = mt.Pooled(lam=0, scaling="sum").fit(data)
    w, b = exact(np.vstack(data.X), np.concatenate(data.y), None, 0.0, True)
    np.testing.assert_allclose(model.coef_[0], w, rtol=1e-13)
    assert model.intercept_[0] == pytest.approx(b, rel=1e-13)
    tame = mt.Pooled(lam=0, tol=1e-12).fit(mt.Moments.from_data(ill(10.0)))
    np.testing.assert_allclose(tame.coef_, mt.Pooled(lam=0).fit(ill(10.0)).coef_, rtol=1e-11)


@pytest.mark.parametrize("kind", [mt.SingleTaskRidge, mt.Pooled])
@pytest.mark.parametrize("as_moments", [False, True])
def test_the_certificate_of_least_squares_bounds_the_distance_from_optimal(
    kind: Any, as_moments: bool
) -> None:
    data = ill(100.0, 1.0)
    given = mt.Moments.from_data(data) if as_moments else data
    model = kind(lam=0).fit(data)
    best = mt.audit(model, data, model.coef_.T, model.intercept_)
    rng = np.random.default_rng(0)
    for size in (1e-6, 1.0, 100.0):
        step = size * rng.standard_normal((4, 1 if kind is mt.Pooled else 2))
        found = mt.audit(model, given, model.coef_.T + step)
        excess = found.primal - best.primal
        # The bound is tight: projecting the residual gives the very optimum of a least-squares problem.
        assert found.gap >= excess * (1 - 1e-6) - 1e-13 * found.scale
        assert found.gap <= excess * (1 + 1e-6) + 1e-11 * found.scale


def test_what_zero_cannot_mean_is_said() -> None:
    X, y = design(9, 3, 1), np.arange(9.0)
    twice = np.column_stack([X, X[:, 0]])
    data = mt.TaskData.from_list([X, X], [y, y], names=["a", "b"])
    broken = mt.TaskData.from_list([twice, twice], [y, y], names=["a", "b"])
    for given in (broken, mt.Moments.from_data(broken)):
        with pytest.raises(mt.DataError, match=r"those of task 'a' are linearly dependent .* Use lam > 0"):
            mt.SingleTaskRidge(lam=0).fit(given)
        with pytest.raises(mt.DataError, match="those of all tasks together are linearly dependent"):
            mt.Pooled(lam=0).fit(given)
    with pytest.raises(mt.FormError, match="rigorous=True needs lam > 0"):
        mt.audit(mt.SingleTaskRidge(lam=0), data, np.zeros((3, 2)), rigorous=True)
    with pytest.raises(mt.DataError, match="linearly dependent"):
        mt.SingleTaskRidge(lam=0).fit([X[:2]], [y[:2]])
    for kind in (mt.SingleTaskRidge, mt.Pooled):
        with pytest.raises(mt.DataError, match="lam must be > 0; got 0"):
            kind(lam=0, loss="logistic").fit([X], [np.sign(y - 4.5)])
        with pytest.raises(mt.DataError, match="lam must be a finite number >= 0; got -1"):
            kind(lam=-1).fit(data)
    assert Fraction(mt.SingleTaskRidge(lam=0).fit(data).coef_[0, 0]) == Fraction(
        mt.Pooled(lam=0, scaling="sum").fit(mt.TaskData.from_list([X], [y])).coef_[0, 0]
    )


@pytest.mark.parametrize("unit", [1e-24, 1e-6, 1.0, 1e6, 1e24])
def test_what_a_column_is_does_not_depend_on_the_unit_of_weights(unit: float) -> None:
    rng = np.random.default_rng(8)
    n = 100
    last_bits = 0.1 * (1 + np.finfo(float).eps * rng.integers(0, 3, n))
    faint = 0.1 * (1 + 1e-10 * rng.standard_normal(n))
    s = unit * rng.integers(1, 4, n)
    with pytest.raises(RankDeficient):
        LeastSquares(np.column_stack([rng.standard_normal(n), last_bits]), s, 0.0, True)
    X = np.column_stack([rng.standard_normal(n), faint])
    y = X @ [1.0, 1e9]
    found = LeastSquares(X, s, 0.0, True).solve(y)
    plain = LeastSquares(X, s / unit, 0.0, True).solve(y)
    np.testing.assert_allclose(found.w, plain.w, rtol=1e-13)
    np.testing.assert_allclose(found.b, plain.b, rtol=1e-13)
