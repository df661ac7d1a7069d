"""A design a task, squared loss: what is read of the rows once serves all, and is what the formulas say."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import mtlref as mt
from mtlref.datafit import rows
from mtlref.extremes import extreme_exponents
from mtlref.optim import raggeddesign, sharedrows
from mtlref.optim.problem import Problem

EPS = float(np.finfo(float).eps)
Check = Callable[[Any], None]


def tasks(T: int, n: int, p: int, *, weighted: bool = False, seed: int = 0) -> mt.TaskData:
    rng = np.random.default_rng(seed)
    W = np.zeros((p, T))
    W[rng.permutation(p)[:5]] = rng.standard_normal((5, T))
    X = [rng.standard_normal((n + 3 * t, p)) * rng.choice([-1, 1]) for t in range(T)]
    y = [x @ W[:, t] + rng.standard_normal(len(x)) for t, x in enumerate(X)]
    return mt.TaskData.from_list(X, y, weights=[rng.random(len(v)) for v in y] if weighted else None)


def check_points(module: Any) -> None:
    """θ, G, values and the bound of their rounding, flat, whether few columns are used, many or none."""
    rng = np.random.default_rng(1)
    for weighted, n in ((False, 12), (True, 12), (False, 290)):
        data = tasks(3, n, 40, weighted=weighted)
        for intercept in (False, True):
            fit = module.RowFit("squared", "mean", intercept, False, data)
            for used in (0, 1, 4, 30, 4):
                W = np.zeros((40, 3))
                W[rng.permutation(40)[:used]] = rng.standard_normal((used, 3))
                b = fit.best_intercept(W)
                primal, point, rounding = fit.total(W, b), fit.dual_point(W), 0.0
                for t, (x, y) in enumerate(zip(data.X, data.y, strict=True)):
                    s = np.ones(len(y)) if data.weights is None else data.weights[t]
                    e = y - x @ W[:, t] - b[t]
                    theta = s * e / s.sum()
                    assert not intercept or abs(theta.sum()) <= 1e-14
                    np.testing.assert_allclose(point.G[:, t], theta @ x, atol=1e-13)
                    np.testing.assert_allclose(point.linear[t], theta @ (y - b[t]), rtol=1e-12)
                    np.testing.assert_allclose(point.quadratic[t], theta @ e, rtol=1e-12)
                    primal -= s @ e**2 / s.sum() / 2
                    size = EPS * (np.abs(y) + np.abs(x).max(axis=0) @ np.abs(W[:, t]) + abs(b[t]))
                    rounding += np.abs(theta) @ size + s @ size**2 / s.sum()
                assert abs(primal) <= 1e-12
                np.testing.assert_allclose(point.rounding, rounding, rtol=1e-12)
    for n, p in ((17, 3), (300, 40), (289, 3), (2000, 100), (2000, 40), (3, 70000)):
        x = rng.standard_normal((n, p))
        for sign in (1, -1):
            np.testing.assert_array_equal(module._sizes(sign * x**3), np.abs(x**3).max(axis=0))


def check_quadratics(module: Any) -> None:
    """Correlations and restricted problems are those of the dense H_t: numbers and sparse, few features and many."""
    rng = np.random.default_rng(2)
    X = [rng.standard_normal((n, 30)) * (rng.random((n, 30)) < 0.5) for n in (6, 9, 8)]
    roots = np.array([0.5, 2.0, 1.0])
    r = rng.standard_normal((3, 30))
    H = np.stack([root**2 * (x.T @ x) for x, root in zip(X, roots, strict=True)])
    for rows_of in (X, [csr_array(x) for x in X]):
        design = module.RaggedDesign(r, X=rows_of, roots=roots)
        for size in (4, 9, 20, 30):
            f = np.sort(rng.permutation(30)[:size])
            V = rng.standard_normal((3, size))
            expected = r - np.einsum("tk,tkp->tp", V, H[:, f])
            np.testing.assert_allclose(design.correlations(V, f), expected, atol=1e-12)
            s, part = design.restricted(f, 0.7, 0.1)
            own = np.einsum("tk,tkl->tl", V, H[:, f[:, None], f]) + 0.1 * V
            np.testing.assert_allclose(part.times(V * s) * s, own, atol=1e-11)
            np.testing.assert_allclose(part.r * s, r[:, f], rtol=1e-13)
            np.testing.assert_allclose(part.threshold * s, 0.7, rtol=1e-13)
    one = module.RaggedDesign(r, X=X[:1], roots=roots[:1])  # one for all tasks
    f, V = np.array([1, 5, 22]), rng.standard_normal((3, 3))
    np.testing.assert_allclose(one.correlations(V, f), r - V @ H[0][f], atol=1e-12)
    s, part = one.restricted(f, 0.7, 0.1)
    np.testing.assert_allclose(part.times(V * s) * s, V @ H[0][f[:, None], f] + 0.1 * V, atol=1e-12)


@pytest.mark.parametrize(("check", "module", "text", "fault"), [
    (check_points, rows, "", ""),
    (check_points, rows, "self._passed[0] is z", "True"),
    (check_points, rows, "alone = self.loss == \"squared\" and not self.fit_intercept", "alone = True"),
    (check_points, rows, "self._share[rows] * (self._y[rows] - z[rows])", "(self._y[rows] - z[rows])"),
    (check_points, rows, "np.abs(columns, out=columns).max", "columns.max"),
    (check_points, rows, "np.maximum(wide.max(axis=0), -wide.min(axis=0))", "wide.max(axis=0)"),
    (check_points, rows, "size if whole == n else np.maximum(size, _sizes(x[whole:]))", "size"),
    (check_points, rows, "np.maximum(_sizes(x[:half]), _sizes(x[half:]))", "_sizes(x[:half])"),
    (check_points, rows, "return np.maximum(x.max(axis=0), -x.min(axis=0))", "return x.max(axis=0)"),
    (check_points, rows, "sizes[t] = _sizes(x)", "sizes[t] = _sizes(x[::2])"),
    (check_quadratics, raggeddesign, "", ""),
    (check_quadratics, raggeddesign, "self.roots[:, None] ** 2", "self.roots[:, None]"),
    (check_quadratics, raggeddesign, "h *= root**2", "h *= root"),
    (check_quadratics, raggeddesign, "np.multiply(root, _columns", "np.multiply(1.0, _columns"),
    (check_quadratics, raggeddesign, "if not np.array_equal(self._held[0], chosen):", "if not self._held[0].size:"),
    (check_quadratics, raggeddesign, "self.roots[0] ** 2 * ", ""),
])  # fmt: skip
def test_what_the_rows_say_and_faults_in_it(
    check: Check, module: ModuleType, text: str, fault: str, mutated: Any
) -> None:
    mutant = mutated(module, text, fault)
    mutant.__dict__["BLOCK"] = 100  # several blocks of rows
    if not text:
        check(mutant)
        return
    with pytest.raises((AssertionError, ValueError)):
        check(mutant)


def test_products_with_the_targets_are_found_with_the_sizes() -> None:
    data = tasks(3, 12, 40)
    products = np.full((3, 40), np.nan)
    assert extreme_exponents(data, products) == (0, 0)
    np.testing.assert_allclose(
        products, np.stack([y @ x for x, y in zip(data.X, data.y, strict=True)]), rtol=1e-13
    )


@pytest.mark.parametrize("size", [2.0**-300, 1.0, 2.0**80, 2.0**300])
def test_products_of_extreme_rows_are_not_taken_for_those_of_scaled_ones(size: float) -> None:
    data = tasks(3, 12, 40)
    model = mt.JointFeature(fit_intercept=False, tol=1e-9)
    lam = model.lam_max(data) / 4
    plain = model.set_params(lam=lam).fit(data).coef_.copy()
    scaled = mt.TaskData.from_list([x * size for x in data.X], list(data.y))
    found = model.set_params(lam=lam * size).fit(scaled)
    assert found.result_.converged
    np.testing.assert_allclose(found.coef_ * size, plain, atol=1e-6)


@pytest.mark.parametrize("intercept", [False, True])
def test_sparse_rows_are_those_of_numbers(intercept: bool) -> None:
    """So many features that no Gram matrix of all is made."""
    rng = np.random.default_rng(3)
    X = [rng.standard_normal((9 + t, 1200)) * (rng.random((9 + t, 1200)) < 0.1) for t in range(3)]
    y = [rng.standard_normal(len(x)) for x in X]
    model = mt.JointFeature(fit_intercept=intercept, tol=1e-10)
    model.set_params(lam=model.lam_max(mt.TaskData.from_list(X, y)) / 4)
    dense = model.fit(X, y).coef_.copy()
    sparse = model.fit([csr_array(x) for x in X], y)
    assert sparse.result_.converged
    np.testing.assert_allclose(sparse.coef_, dense, atol=1e-6)


def test_a_set_that_was_not_the_last_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks that see only what asks strongly: the certificate sees the rest, and later looks bring it in."""
    data = tasks(4, 40, 300)
    model = mt.JointFeature(fit_intercept=False, tol=1e-9)
    model.set_params(lam=model.lam_max(data) / 4)
    at_once = model.fit(data)
    exact, usual = at_once.coef_.copy(), at_once.n_iter_
    monkeypatch.setattr(sharedrows, "NEARLY", 1.3)
    monkeypatch.setattr(Problem, "ragged_design", property(few_rooms))
    mended = model.fit(data)
    assert mended.result_.converged
    assert mended.n_iter_ > usual
    np.testing.assert_allclose(mended.coef_, exact, atol=1e-5)  # the gap bounds the square of it


def few_rooms(problem: Problem) -> raggeddesign.RaggedDesign:
    """A design into whose sets two features come at a time."""
    q = problem.quadratic
    design = raggeddesign.RaggedDesign(q.r, X=q.A or ())
    design.room = lambda alive: 2  # type: ignore[method-assign]
    return design
