"""The page TraceNorm: known answers, real data, and what its docstring claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

RNG = np.random.default_rng(1)
X = [RNG.standard_normal((n, 5)) for n in (12, 9, 15)]
Y = [x @ RNG.standard_normal(5) + 0.3 * RNG.standard_normal(len(x)) for x in X]
DATA = mt.TaskData.from_list(X, Y, names=["a", "b", "c"])


def test_known_optima(check_known: Any) -> None:
    check_known("TraceNorm", 2)


def test_landmine(check_landmine: Any) -> None:
    check_landmine("TraceNorm")


@pytest.mark.parametrize(("lam", "optimum", "rank"), [
    (2000.0, 1005912.02, 3), (500.0, 824648.89, 8), (100.0, 725844.68, 14),
])  # fmt: skip
def test_school(school: mt.TaskData, lam: float, optimum: float, rank: int) -> None:
    model = mt.TraceNorm(lam=lam, scaling="sum", fit_intercept=False, tol=1e-10)
    model.fit(mt.Moments.from_data(school))
    certificate = mt.audit(model, school, model.coef_.T)
    assert certificate.relative_gap <= 1.01e-10
    # The figures are uncertain at 1e-5 relative in their last digits.
    assert certificate.primal == pytest.approx(optimum, rel=1e-5)
    assert model.rank_ == rank


def test_lam_max_is_the_largest_singular_value() -> None:
    model = mt.TraceNorm(fit_intercept=False)
    G = np.column_stack([x.T @ y / len(y) for x, y in zip(X, Y, strict=True)])
    assert model.lam_max(DATA) == pytest.approx(np.linalg.norm(G, 2), rel=1e-13)


def test_rank_falls_with_lam() -> None:
    ranks = [m.rank_ for m in mt.TraceNorm(tol=1e-9).path(DATA, [10.0, 0.8, 0.3, 1e-6])]
    assert ranks[0] == 0
    assert ranks == sorted(ranks)
    assert ranks[-1] == 3


def test_singular_values_are_those_of_the_coefficients() -> None:
    model = mt.TraceNorm(lam=0.1).fit(DATA)
    np.testing.assert_allclose(
        model.singular_values_, np.sqrt(np.linalg.eigvalsh(model.coef_ @ model.coef_.T)[::-1]), atol=1e-7
    )


def test_fewer_iterations_than_between_two_certificates_give_an_answer() -> None:
    with pytest.warns(mt.NotConverged):
        model = mt.TraceNorm(lam=0.01, max_iter=1, tol=1e-15).fit(DATA)
    assert np.isfinite(model.result_.certificate.gap)


@pytest.mark.parametrize("tol", [1e-4, 1e-8, 1e-11])
def test_iterates_are_certified_where_the_residual_promises_something(tol: float) -> None:
    """Of tasks with designs of their own, where ADMM goes on to the end: two certificates, whatever the gap."""
    rng = np.random.default_rng(3)
    W = rng.standard_normal((8, 2)) @ rng.standard_normal((2, 6))
    X = [rng.standard_normal((40, 8)) for _ in range(6)]
    data = mt.TaskData.from_list(X, [x @ w + rng.standard_normal(40) for x, w in zip(X, W.T, strict=True)])
    for fit_intercept in (True, False):
        lam = 0.1 * mt.TraceNorm(fit_intercept=fit_intercept).lam_max(data)
        result = mt.TraceNorm(lam=lam, tol=tol, fit_intercept=fit_intercept).fit(data).result_
        assert result.converged
        assert result.n_iter <= 40  # without looks in between the first certificate is that of the fiftieth
        assert len(result.history) <= 2


def test_one_design_goes_on_from_the_last_answer() -> None:
    """In its eigenvectors, where a start of nothing needs no product."""
    rng = np.random.default_rng(5)
    A = rng.standard_normal((30, 10))
    data = mt.TaskData.from_shared(A, A @ rng.standard_normal((10, 6)) + rng.standard_normal((30, 6)))
    lam = 0.05 * mt.TraceNorm().lam_max(data)
    first, again = mt.TraceNorm(tol=1e-8).path(data, [lam, lam]).results
    assert first.n_iter > 1
    assert again.n_iter == 1
