"""Cadmium in the Jura from nickel and zinc: the heterotopic setting, its protocol in docs/gp.md."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.errors import FitDoubt
from mtlref.gp import RBF


@pytest.fixture(scope="module")
def places() -> tuple[Any, Any]:
    """x and y in km of all 359 places, the last 100 for validation, and (Cd, Ni, Zn) there."""
    try:
        tasks = mt.data.load("jura", download=False).tasks
    except mt.data.MissingData:
        pytest.skip("the Jura data are not in MTLREF_DATA")
    X, Y = tasks.to_shared()
    metals = [tasks.names.index(metal) for metal in ("Cd", "Ni", "Zn")]
    return X[:, :2], Y[:, metals]


def median_error(model: Any, X: Any, Y: Any, *, log: bool) -> float:
    """Mean absolute error of cadmium where it was hidden; exp of the mean of a log is the median."""
    Z = np.log(Y) if log else Y.copy()
    Z[259:, 0] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitDoubt)
        model.fit(X, Z)
    predicted = model.predict(X[259:])[:, 0]
    assert model.result_.converged
    assert type(model.route_).__name__ == "Holes"
    return float(np.abs((np.exp(predicted) if log else predicted) - Y[259:, 0]).mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "log", "elsewhere", "here"),
    [
        # Elsewhere: an exact implementation's figures in the same setting. These models were seen with
        # their errors known: the tests hold figures. The model that training data choose is in docs/gallery.
        # A start drawn at random ends where the one from the data does: once is enough to see.
        ({"rank": 2, "mean": "linear", "n_restarts": 1}, False, 0.457, 0.4551),
        ({"rank": 2, "mean": "linear", "n_restarts": 0}, True, 0.405, 0.4041),
    ],
)
def test_other_metals_help(places: Any, options: Any, log: bool, elsewhere: float, here: float) -> None:
    X, Y = places
    error = median_error(mt.MultiTaskGP(RBF(1.0), **options), X, Y, log=log)
    # The optimum is one; L-BFGS-B stops within 1e-5 of a zero gradient, which moves the error by less than 2e-3.
    assert abs(error - here) <= 2e-3
    assert error <= elsewhere + 2e-3


@pytest.mark.slow
@pytest.mark.parametrize(("log", "here"), [(False, 0.4568), (True, 0.4054)])
def test_the_figures_from_elsewhere(places: Any, log: bool, here: float) -> None:
    """0.457 and 0.405: no mean, on targets less their averages where observed."""
    X, Y = places
    Z = np.log(Y) if log else Y.copy()
    truth = Y[259:, 0]
    Z[259:, 0] = np.nan
    center = np.nanmean(Z, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitDoubt)
        model = mt.MultiTaskGP(RBF([1.0, 1.0]), rank=2, mean="zero", n_restarts=0).fit(X, Z - center)
    predicted = model.predict(X[259:])[:, 0] + center[0]
    error = float(np.abs((np.exp(predicted) if log else predicted) - truth).mean())
    assert abs(error - here) <= 2e-3  # as above


def test_cadmium_alone(places: Any) -> None:
    X, Y = places
    model = mt.MultiTaskGP(RBF(1.0), rank=0, n_restarts=0).fit(X[:259], Y[:259, 0])
    error = float(np.abs(model.predict(X[259:]) - Y[259:, 0]).mean())
    # An exact implementation elsewhere has 0.574; with a fitted constant mean it is 0.579. Tolerance as above.
    assert abs(error - 0.5792) <= 2e-3
