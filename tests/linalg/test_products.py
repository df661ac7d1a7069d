"""Products by SciPy's BLAS are those of NumPy, whatever the order of the numbers in memory."""

import numpy as np
import pytest

from mtlref.linalg.products import eigen, gram, inner, product

RNG = np.random.default_rng(0)


def orders(A: np.ndarray) -> list[np.ndarray]:
    """The same matrix by rows, by columns, as a transpose, and as every second entry of a larger one."""
    apart = np.zeros((2 * A.shape[0], 3 * A.shape[1]))
    apart[::2, ::3] = A
    return [A, np.asfortranarray(A), A.T.copy().T, apart[::2, ::3], apart[::2, ::3][::-1][::-1]]


@pytest.mark.parametrize(
    ("m", "k", "n"), [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (1, 1, 1), (40, 30, 20)]
)
def test_products_in_any_order(m: int, k: int, n: int) -> None:
    A, B, v = RNG.standard_normal((m, k)), RNG.standard_normal((k, n)), RNG.standard_normal(k)
    for X in orders(A):
        for Y in orders(B):
            found = product(X, Y)
            np.testing.assert_allclose(found, A @ B, rtol=1e-13, atol=1e-13)
            assert found.flags.c_contiguous
        for w in (v, np.repeat(v, 2)[::2]):
            np.testing.assert_allclose(product(X, w), A @ v, rtol=1e-13, atol=1e-13)
        square = gram(X)
        np.testing.assert_allclose(square, A.T @ A, rtol=1e-13, atol=1e-13)
        np.testing.assert_array_equal(square, square.T)
        assert inner(X, np.ones((m, k))) == pytest.approx(A.sum(), rel=1e-12, abs=1e-12)


def test_the_arguments_stay_as_they_are() -> None:
    A, B = RNG.standard_normal((4, 4)), RNG.standard_normal((4, 4))
    before = A.copy(), B.copy()
    product(A, B), product(A, B[0]), gram(A), inner(A, B), eigen(A + A.T)
    np.testing.assert_array_equal(A, before[0])
    np.testing.assert_array_equal(B, before[1])


def test_what_blas_does_not_take_goes_through_numpy() -> None:
    A = RNG.standard_normal((3, 4))
    np.testing.assert_allclose(product(1j * A, A.T), 1j * A @ A.T)  # derivatives by complex steps need it
    assert product(A[:0], A.T).shape == (0, 3)
    np.testing.assert_array_equal(product(A[:, :0], A.T[:0]), np.zeros((3, 3)))
    np.testing.assert_array_equal(product(A[:, :0], np.zeros(0)), np.zeros(3))
    np.testing.assert_array_equal(gram(A[:0]), np.zeros((4, 4)))
    assert gram(A[:, :0]).shape == (0, 0)


def test_shapes_that_do_not_fit_are_refused() -> None:
    for B in (np.ones((2, 3)), np.ones(2), np.ones(4)):
        with pytest.raises(ValueError, match="mismatch"):
            product(np.ones((2, 3)), B)


def test_eigenvalues_rise_and_vectors_are_orthonormal() -> None:
    A = RNG.standard_normal((7, 7))
    A = A + A.T
    values, vectors = eigen(A)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(A), rtol=1e-12)
    np.testing.assert_allclose(vectors * values @ vectors.T, A, atol=1e-13)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(7), atol=1e-13)
    with pytest.raises(np.linalg.LinAlgError):
        eigen(np.full((3, 3), np.nan))
