"""One battery of laws for every kernel: what is declared here of a kernel is tested of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mtlref.errors import DataError, FormError
from mtlref.gp import (
    RBF,
    Columns,
    Kernel,
    Linear,
    Matern12,
    Matern32,
    Matern52,
    Periodic,
    RationalQuadratic,
    White,
    stationary,
)
from mtlref.verify.derivative import complex_step

ARD = [0.7, 1.9, 1.2]
KERNELS: dict[str, tuple[Kernel, set[str]]] = {
    "rbf": (RBF(1.3), {"stationary", "isotropic", "unit", "length"}),
    "rbf ard": (RBF(ARD), {"stationary", "unit", "length"}),
    "matern12": (Matern12(0.9), {"stationary", "isotropic", "unit", "length"}),
    "matern12 ard": (Matern12(ARD), {"stationary", "unit", "length"}),
    "matern32": (Matern32(1.1), {"stationary", "isotropic", "unit", "length"}),
    "matern32 ard": (Matern32(ARD), {"stationary", "unit", "length"}),
    "matern52": (Matern52(1.7), {"stationary", "isotropic", "unit", "length"}),
    "matern52 ard": (Matern52(ARD), {"stationary", "unit", "length"}),
    "rq": (RationalQuadratic(1.2, 0.8), {"stationary", "isotropic", "unit", "length"}),
    "rq ard": (RationalQuadratic(ARD, 2.5), {"stationary", "unit", "length"}),
    "periodic": (Periodic(1.1, 1.6), {"stationary", "unit"}),
    "periodic ard": (Periodic(ARD, 2.1), {"stationary", "unit"}),
    "linear": (Linear(0.6), {"rotation"}),
    "linear ard": (Linear(ARD), set()),
    "white": (White(0.4), {"stationary", "rotation"}),
    "scale": (2.5 * Matern32(1.1), {"stationary", "isotropic"}),
    "sum": (RBF(ARD) + 0.3 * Linear(0.5) + White(0.2), set()),
    "product": (Periodic(1.2, 1.4) * RBF(2.0), {"stationary", "unit"}),
    "columns": (Columns(RBF([0.8, 1.4]), [2, 0]) * Columns(Linear(0.7), [1]), set()),
}
ALL = pytest.mark.parametrize("name", KERNELS)


def points(n: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal((n, 3))


def declared(word: str) -> Any:
    return pytest.mark.parametrize("name", [n for n, (_, words) in KERNELS.items() if word in words])


@ALL
def test_symmetric_with_its_diagonal(name: str) -> None:
    kernel, X, Z = KERNELS[name][0], points(7), points(4, 1)
    K = kernel(X)
    np.testing.assert_allclose(K, K.T, rtol=0, atol=1e-15)
    np.testing.assert_allclose(np.diag(K), kernel.diag(X), rtol=1e-15)
    np.testing.assert_allclose(kernel(X, Z), kernel(Z, X).T, rtol=1e-14, atol=1e-15)
    assert K.shape == (7, 7)
    assert kernel(X, Z).shape == (7, 4)


@ALL
@pytest.mark.parametrize("times", [1e-2, 1.0, 1e2])
def test_positive_semidefinite(name: str, times: float) -> None:
    X = times * np.vstack([points(30), points(30)[:5]])
    values = np.linalg.eigvalsh(KERNELS[name][0](X))
    assert values[0] >= -1e-13 * values[-1]


@ALL
def test_pullback_to_parameters(name: str) -> None:
    kernel = KERNELS[name][0]
    for X, Z in ((points(6), None), (points(6), points(5, 1))):
        G = np.random.default_rng(2).standard_normal((6, 6 if Z is None else 5))
        _, pull = kernel.at(X, Z)
        slope = complex_step(lambda t, X=X, Z=Z, G=G: (G * kernel.with_theta(t)(X, Z)).sum(), kernel.theta)
        got = pull(G)
        assert got.shape == kernel.theta.shape == (len(kernel.names),)
        np.testing.assert_allclose(got, slope, rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(got, pull(G))  # a second call gives the same: nothing was overwritten


@ALL
def test_pullback_to_inputs(name: str) -> None:
    kernel, X, Z = KERNELS[name][0], points(5), points(6, 1)
    G = np.random.default_rng(2).standard_normal((5, 6))
    slope = complex_step(lambda A: (G * kernel(A, Z)).sum(), X)
    np.testing.assert_allclose(kernel.pull_inputs(X, Z, G), slope, rtol=1e-12, atol=1e-13)


@ALL
def test_derivatives_where_inputs_coincide(name: str) -> None:
    kernel = KERNELS[name][0]
    X = np.vstack([points(3), points(3)])
    G = np.random.default_rng(2).standard_normal((6, 6))
    slope = complex_step(lambda t: (G * kernel.with_theta(t)(X)).sum(), kernel.theta)
    np.testing.assert_allclose(kernel.at(X)[1](G), slope, rtol=1e-12, atol=1e-13)
    assert np.isfinite(kernel.pull_inputs(X, X, G)).all()


@ALL
def test_arguments_and_kernel_are_left_alone(name: str) -> None:
    kernel, X, Z = KERNELS[name][0], points(5), points(6, 1)
    G = np.ones((5, 6))
    before = (X.copy(), Z.copy(), kernel.theta.copy())
    kernel.at(X, Z)[1](G)
    kernel.pull_inputs(X, Z, G)
    kernel.with_theta(kernel.theta + 1)
    for one, other in zip(before, (X, Z, kernel.theta), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(G, 1.0)
    again = kernel.with_theta(kernel.theta)
    np.testing.assert_array_equal(again(X, Z), kernel(X, Z))
    np.testing.assert_allclose(list(kernel.parameters().values()), np.exp(kernel.theta), rtol=1e-15)


@declared("stationary")
def test_translation(name: str) -> None:
    kernel, X, Z = KERNELS[name][0], points(5), points(6, 1)
    shift = np.array([3.0, -2.0, 0.5])
    np.testing.assert_allclose(kernel(X + shift, Z + shift), kernel(X, Z), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "name", [n for n, (_, words) in KERNELS.items() if words & {"isotropic", "rotation"}]
)
def test_rotation(name: str) -> None:
    kernel, X, Z = KERNELS[name][0], points(5), points(6, 1)
    Q = np.linalg.qr(points(3, 5))[0]
    np.testing.assert_allclose(kernel(X @ Q, Z @ Q), kernel(X, Z), rtol=1e-12, atol=1e-14)


@declared("unit")
def test_one_at_distance_zero_and_less_elsewhere(name: str) -> None:
    kernel, X = KERNELS[name][0], points(20)
    K = kernel(X)
    np.testing.assert_array_equal(np.diag(K), 1.0)
    assert (np.abs(K) <= 1.0).all()


@declared("length")
def test_units_of_inputs_go_with_the_length(name: str) -> None:
    kernel, X, Z = KERNELS[name][0], points(5), points(6, 1)
    moved = kernel.theta + np.array([np.log(7.0) if "length" in n else 0.0 for n in kernel.names])
    np.testing.assert_allclose(kernel.with_theta(moved)(7 * X, 7 * Z), kernel(X, Z), rtol=1e-12)


@pytest.mark.parametrize("name", ["rbf", "rbf ard", "matern12 ard"])
def test_pullback_in_blocks_of_rows(name: str) -> None:
    """Blocks of two rows, of a matrix that is zero below its diagonal and of one that is not."""
    rng = np.random.default_rng(0)
    kernel, X, G = KERNELS[name][0], rng.uniform(size=(9, 3)), rng.standard_normal((9, 9))
    arguments = [(X, None, np.triu(G)), (X, None, G), (X, X[:6], np.triu(G)[:, :6])]
    whole = [kernel.at(x, z)[1](g) for x, z, g in arguments]
    room, stationary.ROOM = stationary.ROOM, 18
    try:
        parts = [kernel.at(x, z)[1](g) for x, z, g in arguments]
    finally:
        stationary.ROOM = room
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12)


@pytest.mark.parametrize("cls", [RBF, Matern12, Matern32, Matern52, RationalQuadratic, Periodic, Linear])
def test_one_length_is_equal_lengths(cls: Any) -> None:
    X, Z = points(5), points(6, 1)
    G = np.random.default_rng(2).standard_normal((5, 6))
    one, each = cls(1.4), cls([1.4] * 3)
    np.testing.assert_allclose(one(X, Z), each(X, Z), rtol=1e-14)
    # The derivative in the one length is the sum of those in each.
    np.testing.assert_allclose(one.at(X, Z)[1](G)[0], each.at(X, Z)[1](G)[:3].sum(), rtol=1e-11)


def test_printed_formulae() -> None:
    """Flat, entry by entry, from the book."""
    X, Z = points(4), points(3, 1)
    for i, x in enumerate(X):
        for j, z in enumerate(Z):
            d = x - z
            r = float(np.sqrt(d @ d)) / 1.3
            s = r * r
            expected = {
                RBF(1.3): np.exp(-s / 2),
                Matern12(1.3): np.exp(-r),
                Matern32(1.3): (1 + 3**0.5 * r) * np.exp(-(3**0.5) * r),
                Matern52(1.3): (1 + 5**0.5 * r + 5 * s / 3) * np.exp(-(5**0.5) * r),
                RationalQuadratic(1.3, 0.6): (1 + s / 1.2) ** -0.6,
                Periodic(1.3, 0.9): np.exp(-2 * (np.sin(np.pi * d / 0.9) ** 2).sum() / 1.3**2),
                Linear(0.4): 0.4 * (x @ z),
                White(2.0): 0.0,
            }
            for kernel, value in expected.items():
                np.testing.assert_allclose(kernel(X, Z)[i, j], value, rtol=1e-13, atol=1e-15)


def test_special_cases() -> None:
    X, Z = points(6), points(5, 1)
    # Order 1/alpha: the next term of the exponential's limit.
    np.testing.assert_allclose(RationalQuadratic(1.1, 1e9)(X, Z), RBF(1.1)(X, Z), rtol=1e-7)
    np.testing.assert_allclose(Periodic(1.1, 1.5)(X, Z + 1.5), Periodic(1.1, 1.5)(X, Z), rtol=1e-12)
    np.testing.assert_allclose((RBF(1.0) * RBF(1.0))(X, Z), RBF(0.5**0.5)(X, Z), rtol=1e-13)
    np.testing.assert_allclose((RBF(2.0) + RBF(2.0))(X, Z), (2.0 * RBF(2.0))(X, Z), rtol=1e-15)
    np.testing.assert_allclose(White(3.0)(X), 3.0 * np.eye(6), rtol=1e-15)
    np.testing.assert_array_equal(White(3.0)(X, X), 0.0)


def test_equal_to_scikit_learn() -> None:
    other = pytest.importorskip("sklearn.gaussian_process.kernels")
    X, Z = points(6), points(5, 1)
    for ours, theirs in (
        (RBF(ARD), other.RBF(ARD)),
        (Matern12(ARD), other.Matern(ARD, nu=0.5)),
        (Matern32(ARD), other.Matern(ARD, nu=1.5)),
        (Matern52(ARD), other.Matern(ARD, nu=2.5)),
        (RationalQuadratic(1.3, 0.7), other.RationalQuadratic(1.3, 0.7)),
    ):
        np.testing.assert_allclose(ours(X, Z), theirs(X, Z), rtol=1e-10)
        _, gradient = theirs(X, eval_gradient=True)
        G = np.random.default_rng(3).standard_normal((6, 6))
        flat = np.einsum("ij,ijk->k", G, gradient)
        # scikit-learn sorts parameters by name: alpha before the length.
        got = ours.at(X)[1](G)
        np.testing.assert_allclose(got[::-1] if "Rational" in repr(ours) else got, flat, rtol=1e-10)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: RBF(0.0), DataError, "length must be > 0"),
        (lambda: RBF(-1.0), DataError, "length must be a finite number >= 0"),
        (lambda: RBF([1.0, 0.0]), DataError, "positive numbers"),
        (lambda: RBF([]), DataError, "positive numbers"),
        (lambda: RBF([1.0, np.nan]), DataError, "finite"),
        (lambda: RBF("long"), FormError, "length"),
        (lambda: 0.0 * RBF(), DataError, "variance must be > 0"),
        (lambda: RBF() + 3.0, FormError, "must be a kernel"),
        (lambda: RBF([1.0, 2.0])(points(3)), DataError, "2 entries"),
        (lambda: RBF()(np.ones(3)), DataError, "reshape"),
        (lambda: RBF()(points(3), np.ones((2, 2))), DataError, r"\(3, 3\) and \(2, 2\)"),
        (lambda: Columns(RBF(), [3])(points(3)), DataError, "must be features of X"),
        (lambda: Columns(RBF(), []), DataError, "at least one"),
        (lambda: Columns(RBF(), [0, 0]), DataError, "different"),
        (lambda: RBF().with_theta(np.zeros(2)), DataError, r"shape \(1,\)"),
        (lambda: RationalQuadratic(1.0, np.inf), DataError, "alpha"),
    ],
)
def test_bad_input(make: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        make()
