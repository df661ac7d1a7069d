"""The page KMeansMTL: all partitions, the relaxation's bound, and what its docstring claims."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.optim.kmeans import improve, move_costs, partitions

TIGHT: dict[str, Any] = {"tol": 1e-10}


def small(loss: str, T: int = 4) -> mt.TaskData:
    rng = np.random.default_rng(3)
    X = [rng.standard_normal((n, 3)) for n in rng.integers(8, 14, T)]
    Y = [x @ rng.standard_normal(3) + 0.5 * rng.standard_normal(len(x)) for x in X]
    return mt.TaskData.from_list(X, [np.where(y > 0, 1.0, -1.0) for y in Y] if loss == "logistic" else Y)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_all_partitions_as_graphs(loss: str) -> None:
    """With the clusters fixed the penalty is a graph's; the best of all is the answer."""
    data = small(loss)
    lam, eta = 0.2, 0.1
    best = np.inf
    for labels in set(product(range(2), repeat=4)):
        same = np.equal.outer(labels, labels).astype(float)
        graph = same / same.sum(axis=1)
        model = mt.GraphRegularized(graph, lam=2 * lam, ridge=2 * lam * eta, loss=loss, **TIGHT).fit(data)
        best = min(best, model.result_.certificate.primal)
    found = mt.KMeansMTL(lam=lam, eta=eta, n_clusters=2, loss=loss, **TIGHT).fit(data)
    assert found.result_.converged
    assert found.result_.certificate.primal == pytest.approx(best, rel=1e-8)
    relaxed = mt.ClusteredMTL(lam=lam, eta=eta, n_clusters=2, loss=loss, **TIGHT).fit(data)
    assert found.lower_bound_ == pytest.approx(relaxed.result_.certificate.dual, rel=1e-8)
    assert found.lower_bound_ <= best
    assert "at least" in str(found.result_.certificate)


def test_the_alternation_finds_what_all_partitions_give(monkeypatch: pytest.MonkeyPatch) -> None:
    data = small("squared", T=6)
    settings: dict[str, Any] = {"lam": 0.3, "eta": 0.1, "n_clusters": 3, "n_restarts": 30, **TIGHT}
    best = mt.KMeansMTL(**settings).fit(data)
    monkeypatch.setattr("mtlref.linear.kmeans_mtl.EXHAUSTIVE", 0)
    found = mt.KMeansMTL(**settings).fit(data)
    assert found.result_.certificate.primal == pytest.approx(best.result_.certificate.primal, rel=1e-8)
    assert (np.diff(found.descent_) <= 1e-12).all()
    assert found.restart_objectives_.min() >= best.result_.certificate.primal - 1e-9


def test_labels_that_are_not_the_best_are_not_certified() -> None:
    from mtlref.datafit import data_fit
    from mtlref.linear.kmeans_mtl import certificate

    data, _, _ = mt.data.make_clusters(T=8, p=4, n_clusters=2, n=20, random_state=0)
    model = mt.KMeansMTL(lam=1.0, eta=0.1).fit(data)
    wrong = model.labels_.copy()
    wrong[0] = 1 - wrong[0]
    moved = certificate(
        data_fit(data), model.coef_.T, model.intercept_, lam=1.0, eta=0.1, n_clusters=2, labels=wrong
    )
    assert moved.gap >= moved.primal - model.result_.certificate.primal - 1e-9
    assert moved.relative_gap > 1e-2


def test_clusters_are_found_and_numbered_by_their_first_task() -> None:
    for seed in range(3):
        data, _, _ = mt.data.make_clusters(T=12, p=6, n_clusters=3, n=30, spread=0.1, random_state=seed)
        model = mt.KMeansMTL(lam=0.5, eta=0.01, n_clusters=3).fit(data)
        assert model.labels_.tolist() == [0, 1, 2] * 4
        np.testing.assert_allclose(model.membership_.sum(axis=1), 1.0, rtol=1e-14)


def test_the_limits_of_n_clusters() -> None:
    data = small("squared")
    for n_clusters in (4, 7):
        one = mt.KMeansMTL(lam=0.4, eta=0.25, n_clusters=n_clusters, tol=1e-12).fit(data)
        np.testing.assert_allclose(
            one.coef_, mt.SingleTaskRidge(lam=0.2, tol=1e-12).fit(data).coef_, rtol=1e-6
        )
    one = mt.KMeansMTL(lam=0.4, eta=0.25, n_clusters=1, tol=1e-12).fit(data)
    mean = mt.MeanRegularized(lam=0.8, ridge=0.2, tol=1e-12).fit(data)
    np.testing.assert_allclose(one.coef_, mean.coef_, rtol=1e-6)


def test_single_moves_against_the_costs_that_they_lead_to() -> None:
    from mtlref.verify.naive import Clusters

    rng = np.random.default_rng(0)
    X, labels = rng.standard_normal((7, 3)), np.array([0, 0, 1, 1, 1, 2, 2])
    start = Clusters.cost(X.T, tuple(labels))
    for t, c in product(range(7), range(4)):
        moved = labels.copy()
        moved[t] = c
        expected = Clusters.cost(X.T, tuple(moved)) - start
        assert move_costs(X, labels, 4)[t, c] == pytest.approx(expected, abs=1e-12)
    assert move_costs(X, improve(X, labels, 3), 3).min() >= -1e-12
    assert [len(partitions(T, T)) for T in range(1, 7)] == [1, 2, 5, 15, 52, 203]


@pytest.mark.parametrize("bad", [{"eta": 0.0}, {"n_clusters": 0}, {"n_restarts": 0}])
def test_parameters_out_of_range(bad: dict[str, Any]) -> None:
    with pytest.raises(mt.DataError, match=next(iter(bad))):
        mt.KMeansMTL(**bad).fit(small("squared"))


def test_school_and_landmine(school: mt.TaskData, landmine: mt.TaskData) -> None:
    """Block optimality to 1e-8; the relaxation bounds the minimum from below."""
    for data, loss, share in ((mt.Moments.from_data(school), "squared", 0.01), (landmine, "logistic", 0.1)):
        model = mt.KMeansMTL(n_clusters=4, loss=loss, n_restarts=1, tol=1e-8)
        model.set_params(lam=share * model.lam_scale(data)).fit(data)
        certificate = model.result_.certificate
        assert certificate.relative_gap <= 1e-8
        assert 0 < model.lower_bound_ <= certificate.primal
