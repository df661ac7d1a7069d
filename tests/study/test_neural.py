"""Nets in a comparison: by name, tuned over their ridge, and never counted as certified."""

from __future__ import annotations

import numpy as np
import pytest

import mtlref as mt
from mtlref.study import compare
from mtlref.study.neural import EPOCHS, NeuralFit

from .conftest import make_labels, make_regression


def test_a_fit_is_that_of_the_estimator() -> None:
    data = make_regression()
    weights = data.n * data.T / data.N
    model = NeuralFit(mt.SharedMLP, lam=0.01, loss="squared", scaling="sum", seed=3, max_iter=4).fit(data)
    plain = mt.SharedMLP(ridge=0.01, task_weights=weights, max_iter=4, random_state=3).fit(data)
    for a, b in zip(model.predict(data), plain.predict(data), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.result_.n_iter == 4
    assert np.isnan(model.result_.certificate.relative_gap)
    even = NeuralFit(mt.SharedMLP, lam=0.01, loss="squared", scaling="mean", seed=3, max_iter=4).fit(data)
    unweighted = mt.SharedMLP(ridge=0.01, max_iter=4, random_state=3).fit(data)
    np.testing.assert_array_equal(even.predict(data)[0], unweighted.predict(data)[0])
    assert mt.SharedMLP().max_iter > EPOCHS


def test_a_path_is_its_fits() -> None:
    data = make_regression()
    start = NeuralFit(mt.MMoEModel, lam=1.0, loss="squared", scaling="mean", seed=0, max_iter=2)
    for lam, model in zip((1.0, 0.1), start.path(data, (1.0, 0.1)), strict=True):
        alone = mt.MMoEModel(ridge=lam, max_iter=2, random_state=0).fit(data)
        np.testing.assert_array_equal(model.predict(data)[0], alone.predict(data)[0])


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_a_net_is_compared_by_name(loss: str) -> None:
    data = make_regression() if loss == "squared" else make_labels()
    result = compare(
        data,
        methods="SingleTaskRidge,SharedMLP",
        splits=2,
        grid=2,
        folds=2,
        max_iter=3,
        jobs=1,
        loss=loss,
        tol=1e-2,
    )
    row = next(r for r in result.rows if r.method == "SharedMLP")
    assert row.error is None
    said = str(result)
    assert "SharedMLP" in said.split("NOT certified:")[1]
    assert "SingleTaskRidge" in said


def test_moments_are_refused() -> None:
    with pytest.raises(mt.FormError, match="a net needs the rows"):
        NeuralFit(mt.SharedMLP, lam=1.0, loss="squared", scaling="sum", seed=0).fit(
            mt.Moments.from_data(make_regression())
        )
