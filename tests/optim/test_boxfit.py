"""ADMM and the path of M together: the same answers with and without the path, and on from where it ends."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.optim import boxfit, boxinterior
from mtlref.optim.boxfit import points
from mtlref.optim.boxnorm import BoxNormTerm
from mtlref.optim.quadratic import Quadratic


def data(seed: int, shared: bool, T: int = 6, p: int = 4) -> mt.TaskData:
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((p, 2)) @ rng.standard_normal((2, T))
    if shared:
        X = rng.standard_normal((20, p)) * np.geomspace(1, 0.05, p)
        return mt.TaskData.from_shared(X, X @ truth + 0.5 * rng.standard_normal((20, T)))
    rows = [rng.standard_normal((11, p)) * np.geomspace(1, 0.05, p) for _ in range(T)]
    y = [x @ w + 0.5 * rng.standard_normal(11) for x, w in zip(rows, truth.T, strict=True)]
    return mt.TaskData.from_list(rows, y)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("shape", [{}, {"T": 3, "p": 7}])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_same_answer_with_and_without_the_path(
    monkeypatch: pytest.MonkeyPatch, shared: bool, shape: dict[str, int], loss: str
) -> None:
    tasks = data(0, shared, **shape)
    if loss == "logistic":
        Y = [np.where(y > np.median(y), 1.0, -1.0) for y in tasks.y]
        tasks = (
            mt.TaskData.from_shared(tasks.X[0], np.column_stack(Y))
            if shared
            else mt.TaskData.from_list(tasks.X, Y)
        )
    model = mt.ClusteredMTL(lam=0.02, eta=0.02, n_clusters=2, loss=loss, tol=1e-10)
    assert boxfit.affordable is boxinterior.affordable
    both = model.fit(tasks).result_
    monkeypatch.setattr(boxfit, "affordable", lambda q: False)
    alone = model.fit(tasks).result_
    assert both.converged
    assert alone.converged
    assert both.certificate.primal == pytest.approx(alone.certificate.primal, rel=1e-9)
    if loss == "squared":
        assert both.n_iter <= alone.n_iter + 10


def test_admm_goes_on_where_the_path_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that leads nowhere costs its steps and nothing else."""

    def nowhere(q: Any, term: Any) -> Any:
        yield np.zeros_like(q.r), 1.0

    monkeypatch.setattr(boxfit, "box_interior", nowhere)
    result = mt.ClusteredMTL(lam=0.02, eta=0.05, n_clusters=2, tol=1e-8).fit(data(0, False)).result_
    assert result.converged
    assert result.n_iter > boxfit.BURST + 1


def test_inside_newtons_method_the_path_is_the_end() -> None:
    rng = np.random.default_rng(0)
    H = np.stack([x.T @ x for x in rng.standard_normal((5, 6, 4)) * np.geomspace(1, 0.05, 4)])
    q = Quadratic(rng.standard_normal((5, 4)), H)
    term = BoxNormTerm(0.001, 0.01, 2)
    assert len(list(islice(points(q, np.zeros((5, 4)), term, 5, on=False), 200))) < 100
    assert len(list(islice(points(q, np.zeros((5, 4)), term, 5), 200))) == 200


@pytest.mark.parametrize("shared", [False, True])
def test_with_m_free_it_is_ridge_at_once(shared: bool) -> None:
    tasks = data(1, shared)
    model = mt.ClusteredMTL(lam=0.3, eta=0.2, n_clusters=4, tol=1e-12).fit(tasks)
    assert model.result_.n_iter == 1
    np.testing.assert_allclose(
        model.coef_, mt.SingleTaskRidge(lam=2 * 0.3 * 0.2, tol=1e-13).fit(tasks).coef_, rtol=1e-7, atol=1e-9
    )
