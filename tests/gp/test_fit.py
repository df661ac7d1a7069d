"""The nested fit: its inner value against the full one, and its end against that of the joint fit."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtlref.errors import DataError, IllConditioned
from mtlref.gp import RBF, Cells, Coregional, Model, hyper
from mtlref.gp.inner import Inner
from mtlref.gp.nested import kernel_slice, shortened
from mtlref.gp.spectrum import spectrum

_spec = importlib.util.spec_from_file_location("gp_twins", Path(__file__).with_name("conftest.py"))
assert _spec is not None and _spec.loader is not None  # noqa: PT018
twins: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(twins)


def drawn(seed: int, n: int = 40, T: int = 3) -> tuple[Model, Cells]:
    """A start, and cells drawn from a model of rank 2."""
    rng = np.random.default_rng(seed)
    X, every = rng.uniform(size=(n, 2)), np.arange(n * T)
    F = np.linalg.cholesky(RBF([0.3, 0.5])(X) + 1e-8 * np.eye(n)) @ rng.standard_normal((n, 2))
    Y = F @ rng.standard_normal((2, T)) + 0.3 * rng.standard_normal((n, T))
    Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    cells = Cells(X, every % n, every // n, Y.T.ravel(), T, every)
    B = Coregional(0.5 + 0.2 * rng.standard_normal((T, 2)), np.full(T, 0.2))
    return Model.make([(B, RBF([1.0, 1.0]))], Coregional.diagonal([0.2] * T), mean="constant"), cells


@pytest.mark.parametrize("noise_rank", [0, 2])
@pytest.mark.parametrize("mean", ["zero", "linear"])
def test_inner_value_and_derivatives_are_those_of_the_table(noise_rank: int, mean: str) -> None:
    cells = twins.table_cells(1)
    model = twins.random_model(2, noise_rank=noise_rank, mean=mean)
    known = spectrum(model.terms[0][1], cells.X)
    inner = Inner(*shortened(known, cells.table(cells.y), model.basis(cells.X)), cells.n, model)
    variables = np.ones(len(model.theta), dtype=bool)
    variables[kernel_slice(model)] = False
    own = np.array([name.startswith("B0.kappa") for name in model.names])
    theta = model.theta.copy()

    def flat_gradient(x: Any) -> Any:
        """½ tr(C⁻¹ ∂C) − ½ α' ∂C α in the variables, entry by entry; complex where x is."""
        moved = np.array(theta, dtype=x.dtype)
        moved[variables] = x
        moved[own] = 2 * np.log(moved[own])
        at = model.with_theta(moved)
        C, r = twins.flat_covariance(at, cells), twins.flat_residual(at, cells)
        alpha, out = np.linalg.solve(C, r), []
        G = np.linalg.inv(C) - np.outer(alpha, alpha)
        task, place, K = cells.task, cells.place, model.terms[0][1](cells.X)[cells.place][:, cells.place]
        for B, M, root in ((at.terms[0][0], K, True), (at.noise, place[:, None] == place, False)):
            by = np.zeros((3, 3), dtype=x.dtype)
            np.add.at(by, (task[:, None], task), 0.5 * G * M)
            out += [((by + by.T) @ B.A).ravel(), by.diagonal() * (2 * np.sqrt(B.kappa) if root else B.kappa)]
        phi = model.basis(cells.X)[place]
        means = [[-(phi[task == t, j] @ alpha[task == t]) for t in range(3)] for j in range(phi.shape[1])]
        return np.concatenate([*out, np.array(means, dtype=x.dtype).ravel()])

    theta[own] = np.exp(theta[own] / 2)
    x = theta[variables]
    point, N = inner.at(x), cells.N
    np.testing.assert_allclose(N * point.value, twins.flat_value(model, cells), rtol=1e-12)
    np.testing.assert_allclose(N * point.gradient, flat_gradient(x), rtol=1e-10, atol=1e-12)
    steps = 1e-30j * np.eye(len(x))
    slopes = np.stack([flat_gradient(x + step).imag for step in steps]) / 1e-30
    np.testing.assert_allclose(N * point.hessian(), slopes, rtol=1e-9, atol=1e-11)


