"""What is made of the rows once: Gram matrices, the quadratic from them, products that certificates share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mtlref as mt
from mtlref import centring, moments, rowstatistics
from mtlref.datafit import MomentFit, data_fit
from mtlref.datafit.rows import RowFit
from mtlref.datafit.shared import SharedRowFit
from mtlref.extremes import extreme_exponents
from mtlref.moments import Moments
from mtlref.optim.quadratic import Quadratic

Array = NDArray[np.float64]


def ragged(n: int = 40, p: int = 5) -> mt.TaskData:
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((n + t, p)) + 0.3 * t for t in range(3)]
    return mt.TaskData.from_list(X, [x @ rng.standard_normal(p) + 2.0 for x in X])


def shared(n: int = 40, p: int = 5) -> mt.TaskData:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((n, p)) + 0.2
    return mt.TaskData.from_shared(X, X @ rng.standard_normal((p, 3)) + 1.0)


@pytest.mark.parametrize("part", ["early", "late", "both", "neither"])
def test_a_column_is_nearly_centred_as_all_rows_say(part: str) -> None:
    """Its squares lie in the first rows, in the others, in all; or its mean outweighs them."""
    X = np.random.default_rng(2).standard_normal((80, 4))
    if part == "neither":
        X[:, 0] = 1.0
    elif part != "both":
        X[:, 0] = 0.1  # a mean that the rows of one part outweigh, and those of the other do not
        own = slice(0, 10) if part == "early" else slice(60, 80)
        X[own, 0] += np.resize([3.0, -3.0], own.stop - own.start)
    mean = X.mean(axis=0)
    exact = bool((len(X) * mean**2 <= centring.SMALL_MEAN * np.square(X).sum(axis=0)).all())
    assert centring.nearly_centred(X, mean) == exact == (part != "neither")


def columns_with(means: list[float], n: int = 60, p: int = 4) -> mt.TaskData:
    """A task for each of the means of its columns."""
    rng = np.random.default_rng(7)
    X = [rng.standard_normal((n + t, p)) + mean for t, mean in enumerate(means)]
    return mt.TaskData.from_list(X, [x[:, 0] + rng.standard_normal(len(x)) for x in X])


def check_tasks_in_turn(module: Any) -> None:
    """Each task's columns are centred as they ask for, whatever those of the task before."""
    for means in ([0.0, 0.0, 1e6, 0.0, 1e6], [1e6, 0.0, 0.1], [0.0, 0.1, 0.0]):
        data = columns_with(means)
        for centre in (True, False):
            m = SimpleNamespace(**module.statistics(data, centre))
            for t, (x, y) in enumerate(zip(data.X, data.y, strict=True)):
                about = centre or means[t] == 1e6
                assert m.x_mean[t].any() == about
                xc, yc = (x - x.mean(axis=0), y - y.mean()) if about else (x, y)
                np.testing.assert_allclose(m.cxx[t], xc.T @ xc, rtol=1e-8, atol=1e-8)  # of 1e6 in columns
                np.testing.assert_allclose(m.cxy[t], yc @ xc, rtol=1e-8, atol=1e-8)


def check_ordinary(module: Any) -> None:
    """Moments as they are of rows that need no scaling; None where they, or the targets, are extreme."""
    for data in (columns_with([0.0, 0.1]), columns_with([50.0, 0.0]), shared()):
        for centre in (True, False):
            found, plain = (
                module.Moments.of_ordinary(data, centre=centre),
                Moments.from_scaled(data, centre=centre),
            )
            for part in ("mass", "count", "x_mean", "y_mean", "cxx", "cxy", "cyy"):
                np.testing.assert_array_equal(getattr(found, part), getattr(plain, part))
        for scale in (2.0**-100, 2.0**-40, 1.0, 2.0**40, 2.0**100, 2.0**600):
            own = mt.TaskData.from_shared if data.shared else mt.TaskData.from_list
            Y = np.column_stack(data.y) if data.shared else list(data.y)
            X = data.X[0] if data.shared else list(data.X)
            scaled = own(scale * X if data.shared else [scale * x for x in X], Y)
            for centre in (True, False):
                ready = module.Moments.of_ordinary(scaled, centre=centre) is not None
                assert ready == (2.0**-30 < scale < 2.0**30)
                if ready:
                    assert extreme_exponents(scaled) == (0, 0)
            targets = own(X, scale * Y if data.shared else [scale * y for y in Y])
            ready = module.Moments.of_ordinary(targets) is not None
            assert ready == (extreme_exponents(targets)[1] == 0)
    assert module.Moments.of_ordinary(columns_with([0.0, 2.0**50])) is None  # large by their mean alone
    weighted = mt.TaskData.from_list([np.ones((3, 2))], [np.arange(3.0)], weights=[np.ones(3)])
    assert module.Moments.of_ordinary(weighted) is None


@pytest.mark.parametrize(("check", "module", "text", "fault"), [
    (check_tasks_in_turn, rowstatistics, "", ""),
    (check_tasks_in_turn, rowstatistics, "(least_squares(X, x_mean[t]) <= np.diag(cxx[t])).all()", "True"),
    (check_ordinary, moments, "", ""),
    (check_ordinary, moments, " or target_exponent(data)", ""),
    (check_ordinary, moments, "data.weights is not None or ", ""),
    (check_ordinary, moments, "if ordinary(float(squares.max()), ", "if ordinary(0.0, "),
    (check_ordinary, moments, "float((squares / own).max()) / data.p", "1.0"),
    (check_ordinary, moments, "own * np.square(found.x_mean).sum(axis=1)", "0.0 * own"),
])  # fmt: skip
def test_rows_as_they_are_and_faults_in_it(
    check: Any, module: Any, text: str, fault: str, mutated: Any
) -> None:
    mutant = mutated(module, text, fault)
    if not text:
        check(mutant)
        return
    with pytest.raises(AssertionError):
        check(mutant)


