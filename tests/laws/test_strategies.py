"""What the strategies really draw: every kind occurs, and ranges have width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mtlref as mt

pytest.importorskip("hypothesis")

from mtlref.verify.strategies import cases, graphs, matrices, relative_lams, task_data

Collect = Callable[[Any, int], list[Any]]


@pytest.fixture(scope="module", params=["squared", "logistic"])
def drawn(request: Any, collect: Collect) -> tuple[str, list[mt.TaskData]]:
    return request.param, collect(task_data(request.param), 300)


def share(data: list[mt.TaskData], holds: Any) -> float:
    return sum(bool(holds(d)) for d in data) / len(data)


DETECTORS = {
    "ragged": lambda d: len(set(d.n.tolist())) > 1,
    "one task": lambda d: d.T == 1,
    "four tasks": lambda d: d.T == 4,
    "one column": lambda d: d.p == 1,
    "duplicate column": lambda d: d.p > 1 and all((x[:, 0] == x[:, -1]).all() for x in d.X),
    "constant column": lambda d: all((x[:, 0] == x[0, 0]).all() and x[0, 0] == 1 and len(x) > 1 for x in d.X),
    "zero column": lambda d: any(all(not x[:, j].any() for x in d.X) for j in range(d.p)),
    "wide": lambda d: d.p > d.n.max(),
    "tall": lambda d: d.p < d.n.min(),
    "large mean": lambda d: any(abs(x.mean()) > 100 for x in d.X),
    "scales": lambda d: d.p > 1 and np.ptp(np.log10(np.abs(d.X[0]).max(axis=0) + 1e-9)) > 2.5,
    "weights with zeros": lambda d: d.weights is not None and any((w == 0).any() for w in d.weights),
    "one design": lambda d: d.shared,
    "missing targets": lambda d: d.form == "shared" and not d.shared,
    "ties": lambda d: all((x == np.round(x)).all() for x in d.X),
    "collinear rows": lambda d: all(np.linalg.matrix_rank(x) <= 1 for x in d.X) and d.p > 1 and d.n.max() > 1,
}


@pytest.mark.parametrize("kind", DETECTORS)
def test_every_kind_occurs(drawn: tuple[str, list[mt.TaskData]], kind: str) -> None:
    assert share(drawn[1], DETECTORS[kind]) >= 0.01


def test_kinds_of_regression_only(collect: Collect) -> None:
    data = collect(task_data("squared"), 300)
    assert share(data, lambda d: (d.n == 1).any()) > 0.02
    assert share(data, lambda d: all((y == y[0]).all() for y in d.y)) > 0.02


def test_classification_has_both_classes_in_every_task(collect: Collect) -> None:
    for data in collect(task_data("logistic"), 300):
        for t, y in enumerate(data.y):
            seen = y if data.weights is None else y[data.weights[t] > 0]
            assert set(seen.tolist()) == {-1.0, 1.0}


def test_ranges_have_width(drawn: tuple[str, list[mt.TaskData]]) -> None:
    data = drawn[1]
    assert {d.T for d in data} == {1, 2, 3, 4}
    assert {d.p for d in data} == {1, 2, 3, 4, 5}
    assert max(d.n.max() for d in data) >= 8
    values = np.concatenate([x.ravel() for d in data for x in d.X])
    assert len(np.unique(values)) > 1000


def test_relative_lams_are_even_on_the_logarithm(collect: Collect) -> None:
    lams = np.log10(collect(relative_lams(), 300))
    assert lams.min() < -2
    assert lams.max() > -0.5
    assert lams.std() > 0.4


def test_graphs_are_symmetric_and_of_several_parts(collect: Collect) -> None:
    drawn = collect(graphs(4), 300)
    assert all((A == A.T).all() and (A >= 0).all() and not np.diag(A).any() for A in drawn)
    edges = {int((A > 0).sum()) // 2 for A in drawn}
    assert {0, 1, 2, 3} <= edges
    assert max(edges) >= 4


def test_matrices_are_of_every_kind(collect: Collect) -> None:
    drawn = collect(matrices(), 300)
    assert any(not W.any() for W in drawn)
    assert any(W.any() and not W.any(axis=1).all() for W in drawn)
    assert any(min(W.shape) > 1 and W.any() and np.linalg.matrix_rank(W) == 1 for W in drawn)
    sizes = np.log10([np.abs(W).max() for W in drawn if W.any()])
    assert np.ptp(sizes) > 6


@pytest.mark.parametrize("name", list(mt.methods()))
def test_cases_have_settings_of_both_kinds(name: str, collect: Collect) -> None:
    drawn = collect(cases(name, "squared"), 80)
    for parameter in ("scaling", "fit_intercept"):
        assert len({c.parameters[parameter] for c in drawn}) == 2
    lams = [c.parameters["lam"] for c in drawn]
    assert max(lams) / min(lams) > 1e3
    if "ridge" in mt.methods()[name].degrees:
        assert {c.parameters["ridge"] > 0 for c in drawn} == {True, False}
