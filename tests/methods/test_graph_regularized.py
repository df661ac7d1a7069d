"""The page GraphRegularized: known answers, real data, and what its docstring claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

RNG = np.random.default_rng(1)
X = [RNG.standard_normal((n, 5)) for n in (12, 9, 15)]
Y = [x @ RNG.standard_normal(5) + 0.3 * RNG.standard_normal(len(x)) for x in X]
DATA = mt.TaskData.from_list(X, Y, names=["a", "b", "c"])


GRAPH = np.array([[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize("weights", [{"ridge": 1e-3}, {"lam_sparse": 1e-3, "ridge": 1e-3}], ids=str)
def test_landmine(check_landmine: Any, weights: dict[str, float]) -> None:
    check_landmine("GraphRegularized", **weights)


def test_closed_form() -> None:
    model = mt.GraphRegularized(GRAPH, lam=0.6, ridge=0.2, scaling="sum", fit_intercept=False, tol=1e-13).fit(
        DATA
    )
    laplacian = np.diag(GRAPH.sum(axis=1)) - GRAPH
    system = np.kron(0.6 * laplacian + 0.2 * np.eye(3), np.eye(5))
    for t, x in enumerate(X):
        system[5 * t : 5 * t + 5, 5 * t : 5 * t + 5] += x.T @ x
    right = np.concatenate([x.T @ y for x, y in zip(X, Y, strict=True)])
    np.testing.assert_allclose(model.coef_.ravel(), np.linalg.solve(system, right), rtol=1e-9)


def test_a_task_without_edges_stands_alone() -> None:
    model = mt.GraphRegularized(GRAPH, lam=5.0, ridge=0.1, tol=1e-12).fit(DATA)
    alone = mt.SingleTaskRidge(lam=0.1, tol=1e-12).fit(DATA.select(["c"]))
    np.testing.assert_allclose(model.coef_[2], alone.coef_[0], rtol=1e-7)


def test_the_diagonal_of_the_graph_has_no_effect() -> None:
    one = mt.GraphRegularized(GRAPH + np.diag([1.0, 5.0, 2.0]), tol=1e-12).fit(DATA)
    np.testing.assert_allclose(one.coef_, mt.GraphRegularized(GRAPH, tol=1e-12).fit(DATA).coef_, rtol=1e-9)


def test_a_strong_edge_makes_two_tasks_one() -> None:
    model = mt.GraphRegularized(GRAPH, lam=1e8, ridge=0.1).fit(DATA)
    np.testing.assert_allclose(model.coef_[0], model.coef_[1], atol=1e-6)
    assert np.abs(model.coef_[0] - model.coef_[2]).max() > 0.1


def test_the_l1_term_selects() -> None:
    model = mt.GraphRegularized(GRAPH, lam=0.5, lam_sparse=0.6, tol=1e-10).fit(DATA)
    assert (model.coef_ == 0).any()
    assert model.coef_.any()
