"""The page GraphRegularized: known answers, real data, and what its docstring claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

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


def _graphs(T: int) -> dict[str, Any]:
    """A chain, a well joined graph, one in two parts with a task alone, and none at all."""
    chain = np.diag(np.ones(T - 1), 1)
    joined = np.triu(RNG.uniform(0.1, 2.0, (T, T)) * (RNG.uniform(size=(T, T)) < 0.5), 1)
    parts = joined.copy()
    parts[: T // 2, T // 2 :] = parts[:, -1] = 0.0
    return {"chain": chain, "joined": joined, "parts": parts, "none": np.zeros((T, T))}


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize(
    "weights", [{}, {"ridge": 0.1}, {"ridge": 1e-13}, {"ridge": 0.1, "lam_sparse": 0.05}], ids=str
)
def test_a_sparse_graph_is_the_dense_one(loss: str, weights: dict[str, float]) -> None:
    data, _, _ = mt.data.make_low_rank(T=7, p=3, n=(30, 40), loss=loss, random_state=0)
    for name, half in _graphs(7).items():
        for lam in (0.01, 100.0):
            settings: dict[str, Any] = {"lam": lam, "loss": loss, "tol": 1e-9, **weights}
            dense = mt.GraphRegularized(half + half.T, **settings).fit(data)
            thin = mt.GraphRegularized(sparse.coo_array(half + half.T), **settings).fit(data)
            ours, other = thin.result_.certificate, dense.result_.certificate
            assert ours.relative_gap <= 1e-9, name
            np.testing.assert_allclose(ours.primal, other.primal, rtol=2e-9)
            # Far from the optimum, where the conjugate is all there is.
            W = 0.9 * dense.coef_.T
            one, two = mt.audit(thin, data, W), mt.audit(dense, data, W)
            np.testing.assert_allclose(one.primal, two.primal, rtol=1e-12)
            np.testing.assert_allclose(one.gap, two.gap, rtol=1e-8)


def test_the_conjugate_of_a_sparse_graph_is_never_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    from mtlref.linear import taskgraph

    half = sparse.coo_array(_graphs(9)["parts"])
    graph = taskgraph.sparse_graph(half + half.T)
    parts = taskgraph.parts_of(graph)
    for lam, ridge in ((1.0, 0.0), (30.0, 0.2)):
        M = taskgraph.sparse_laplacian(graph, lam, ridge).toarray()
        level = np.linalg.eigvalsh(M - ridge * np.eye(9))
        assert taskgraph.spread_level(graph, parts) * lam <= level[level > 1e-9].min()
        G = RNG.standard_normal((3, 9))
        G -= taskgraph.part_means(G, parts)
        exact = float(np.vdot(G @ np.linalg.pinv(M), G)) / 2
        for steps in (0, 2, 200):  # a V that is far off, on the way, and right
            monkeypatch.setattr(taskgraph, "REFINEMENTS", min(steps, 3))
            monkeypatch.setattr(taskgraph, "STEPS", steps)
            W = 3.0 * RNG.standard_normal((3, 9))
            above, _ = taskgraph.spread_conjugate(G, W, graph, parts, lam=lam, ridge=ridge)
            assert above >= exact * (1 - 1e-12)
        np.testing.assert_allclose(above, exact, rtol=1e-10)


def test_a_long_chain_needs_no_square_array() -> None:
    T = 400
    rng = np.random.default_rng(0)
    designs = [rng.standard_normal((6, 3)) for _ in range(T)]
    data = mt.TaskData.from_list(designs, [x @ [1.0, 2.0, np.sin(t / 40)] for t, x in enumerate(designs)])
    t = np.arange(T - 1)
    half = sparse.coo_array((np.ones(T - 1), (t, t + 1)), shape=(T, T))
    for ridge in (0.0, 1e-3):
        model = mt.GraphRegularized(half + half.T, lam=300.0, ridge=ridge, tol=1e-10).fit(data)
        assert model.result_.certificate.relative_gap <= 1e-10
    dense = mt.GraphRegularized((half + half.T).toarray(), lam=300.0, ridge=1e-3, tol=1e-10).fit(data)
    np.testing.assert_allclose(model.result_.certificate.primal, dense.result_.certificate.primal, rtol=1e-9)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (sparse.csr_array(np.ones((3, 2))), "must be square"),
        (sparse.csr_array(np.triu(np.ones((3, 3)))), "must be symmetric"),
        (sparse.csr_array(-GRAPH), "must be >= 0"),
        (sparse.csr_array(np.nan * GRAPH), "graph"),
        (sparse.csr_array(np.ones((4, 4))), r"must have shape \(3, 3\)"),
    ],
)
def test_bad_sparse_graphs(graph: Any, message: str) -> None:
    with pytest.raises(mt.errors.DataError, match=message):
        mt.GraphRegularized(graph).fit(DATA)


def test_plain_and_rigorous_forms_take_sparse_graphs() -> None:
    from mtlref.verify import naive

    model = mt.GraphRegularized(sparse.csr_matrix(GRAPH), lam=0.3, ridge=0.1, tol=1e-10).fit(DATA)
    W, b = model.coef_.T, model.intercept_
    plain = naive.objective("GraphRegularized", model.get_params(), DATA, W, b)
    np.testing.assert_allclose(plain, model.result_.certificate.primal, rtol=1e-12)
    assert mt.audit(model, DATA, W, b, rigorous=True).relative_gap <= 1e-9
    assert "csr" in repr(model) or "sparse" in repr(model)
