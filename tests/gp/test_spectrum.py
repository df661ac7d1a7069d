"""The thin spectrum of smooth kernels: equal to the whole, orthonormal, refused where it does not hold; and memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from mtlref.errors import IllConditioned
from mtlref.gp import RBF, Cells, Coregional, Linear, Matern12, Model, condition_on, leave_out, predict
from mtlref.gp.kronecker import Kronecker
from mtlref.gp.spectrum import spectrum


def table(
    n: int, T: int, kernel: Any = None, noise: float = 0.1, mean: str = "linear"
) -> tuple[Model, Cells]:
    rng = np.random.default_rng(0)
    every = np.arange(n * T)
    cells = Cells(rng.uniform(size=(n, 2)), every % n, every // n, rng.standard_normal(n * T), T, every)
    B = Coregional(rng.standard_normal((T, 2)), rng.uniform(0.3, 1, T))
    scale = rng.uniform(0.5, 1, T)
    noise_part = Coregional(np.sqrt(noise) * rng.standard_normal((T, 1)), noise * scale)
    beta = rng.standard_normal((3 if mean == "linear" else 1, T))
    return Model.make([(B, kernel or RBF([0.4, 0.6]))], noise_part, mean=mean, beta=beta), cells


@pytest.mark.parametrize("kernel", [RBF([0.4, 0.6]), Linear(2.0), RBF(1.0) + 0.5 * Linear([1.0, 2.0])])
def test_a_few_directions_are_the_whole_to_rounding(kernel: Any) -> None:
    X = np.random.default_rng(0).uniform(size=(300, 2))
    few, whole = spectrum(kernel, X), spectrum(kernel, X, thin=False)
    K, r = kernel(X), len(few.s)
    assert r < 180
    assert few.null == 300 - r
    assert whole.null == 0
    np.testing.assert_allclose(few.V.T @ few.V, np.eye(r), atol=1e-13)
    np.testing.assert_allclose((few.V * few.s) @ few.V.T, K, atol=1e-14 * whole.s[-1])
    np.testing.assert_allclose(few.s[-2:], whole.s[-2:], rtol=1e-12, atol=1e-14 * whole.s[-1])
    R = np.random.default_rng(1).standard_normal((300, 2))
    out = few.outside(R)
    np.testing.assert_allclose(few.V.T @ out, 0.0, atol=1e-14)
    np.testing.assert_allclose(R - few.V @ (few.V.T @ R), out, atol=1e-13)


# Signal over noise of 1e8: what rounding leaves of the smallest eigenvalues shows in the ninth digit.
@pytest.mark.parametrize(("noise", "rtol"), [(0.1, 1e-10), (1e-7, 1e-7)])
def test_routes_agree(noise: float, rtol: float) -> None:
    model, cells = table(260, 2, noise=noise)
    thin, dense = condition_on(model, cells), condition_on(model, cells, "dense")
    assert isinstance(thin, Kronecker)
    assert thin.spectrum.null > 100
    np.testing.assert_allclose(thin.value, dense.value, rtol=rtol)
    gradient = dense.gradient()
    np.testing.assert_allclose(thin.gradient(), gradient, rtol=rtol, atol=rtol * np.abs(gradient).max())
    assert thin.backward_error <= 1e-15
    X = np.random.default_rng(1).uniform(size=(5, 2))
    for ask in (predict.mean, predict.variance, predict.covariance):
        expected = ask(dense, X)
        np.testing.assert_allclose(ask(thin, X), expected, atol=10 * rtol * np.abs(expected).max())
    for by in (leave_out.by_cell, leave_out.by_place):
        for name in ("log_density", "variance"):
            ours, expected = getattr(by(thin), name), getattr(by(dense), name)
            np.testing.assert_allclose(ours, expected, rtol=1e2 * rtol, atol=rtol * np.abs(expected).max())


def test_rough_kernels_keep_every_direction() -> None:
    X = np.random.default_rng(0).uniform(size=(300, 2))
    assert spectrum(Matern12(0.5), X).null == 0


SMALL = {
    "smooth": RBF(0.5),
    "nearly constant": RBF([30.0, 50.0]),
    "two directions": Linear(2.0),
    "rough": RBF(0.5) * Matern12(0.5),
    "tiny": Linear(1.0) * 1e-300,
}


@pytest.mark.parametrize("name", list(SMALL))
@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_few_places_leave_out_what_is_rounding_alone(name: str, n: int) -> None:
    """Below the size from which pivoting tells, the tridiagonal matrix does; also with every place twice."""
    kernel = SMALL[name]
    X = np.random.default_rng(0).uniform(size=(n, 2))
    for places in (X, np.vstack([X, X])):
        few, whole = spectrum(kernel, places), spectrum(kernel, places, thin=False)
        K = kernel(places)
        assert whole.null == 0
        assert few.null >= len(places) - n
        np.testing.assert_allclose(few.V.T @ few.V, np.eye(len(few.s)), atol=1e-13)
        for found in (few, whole):
            np.testing.assert_allclose((found.V * found.s) @ found.V.T, K, atol=1e-14 * whole.s[-1], rtol=0)
        np.testing.assert_allclose(whole.s, np.linalg.eigvalsh(K), atol=1e-14 * whole.s[-1])
        np.testing.assert_allclose(few.s, whole.s[few.null :], atol=1e-14 * whole.s[-1])


def test_no_direction_at_all() -> None:
    """A kernel of zeros keeps one direction, of eigenvalue 0: the likelihood is that of the noise."""
    model, cells = table(12, 2, Linear(1.0), mean="constant")
    cells = Cells(np.zeros((12, 2)), cells.place, cells.task, cells.y, 2, cells.order)
    thin, dense = condition_on(model, cells), condition_on(model, cells, "dense")
    assert thin.spectrum.null == 11  # type: ignore[union-attr]
    np.testing.assert_allclose(thin.value, dense.value, rtol=1e-12)
    np.testing.assert_allclose(thin.gradient(), dense.gradient(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("at", [(0, 0), (5, 3), (11, 11)])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused(at: Any, value: float) -> None:
    class Broken(RBF):
        def at(self, X: Any, Z: Any = None) -> Any:
            K, pull = super().at(X, Z)
            K[at] = K[at[::-1]] = value
            return K, pull

    X = np.random.default_rng(0).uniform(size=(12, 2))
    with pytest.raises(IllConditioned, match="positive semidefinite"):
        spectrum(Broken(1.0), X)


class Disguised(RBF):
    """A matrix with a diagonal that pivots use up, and more beside it: not semidefinite."""

    def at(self, X: Any, Z: Any = None) -> Any:
        K, pull = super().at(X, Z)
        K[-1, 0] = K[0, -1] = 0.9 * K[0, -1]
        return K, pull


def test_what_is_no_kernel_is_refused_still() -> None:
    X = np.random.default_rng(0).uniform(size=(300, 2))
    with pytest.raises(IllConditioned, match="positive semidefinite"):
        spectrum(Disguised(1.0), X)


def test_memory_of_a_complete_table() -> None:
    """O(n² + n T): the covariance of all cells, 1.4e8 numbers here, is never formed."""
    n, T = 300, 40
    model, cells = table(n, T, Matern12([0.3, 0.5]), mean="constant")
    tracemalloc.start()
    try:
        made = condition_on(model, cells)
        made.gradient()
        predict.mean(made, cells.X[:10])
        peak = tracemalloc.get_traced_memory()[1] / 8
    finally:
        tracemalloc.stop()
    assert peak <= 16 * (n * n + n * T)


def test_memory_of_loose_cells() -> None:
    """Value and gradient on N cells at places of their own: two matrices of N × N, and the blocks at hand."""
    N = 600
    model, _ = table(10, 3, mean="constant")
    model = Model.make(model.terms, Coregional.diagonal([0.1] * 3))
    rng, every = np.random.default_rng(0), np.arange(N)
    cells = Cells(rng.uniform(size=(N, 2)), every, every * 3 // N, rng.standard_normal(N), 3, every)
    tracemalloc.start()
    try:
        condition_on(model, cells, "dense").gradient(keep=False)
        peak = tracemalloc.get_traced_memory()[1] / 8
    finally:
        tracemalloc.stop()
    assert peak <= 3 * N * N
