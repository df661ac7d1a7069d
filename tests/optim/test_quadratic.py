"""Shifted solves of tasks with few rows, however these are held and however many are taken at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.moments import Moments
from mtlref.optim import problem as problems
from mtlref.optim import quadratic
from mtlref.optim.problem import Problem


def wide(rows: tuple[int, ...], p: int = 90, *, weighted: bool = False) -> mt.TaskData:
    rng = np.random.default_rng(len(rows))
    X = [rng.standard_normal((n, p)) for n in rows]
    y = [rng.standard_normal(n) for n in rows]
    return mt.TaskData.from_list(X, y, weights=[rng.random(n) + 0.1 for n in rows] if weighted else None)


def check(module: Any, data: mt.TaskData, intercept: bool) -> None:
    c = np.linspace(0.5, 1.5, data.T)
    q = Problem(data, "squared", c, intercept).quadratic
    held = module.Quadratic(q.r, None, q.A, 0.2, stack=q.stack)
    B = np.random.default_rng(3).standard_normal((data.T, data.p))
    found = held.shifted(0.7)(B)
    for t, (x, y) in enumerate(zip(data.X, data.y, strict=True)):
        s = np.ones(len(y)) if data.weights is None else data.weights[t]
        if intercept:
            x, y = x - s @ x / s.sum(), y - s @ y / s.sum()
        H = c[t] * (x.T * s) @ x
        np.testing.assert_allclose(found[t], np.linalg.solve(H + 0.9 * np.eye(data.p), B[t]), atol=1e-12)
        np.testing.assert_allclose(q.r[t], c[t] * (s * y) @ x, atol=1e-12)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("rows", [(40, 40, 40), (40, 31, 22), (40, 3, 2, 2)])
@pytest.mark.parametrize("block", [1, 8000, 2**16])
@pytest.mark.parametrize("weighted", [False, True])
def test_solves_by_factors(
    rows: tuple[int, ...], intercept: bool, block: int, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quadratic, "BLOCK", block)
    data = wide(rows, weighted=weighted)
    check(quadratic, data, intercept)
    q = Problem(data, "squared", np.ones(len(rows)), intercept).quadratic
    assert (q.stack is None) == (rows[1] == 3)  # mostly rows of zeros are not held
    assert q.pulled(np.ones_like(q.r)).with_ridge(0.1).stack is q.stack


@pytest.mark.parametrize(("text", "fault"), [
    ("np.subtract(B, out, out=out)", "np.add(B, out, out=out)"),
    ("out /= total", "pass"),
    ("slice(i, i + step)", "slice(i, i + step - 1)"),
    ("range(0, len(M), step)", "range(0, len(M) - 1, step)"),
    ("else self.stack\n", "else self.stack[:, ::-1] * 2.0\n"),
])  # fmt: skip
def test_faults_in_them(text: str, fault: str, mutated: Any) -> None:
    module = mutated(quadratic, text, fault)
    module.BLOCK = 8000
    with pytest.raises((AssertionError, ValueError)):
        check(module, wide((40, 40, 39, 38, 37)), False)


def check_scale(module: Any) -> None:
    """The same problem divided by c: Gram matrices as they are, answers those of the problem itself."""
    rng = np.random.default_rng(5)
    X, y = [rng.standard_normal((50, 6)) for _ in range(4)], [rng.standard_normal(50) for _ in range(4)]
    m = Moments.from_data(mt.TaskData.from_list(X, y))
    whole = module.Problem(m, "squared", np.full(4, 0.02), True)
    c, plain = whole.at_unit_scale
    assert c == 0.02
    assert whole.at_unit_scale[1] is plain
    assert plain.quadratic.H is m.cxx
    assert plain.quadratic.r is not m.cxy
    np.testing.assert_allclose(c * plain.quadratic.r, whole.quadratic.r, rtol=1e-15)
    np.testing.assert_allclose(c * plain.quadratic.H, whole.quadratic.H, rtol=1e-15)
    for other in (
        module.Problem(m, "squared", np.array([0.1, 0.1, 0.1, 0.2]), True),
        module.Problem(m, "squared", np.ones(4), True),
        module.Problem(wide((40, 40)), "squared", np.full(2, 0.1), True),
        module.Problem(wide((40, 40)), "logistic", np.full(2, 0.1), True),
    ):
        assert other.at_unit_scale == (1.0, other)


@pytest.mark.parametrize(("text", "fault"), [
    ("", ""),
    ("self.wide or not (self.c == c).all()", "self.wide"),
    ('self.loss != "squared" or self.wide or', ""),
    ("c=np.ones_like(self.c)", "c=self.c"),
])  # fmt: skip
def test_one_scale_for_all_tasks_and_faults_in_it(text: str, fault: str, mutated: Any) -> None:
    module = mutated(problems, text, fault)
    if not text:
        check_scale(module)
        return
    with pytest.raises((AssertionError, AttributeError)):
        check_scale(module)


@pytest.mark.parametrize("scaling", ["mean", "sum"])
def test_moments_that_serve_as_they_are_stay_what_they_were(scaling: str) -> None:
    """Nothing is written into them, with and without a ridge; the weights are divided by the same c."""
    rng = np.random.default_rng(6)
    X = [rng.standard_normal((60, 8)) for _ in range(5)]
    y = [x @ rng.standard_normal(8) + rng.standard_normal(60) for x in X]
    m = Moments.from_data(mt.TaskData.from_list(X, y))
    for part in (m.cxx, m.cxy, m.x_mean, m.cyy):
        part.setflags(write=False)
    size = 60.0 if scaling == "sum" else 1.0
    for ridge in (0.0, 0.1):
        lam = size * 0.2
        here = mt.TraceNorm(lam, ridge=size * ridge, scaling=scaling, tol=1e-10).fit(m)
        there = mt.TraceNorm(0.2, ridge=ridge, tol=1e-10).fit(X, y)
        # tol leaves half of its digits in the coefficients.
        np.testing.assert_allclose(here.coef_, there.coef_, atol=1e-5)