def test_inner_counts_the_places_outside_a_thin_spectrum() -> None:
    """A long length on 300 places leaves few directions: the value and both derivatives are those of all of them."""
    rng = np.random.default_rng(0)
    X, every = rng.uniform(size=(300, 1)), np.arange(600)
    cells = Cells(X, every % 300, every // 300, rng.standard_normal(600), 2, every)
    model = twins.random_model(0, T=2, kernel=RBF(0.5), mean="constant")
    Y, basis = cells.table(cells.y), model.basis(X)
    few, all_ = (spectrum(RBF(0.5), X, thin=thin) for thin in (True, False))
    assert few.null > 200
    one, other = (Inner(*shortened(s, Y, basis), 300, model) for s in (few, all_))
    x = np.delete(model.theta, np.arange(len(model.theta))[kernel_slice(model)])
    x[4:6] = np.exp(x[4:6] / 2)
    a, b = one.at(x), other.at(x)
    np.testing.assert_allclose(a.value, b.value, rtol=1e-12)
    np.testing.assert_allclose(a.gradient, b.gradient, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(a.hessian(), b.hessian(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", [1, 2])  # there may be several optima, and with seed 0 the two ways find two
def test_nested_and_joint_fits_end_at_one_optimum(seed: int) -> None:
    start, cells = drawn(seed)
    joint, nested = (hyper.fit(start, cells, n_restarts=0, nested=how) for how in (False, True))
    assert max(joint.projected, nested.projected) <= 1e-5
    # Each is within about projected² / curvature of the optimum.
    np.testing.assert_allclose(nested.value, joint.value, rtol=1e-7)
    assert nested.n_iter <= 12  # settings of the kernel, each an eigendecomposition; some 50 jointly
    np.testing.assert_allclose(nested.route.value, nested.value, rtol=1e-12)


def test_nested_needs_a_complete_table() -> None:
    start, cells = drawn(0)
    with pytest.raises(DataError, match="complete table"):
        hyper.fit(start, cells.subset(np.arange(5, cells.N)), nested=True)
    with pytest.raises(DataError, match="complete table"):
        hyper.fit(start, cells, nested=True, objective="leave-one-out")
    with pytest.raises(DataError, match="objective must be"):
        hyper.fit(start, cells, objective="luck")


def test_the_best_start_wins_and_every_end_is_told() -> None:
    start, cells = drawn(2)
    alone = hyper.fit(start, cells, n_restarts=0)
    several = hyper.fit(start, cells, n_restarts=3, random_state=5)
    assert len(several.ends) == 4
    assert several.value == pytest.approx(min(several.ends), rel=1e-9)
    assert several.value <= alone.value + 1e-9
    assert several.ends[0] == pytest.approx(alone.value, rel=1e-9)


def test_no_admissible_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    start, cells = drawn(0)

    def refuse(*_: Any) -> Any:
        raise IllConditioned("always")

    monkeypatch.setattr(hyper, "condition_on", refuse)
    with pytest.raises(IllConditioned, match="every start"):
        hyper.fit(start, cells, n_restarts=1, nested=False)


@pytest.mark.parametrize("missing", [0, 3])
def test_a_long_start_on_inputs_twice_is_certified_on_every_route(missing: int) -> None:
    """A length of 100 times the range and inputs twice: every route ends at a stationary point, of one value."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.uniform(size=(12, 1)), 2, axis=0)
    every = np.arange(48)
    y = (np.sin(3 * x) * [1.0, 2.0] + 1e-4 * rng.standard_normal((24, 2))).T.ravel()
    cells = Cells(x, every % 24, every // 24, (y - y.mean()) / y.std(), 2, every).subset(every[missing:])
    start = Model.make(
        [(Coregional([[0.7], [0.6]], [0.2, 0.2]), RBF(100.0))], Coregional.diagonal([0.2, 0.2])
    )
    fast, dense = (
        hyper.fit(start, cells, n_restarts=0, route=route, tol=1e-4)
        for route in ("holes" if missing else None, "dense")
    )
    assert max(fast.projected, dense.projected) <= 1e-4
    np.testing.assert_allclose(fast.value, dense.value, rtol=1e-3)  # flat valleys: the two ways stop apart
    np.testing.assert_allclose(fast.route.value, fast.value, rtol=1e-12)
