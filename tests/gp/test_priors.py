"""Priors: densities that integrate to one, gradients by complex step, and fits that hold them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

import mtlref as mt
from mtlref.errors import DataError, FormError
from mtlref.gp import RBF, Gamma, InverseGamma, LogNormal, Normal, hyper
from mtlref.gp.priors import attach
from mtlref.verify.derivative import complex_step

_spec = importlib.util.spec_from_file_location("gp_twins", Path(__file__).with_name("conftest.py"))
assert _spec is not None and _spec.loader is not None  # noqa: PT018
twins: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(twins)

PRIORS = {
    "lognormal": (LogNormal(0.7, 0.9), stats.lognorm(0.9, scale=0.7)),
    "gamma": (Gamma(2.5, 1.7), stats.gamma(2.5, scale=1 / 1.7)),
    "inverse gamma": (InverseGamma(3.0, 2.0), stats.invgamma(3.0, scale=2.0)),
    "normal": (Normal(0.4, 1.3), stats.norm(0.4, 1.3)),
}
ALL = pytest.mark.parametrize("name", PRIORS)
ASKED = {
    "length": LogNormal(0.5, 0.3),
    "noise.kappa": Gamma(3.0, 5.0),
    "B.kappa": InverseGamma(2.0, 1.0),
    "B.A": Normal(0.0, 2.0),
}


@ALL
def test_densities_are_those_of_scipy_and_integrate_to_one(name: str) -> None:
    ours, theirs = PRIORS[name]
    v = np.array([0.1, 0.5, 1.0, 3.0])
    np.testing.assert_allclose(ours.log_density(v), theirs.logpdf(v), rtol=1e-12)
    low = 0.0 if ours.positive else -np.inf
    total = integrate.quad(lambda x: np.exp(ours.log_density(x)), low, np.inf, epsabs=1e-10)[0]
    np.testing.assert_allclose(total, 1.0, rtol=1e-8)
    slope = complex_step(lambda x: ours.log_density(x).sum(), v)
    np.testing.assert_allclose(ours.slope(v), slope, rtol=1e-12)


def test_gradient_at_a_model() -> None:
    model = twins.random_model(0, terms=2, noise_rank=1, mean="linear")
    at = attach(ASKED, model, np.array([2.0, 0.3, 1.0]))
    named = [model.names[k] for k, *_ in at.terms]
    assert set(named) == {n for n in model.names if not n.startswith("beta") and "noise.A" not in n}
    slope = complex_step(at.log_density, model.theta)
    np.testing.assert_allclose(at.gradient(model.theta), slope, rtol=1e-11, atol=1e-12)


def test_units_are_those_of_the_targets() -> None:
    """A prior's value at the model of scaled targets is that at the model in the user's units."""
    scale = np.array([2.0, 0.3, 5.0])
    model = twins.random_model(0)
    from mtlref.gp.starts import in_units

    user = in_units(model, np.zeros(3), scale)
    inside = attach(ASKED, model, scale).log_density(model.theta)
    outside = attach(ASKED, user, np.ones(3)).log_density(user.theta)
    np.testing.assert_allclose(inside, outside, rtol=1e-12)


@pytest.fixture(scope="module")
def sines() -> Any:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(25, 1))
    return x, np.sin(6 * x) * [3.0, -1.0] + 0.2 * rng.standard_normal((25, 2))


def test_a_fit_with_priors_is_the_largest_posterior(sines: Any) -> None:
    x, Y = sines
    priors = {"length": LogNormal(0.05, 0.05), "noise.kappa": Gamma(50.0, 100.0)}
    model = mt.MultiTaskGP(RBF(0.3), n_restarts=0, priors=priors).fit(x, Y)
    plain = mt.MultiTaskGP(RBF(0.3), n_restarts=0).fit(x, Y)
    assert plain.log_prior_ == 0.0
    assert "priors" not in plain.result_.certificate.kind
    assert "of likelihood and priors" in model.result_.certificate.kind
    np.testing.assert_allclose(
        model.result_.certificate.primal, model.route_.value - model.log_prior_, rtol=1e-9
    )
    assert model.result_.converged
    # Strong priors are followed: 0.05 with a spread of a twentieth, 0.5 with a seventh.
    assert abs(model.model_.terms[0][1].length[0] / 0.05 - 1) < 0.2
    assert abs(plain.model_.terms[0][1].length[0] / 0.05 - 1) > 1
    np.testing.assert_allclose(np.diag(model.noise_covariance_), 0.5, rtol=0.35)
    assert model.route_.value > plain.route_.value
    # Stationary in the user's units as well, where no bound is near.
    at = attach(priors, model.model_, np.ones(2))
    gradient = model.route_.gradient() - at.gradient(model.model_.theta)
    free = [k for k, name in enumerate(model.model_.names) if "length" in name or "noise" in name]
    assert np.abs(gradient[free]).max() / 50 <= 1e-5


@pytest.mark.parametrize(
    ("priors", "error", "words"),
    [
        ({"width": LogNormal(1.0, 1.0)}, DataError, "k.length.*got 'width'"),
        ({"beta": Normal(0.0, 1.0)}, DataError, "got 'beta'"),
        ({"length": 3.0}, FormError, "must be a prior"),
        ({"length": Normal(0.0, 1.0)}, DataError, "k0.length must be of a positive number"),
        ({"B.A": Gamma(1.0, 1.0)}, DataError, "of a number of any sign"),
        ({"kappa": Gamma(1.0, 1.0), "noise.kappa": Gamma(1.0, 1.0)}, DataError, "must have one prior"),
        ([LogNormal(1.0, 1.0)], FormError, "a dict of priors"),
    ],
)
def test_bad_priors(priors: Any, error: type, words: str, sines: Any) -> None:
    with pytest.raises(error, match=words):
        mt.MultiTaskGP(RBF(0.3), n_restarts=0, priors=priors).fit(*sines)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LogNormal(0.0, 1.0),
        lambda: LogNormal(1.0, -1.0),
        lambda: Gamma(0.0, 1.0),
        lambda: InverseGamma(1.0, np.inf),
        lambda: Normal(0.0, 0.0),
    ],
)
def test_bad_densities(make: Any) -> None:
    with pytest.raises(DataError, match="must be"):
        make()


def test_nested_fits_take_no_priors() -> None:
    cells, model = twins.table_cells(1), twins.random_model(2)
    with pytest.raises(DataError, match="without priors"):
        hyper.fit(model, cells, nested=True, priors=attach(ASKED, model, np.ones(3)))
