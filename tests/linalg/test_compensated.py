"""Sums of products in twice the working precision, held against rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mtlref.linalg import compensated
from mtlref.linalg.compensated import plus, scaled, times, total, two_product, two_sum

F = Fraction


def wild(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers of both signs over forty orders of magnitude."""
    return rng.standard_normal(shape) * 10.0 ** rng.uniform(-20, 20, shape)


def test_sums_and_products_of_two_lose_nothing() -> None:
    rng = np.random.default_rng(0)
    a, b = wild(rng, 200), wild(rng, 200)
    for operation, exact in ((two_sum, F.__add__), (two_product, F.__mul__)):
        high, low = operation(a, b)
        for x, y, h, e in zip(a, b, high, low, strict=True):
            assert F(h) + F(e) == exact(F(x), F(y))
            assert h == float(exact(F(x), F(y)))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 65])
def test_a_sum_is_good_to_twice_the_digits(n: int) -> None:
    rng = np.random.default_rng(n)
    high, low = wild(rng, 5, n), wild(rng, 5, n) * 1e-17
    s, e = total(high, low)
    for row in range(5):
        terms = [F(v) for v in (*high[row], *low[row])]
        error = abs(F(s[row]) + F(e[row]) - sum(terms))
        slack = (
            sum(abs(F(v)) for v in high[row]) * F(2) ** -100 + sum(abs(F(v)) for v in low[row]) * F(2) ** -52
        )
        assert error <= n * slack


def test_a_product_with_a_matrix_cancels_to_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compensated, "BLOCK", 20)  # several blocks of rows
    rng = np.random.default_rng(1)
    A, x = rng.standard_normal((13, 6)), (rng.standard_normal(6), 1e-17 * rng.standard_normal(6))
    A[:, 3:], x[0][3:] = A[:, :3], -x[0][:3]  # the high parts cancel, and the low ones are all there is
    high, low = times(A, x)
    for i in range(13):
        exact = sum(F(a) * (F(h) + F(e)) for a, h, e in zip(A[i], *x, strict=True))
        assert abs(F(high[i]) + F(low[i]) - exact) <= F(1, 10**30)
        assert high[i] == pytest.approx(float(exact), rel=1e-12)


def test_pairs_add_and_scale() -> None:
    rng = np.random.default_rng(2)
    a, b = two_sum(wild(rng, 50), wild(rng, 50)), two_sum(wild(rng, 50), wild(rng, 50))
    added, tripled = plus(a, b), scaled(a, 3.7)
    for k in range(50):
        left, right = F(a[0][k]) + F(a[1][k]), F(b[0][k]) + F(b[1][k])
        assert abs(F(added[0][k]) + F(added[1][k]) - left - right) <= (abs(left) + abs(right)) * F(2) ** -100
        assert abs(F(tripled[0][k]) + F(tripled[1][k]) - left * F(3.7)) <= abs(left) * F(2) ** -100