@pytest.mark.parametrize("offset", [0.0, 0.1, 50.0])
def test_moments_about_zero_say_what_the_rows_say_without_intercepts(offset: float) -> None:
    rng = np.random.default_rng(4)
    X = [rng.standard_normal((300 + t, 4)) + offset for t in range(2)]
    data = mt.TaskData.from_list(X, [x @ np.arange(4.0) + 3.0 + rng.standard_normal(len(x)) for x in X])
    settings = ("squared", "mean", False, False)
    rows, m = data_fit(data, *settings), Moments.from_scaled(data, centre=False)
    assert m.x_mean.any() == m.y_mean.any() == (offset == 50.0)  # large means would take digits
    q = Quadratic.from_moments(m, rows.c, False)
    assert q.H is not None
    for t, (x, y) in enumerate(zip(data.X, data.y, strict=True)):
        np.testing.assert_allclose(q.H[t], x.T @ x / len(x), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(q.r[t], y @ x / len(x), rtol=1e-12, atol=1e-12)
    W, none = rng.standard_normal((4, 2)), np.zeros(2)
    held = data_fit(m, *settings)
    assert held.total(W, none) == pytest.approx(rows.total(W, none), rel=1e-12)
    assert held.null == pytest.approx(rows.null, rel=1e-13)
    here, there = held.dual_point(W), rows.dual_point(W)
    np.testing.assert_allclose(here.G, there.G, rtol=1e-10, atol=1e-10 * np.abs(there.G).max())
    np.testing.assert_allclose(here.values(), there.values(), rtol=1e-10)


@pytest.mark.parametrize("offset", [0.0, 0.2, 50.0])
def test_gram_matrices_are_those_of_centred_rows(offset: float) -> None:
    rng = np.random.default_rng(3)
    X = [rng.standard_normal((30 + t, 4)) + offset for t in range(2)]
    y = [x @ np.arange(4.0) + rng.standard_normal(len(x)) for x in X]
    m = Moments.from_data(mt.TaskData.from_list(X, y))
    for t in range(2):
        A, b = X[t] - X[t].mean(axis=0), y[t] - y[t].mean()
        np.testing.assert_allclose(m.cxx[t], A.T @ A, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(m.cxy[t], A.T @ b, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("offset", [0.0, 50.0])
@pytest.mark.parametrize("block", [64, 2**18])
def test_blocks_of_one_design_add_up(offset: float, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centring, "BLOCK", block)
    rng = np.random.default_rng(4)
    X, Y = rng.standard_normal((50, 4)) + offset, rng.standard_normal((50, 3))
    A, B = X - X.mean(axis=0), Y - Y.mean(axis=0)
    m = Moments.from_data(mt.TaskData.from_shared(X, Y))
    assert centring.block_rows(4) < 50 if block == 64 else centring.block_rows(4) >= 50
    np.testing.assert_allclose(m.cxx[0], A.T @ A, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(m.cxy, B.T @ A, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("data", [ragged(), shared()], ids=["ragged", "shared"])
def test_the_quadratic_is_that_of_the_rows(data: mt.TaskData, alike: bool, intercept: bool) -> None:
    c = np.full(3, 0.5) if alike else np.array([0.5, 1.0, 2.0])
    q = Quadratic.from_moments(Moments.from_data(data), c, intercept)
    assert q.H is not None
    assert len(q.H) == (1 if data.shared and alike else 3)
    for t, (X, y) in enumerate(zip(data.X, data.y, strict=True)):
        A, b = (X - X.mean(axis=0), y - y.mean()) if intercept else (X, y)
        np.testing.assert_allclose(q.H[t % len(q.H)], c[t] * A.T @ A, rtol=1e-12, atol=1e-11)
        np.testing.assert_allclose(q.r[t], c[t] * A.T @ b, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("kind", ["moments", "ragged", "shared"])
def test_a_look_at_zero_leaves_the_products_of_the_last_answer(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate multiplies by the rows, or the Gram matrices, once for a W, also where F(0, b0) is asked for."""
    rows = ragged() if kind == "ragged" else shared()
    fit: Any = data_fit(
        Moments.from_data(rows) if kind == "moments" else rows, "squared", "mean", True, False
    )
    count = 0

    def counted(original: Any) -> Any:
        def call(*args: Any) -> Any:
            nonlocal count
            count += 1
            return original(*args)

        return call

    if kind == "moments":
        monkeypatch.setattr(MomentFit, "_times", counted(MomentFit._times))
    elif kind == "ragged":
        monkeypatch.setattr(RowFit, "_products", counted(RowFit._products))
    else:
        monkeypatch.setattr(SharedRowFit, "_columns", counted(SharedRowFit._columns))
    W = np.zeros((5, 3))
    W[0] = [1.0, -2.0, 0.5]
    found = mt.TraceNorm.certificate(fit, W, fit.best_intercept(W), lam=0.1)
    assert count == 1
    assert found.gap > 0
    zero = np.zeros_like(W)
    mean = [float(np.var(y)) / 2 for y in rows.y]
    assert fit.total(zero, fit.best_intercept(zero)) == pytest.approx(sum(mean), rel=1e-12)
    assert fit.null == pytest.approx(sum(mean), rel=1e-12)
