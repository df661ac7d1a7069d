"""Coupled linear systems whose columns have units far apart: held against rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.optim.coupled import _mean_block, around_mean, over_graph
from mtlref.optim.quadratic import Quadratic


def solved(A: list[list[Fraction]], r: list[Fraction]) -> list[float]:
    """A⁻¹ r by Gauss and Jordan's elimination, without rounding."""
    rows = [[*a, b] for a, b in zip(A, r, strict=True)]
    n = len(rows)
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                rows[i] = [v - rows[i][k] * w for v, w in zip(rows[i], rows[k], strict=True)]
    return [float(row[-1]) for row in rows]


def exact(X: list[Any], y: list[Any], L: Any) -> Any:
    """The W (p, T) that minimises Σ_t ‖X_t w_t − y_t‖² / 2 + tr(W L W') / 2."""
    T, p = len(X), X[0].shape[1]
    A = [[Fraction(0)] * (T * p) for _ in range(T * p)]
    r = [Fraction(0)] * (T * p)
    for t in range(T):
        rows = [[Fraction(v) for v in row] for row in X[t].tolist()]
        target = [Fraction(v) for v in y[t].tolist()]
        for j in range(p):
            r[t * p + j] = sum((a[j] * b for a, b in zip(rows, target, strict=True)), Fraction(0))
            for k in range(p):
                A[t * p + j][t * p + k] += sum((a[j] * a[k] for a in rows), Fraction(0))
            for u in range(T):
                A[t * p + j][u * p + j] += Fraction(L[t, u])
    return np.array(solved(A, r)).reshape(T, p).T


def problem(apart: float, shared: bool) -> tuple[list[Any], list[Any]]:
    """Two tasks of three features, each column ``apart`` times larger than the one before."""
    rng = np.random.default_rng(3)
    s = apart ** np.arange(3.0)
    X = [rng.normal(size=(5, 3)) * s for _ in range(2)]
    X = [X[0]] * 2 if shared else X
    return X, [x / s @ rng.normal(size=3) + 0.1 * rng.normal(size=5) for x in X]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("lam", [1e-3, 1e6, 1e18])
@pytest.mark.parametrize("apart", [1.0, 1e4, 1e5, 1e6])
def test_units_of_columns_lose_no_digits(apart: float, lam: float, shared: bool) -> None:
    if apart == 1e6 and lam == 1e-3:
        return  # the exact answer, rounded, has a gap of 1e-7 there: lam is 1e-27 of the largest curvature
    X, y = problem(apart, shared)
    data = mt.TaskData.from_list(X, y)
    # Of the exact answer rounding leaves a gap of 5e-10 where lam is 1e-23 of the largest curvature.
    options: dict[str, Any] = {"lam": lam, "scaling": "sum", "fit_intercept": False, "tol": 1e-8}
    spread = mt.MeanRegularized(**options).fit(data)
    graph = mt.GraphRegularized(1, **options).fit(data)
    for model, L in ((spread, np.eye(2) - 1 / 2), (graph, 2 * np.eye(2) - 1)):
        assert model.result_.certificate.relative_gap <= 1e-8
        assert model.n_iter_ <= 20
        W = exact(X, y, lam * L)
        size = np.abs(W).max(axis=1)[:, None]
        # An objective right to nine digits leaves coefficients right to half as many.
        np.testing.assert_allclose(model.coef_.T / size, W / size, atol=1e-4)
        best = mt.audit(model, data, W)
        assert model.result_.certificate.primal - best.primal <= 1e-9 * best.scale


@pytest.mark.parametrize(("ridge", "shared"), [(0.0, False), (0.0, True), (2.0**-10, False)])
def test_parts_of_a_graph_move_freely_under_a_coupling_that_outweighs_the_data(
    ridge: float, shared: bool
) -> None:
    graph = np.zeros((5, 5))
    graph[0, 1] = graph[1, 3] = graph[2, 4] = 1.0
    graph += graph.T
    rng = np.random.default_rng(4)
    X = [rng.normal(size=(4, 2)) * [1.0, 1e5] for _ in range(5)]
    X = [X[0]] * 5 if shared else X
    y = [x @ [1.0, 1e-5] + rng.normal(size=4) for x in X]
    data = mt.TaskData.from_shared(X[0], np.column_stack(y)) if shared else mt.TaskData.from_list(X, y)
    model = mt.GraphRegularized(
        graph, lam=2.0**40, ridge=ridge, scaling="sum", fit_intercept=False, tol=1e-15
    ).fit(data)
    assert model.n_iter_ <= 5
    W = exact(X, y, 2.0**40 * (np.diag(graph.sum(axis=1)) - graph) + ridge * np.eye(5))
    np.testing.assert_allclose(model.coef_.T, W, rtol=1e-6)


@pytest.mark.parametrize("factored", [False, True])
def test_conjugate_gradients_solve_what_is_too_large_to_factor(factored: bool) -> None:
    T, p, n = 20, 16, 12 if factored else 30
    rng = np.random.default_rng(1)
    rows = tuple(rng.normal(size=(n, p)) for _ in range(T))
    H = np.stack([A.T @ A for A in rows])
    q = Quadratic(np.zeros((T, p)), None, rows) if factored else Quadratic(np.zeros((T, p)), H)
    graph = np.triu(rng.random((T, T)) < 0.2, 1).astype(float)
    graph += graph.T
    L = np.diag(graph.sum(axis=0) + 0.1) - graph
    whole = np.kron(L, np.eye(p))
    for t in range(T):
        whole[t * p : (t + 1) * p, t * p : (t + 1) * p] += H[t]
    R = rng.normal(size=(T, p))
    found = over_graph(q, L)(R)
    # Conjugate gradients stop at a residual of 1e-10.
    assert np.linalg.norm(whole @ found.ravel() - R.ravel()) <= 1.1e-10 * np.linalg.norm(R)


def test_the_shared_block_is_the_mean_of_the_tasks() -> None:
    rng = np.random.default_rng(2)
    rows = tuple(rng.normal(size=(3, 5)) for _ in range(4))
    mean = sum(A.T @ A for A in rows) / 4
    zeros = np.zeros((4, 5))
    np.testing.assert_allclose(_mean_block(Quadratic(zeros, None, rows)), mean, rtol=1e-13)
    np.testing.assert_allclose(
        _mean_block(Quadratic(zeros, np.stack([A.T @ A for A in rows]))), mean, rtol=1e-13
    )


def test_rigid_couplings_leave_one_answer_for_all() -> None:
    rng = np.random.default_rng(6)
    A = rng.normal(size=(4, 7, 3))
    q = Quadratic(np.zeros((4, 3)), np.einsum("tij,tik->tjk", A, A))
    R = rng.normal(size=(4, 3))
    assert q.H is not None
    found = around_mean(q, 1e40, 0.1)(R)
    assert found.shape == R.shape
    wanted = np.linalg.solve(q.H.mean(axis=0) + 0.1 * np.eye(3), R.mean(axis=0))
    np.testing.assert_allclose(found, np.tile(wanted, (4, 1)), rtol=1e-10)
