"""Coupled tasks with sparse weights: few rows, no ridge, and a task that nothing holds to the others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array

import mtlref as mt
from mtlref.optim import coupledsparse
from mtlref.optim.quadratic import Quadratic

GRAPH = np.array([[0.0, 0.0, 0.25, 1.0], [0.0, 0.0, 0.0, 0.0], [0.25, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
ROWS = [
    [[-0.132, 0.64, 0.105, -0.536, 0.362], [1.304, 0.947, -0.704, -1.265, -0.623]],
    [[0.041, -2.325, -0.219, -1.246, -0.732], [-0.544, -0.316, 0.412, 1.043, -0.129]],
    [[1.366, -0.665, 0.352, 0.903, 0.094], [-0.743, -0.922, -0.458, 0.22, -1.01]],
    [[-0.209, -0.159, 0.541, 0.215, 0.355]],
]
TARGETS = [[3.415, 2.87], [1.752, 4.164], [1.871, 4.792], [3.66]]


def fit(data: mt.TaskData, lam: float, lam_sparse: float) -> mt.GraphRegularized:
    return mt.GraphRegularized(
        graph=GRAPH, lam=lam, lam_sparse=lam_sparse, fit_intercept=False, tol=1e-9, max_iter=400
    ).fit(data)


def test_rounds_of_admm_do_not_come_back_to_where_they_were() -> None:
    model = fit(mt.TaskData.from_list([np.array(x) for x in ROWS], TARGETS), 3.8, 0.038)
    assert model.result_.certificate.relative_gap <= 1e-9


@pytest.mark.parametrize("dense", [300, 0])
@pytest.mark.parametrize("share", [0.3, 0.01])
@pytest.mark.parametrize("seed", range(3))
def test_fewer_rows_than_features_are_no_trap(
    seed: int, share: float, dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where Newton's systems are solved by products, as large ones are."""
    monkeypatch.setattr(coupledsparse, "DENSE", dense)
    rng = np.random.default_rng(seed)
    X = [rng.standard_normal((n, 5)) for n in (2, 2, 2, 1)]
    data = mt.TaskData.from_list(X, [3 + rng.standard_normal(len(x)) for x in X])
    lam = float(share * mt.GraphRegularized(graph=GRAPH, fit_intercept=False).lam_scale(data))
    for ratio in (1.0, 0.01):
        assert fit(data, lam, ratio * lam).result_.certificate.relative_gap <= 1e-9


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_systems_by_products_are_those_that_are_factored(shared: bool, sparse: bool) -> None:
    rng = np.random.default_rng(0)
    A = rng.standard_normal((1 if shared else 4, 9, 5))
    q = Quadratic(rng.standard_normal((4, 5)), A.transpose(0, 2, 1) @ A)
    M = np.diag(GRAPH.sum(axis=0)) - GRAPH
    system = coupledsparse._System.of(q, coo_array(M).tocsr() if sparse else M)
    on = rng.random((4, 5)) < 0.6
    right = np.where(on, rng.standard_normal((4, 5)), 0.0)
    step = system._by_products(on, right, 0.1)
    assert not step[~on].any()
    left = np.where(on, right - system.times(step) - 0.1 * step, 0.0)
    assert np.linalg.norm(left) <= 1e-3 * np.linalg.norm(right)  # Newton's steps need no more
    exact = system._dense(on, right, 0.1)
    assert exact is not None
    left = np.where(on, right - system.times(exact) - 0.1 * exact, 0.0)
    assert np.linalg.norm(left) <= 1e-10 * np.linalg.norm(right)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_many_tasks_end_without_admm(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 x 12 entries, beyond what is factored: rounds of ADMM are for problems that Newton's steps do not end."""

    def none(*_: object) -> None:
        raise AssertionError("ADMM was begun")

    monkeypatch.setattr(coupledsparse, "graph_solver", none)
    rng = np.random.default_rng(2)
    W = np.zeros((12, 40))
    W[:4] = rng.standard_normal((4, 1)) + 0.2 * rng.standard_normal((4, 40))
    X = [rng.standard_normal((30, 12)) for _ in range(40)]
    y = [x @ w + rng.standard_normal(30) for x, w in zip(X, W.T, strict=True)]
    data = mt.TaskData.from_list(X, [np.sign(v) for v in y] if loss == "logistic" else y)
    ring = np.roll(np.eye(40), 1, axis=0) + np.roll(np.eye(40), -1, axis=0)
    for lam_sparse in (0.1, 0.01) if loss == "squared" else (0.02,):
        model = mt.GraphRegularized(ring, lam=0.05, lam_sparse=lam_sparse, loss=loss, tol=1e-8).fit(data)
        assert model.result_.certificate.relative_gap <= 1e-8
