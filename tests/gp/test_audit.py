"""The audit of a Gaussian process against what a fit certifies, and of answers that are wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.errors import DataError, FormError, IllConditioned
from mtlref.gp import RBF, Coregional, LogNormal, Matern32


def curves(missing: int = 0) -> mt.TaskData:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (18, 2))
    Y = (
        np.sin(5 * x[:, :1] + 3 * x[:, 1:]) * [2.0, -30.0, 1.0]
        + [5, 0, 0]
        + rng.standard_normal((18, 3)) * [0.3, 3.0, 0.5]
    )
    Y.ravel()[: 7 * missing : 7] = np.nan
    return mt.TaskData.from_shared(x, Y)


OPTIONS: dict[str, dict[str, Any]] = {
    "rank 2": {"rank": 2},
    "structured noise": {"noise_rank": 1, "mean": "linear"},
    "two kernels": {"kernel": [RBF(0.5), Matern32(0.2)], "mean": "zero"},
    "priors": {"priors": {"length": LogNormal(1.0, 0.5), "noise.kappa": LogNormal(1.0, 2.0)}},
}


@pytest.mark.filterwarnings("ignore::mtlref.errors.FitDoubt")
@pytest.mark.parametrize("missing", [0, 3])
@pytest.mark.parametrize("name", OPTIONS)
def test_it_finds_what_the_fit_certified(name: str, missing: int) -> None:
    data, asked = curves(missing), mt.MultiTaskGP(n_restarts=0, tol=1e-4, **OPTIONS[name])
    model = asked.fit(data)
    ours, audited = model.result_.certificate, mt.audit(asked, data, model.model_)
    assert audited.primal == pytest.approx(ours.primal, rel=1e-9)
    # Two ways to a gradient of some 1e-6 whose terms are about 1.
    assert audited.relative_gap == pytest.approx(ours.relative_gap, rel=1e-4, abs=1e-11)
    assert audited.scale == ours.scale
    assert audited.relative_gap <= asked.tol
    assert audited.kind.split("(")[0] == ours.kind.split("(")[0]


@pytest.mark.filterwarnings("ignore::mtlref.errors.FitDoubt")
def test_a_step_away_is_seen_in_every_parameter() -> None:
    data, asked = curves(), mt.MultiTaskGP(n_restarts=0)
    model = asked.fit(data).model_
    at = mt.audit(asked, data, model)
    for k, name in enumerate(model.names):
        theta = model.theta.copy()
        theta[k] += 0.2 if "A[" not in name and "beta" not in name else 0.2 * abs(theta[k]) + 0.1
        moved = mt.audit(asked, data, model.with_theta(theta))
        if "kappa" in name and np.exp(theta[k]) < 1e-3:
            continue  # a kappa at its lower bound moves nothing
        assert moved.primal > at.primal, name
        assert moved.relative_gap > 10 * asked.tol, name


def test_bad_input() -> None:
    data, asked = curves(), mt.MultiTaskGP(n_restarts=0)
    B, noise = Coregional(np.ones((3, 1)), np.ones(3)), Coregional.diagonal(np.ones(3))
    model = mt.gp.Model.make([(B, RBF([1.0, 1.0]))], noise, mean="constant")
    assert mt.audit(asked, data, model).relative_gap > 1e-3
    with pytest.raises(FormError, match=r"mtlref\.gp\.Model"):
        mt.audit(asked, data, np.zeros((2, 3)))
    with pytest.raises(DataError, match="must have the 14 parameters"):
        mt.audit(asked, data, replace(model, mean="zero", beta=np.zeros((0, 3))))
    with pytest.raises(DataError, match="kernel 0 must be of the form RBF"):
        mt.audit(asked, data, mt.gp.Model.make([(B, Matern32([1.0, 1.0]))], noise, mean="constant"))
    with pytest.raises(FormError, match="objective='likelihood'"):
        mt.audit(mt.MultiTaskGP(objective="leave-one-out"), data, model)
    with pytest.raises(FormError, match="without b"):
        mt.audit(asked, data, model, np.zeros(3))
    with pytest.raises(FormError, match="TaskData"):
        mt.audit(asked, mt.Moments.from_data(data), model)
    flat = mt.gp.Model.make([(B, RBF([1e6, 1e6]))], Coregional.diagonal(np.full(3, 1e-30)), mean="constant")
    with pytest.raises(IllConditioned, match="positive definite"):
        mt.audit(asked, data, flat)
