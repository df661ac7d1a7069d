"""Laws of iterations: what first-order methods promise, on problems whose minimum is known in closed form.

An iteration is any ``steps(gradient, prox, L, x0)`` that gives points x_0 or x_1 onwards, (n,), without end or for long
enough: gradient(x) of the smooth part with constant L, prox(v, step) of the rest. ``run_iteration`` puts one to all
laws of the properties that are claimed for it: "accelerated" (the bound of FISTA), "monotone", or neither.

Source: Nesterov 2004, section 2.1; Beck & Teboulle 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.verify.laws.check import agree, require

Array = NDArray[np.float64]
Steps = Callable[[Callable[[Array], Array], Callable[[Array, float], Array], float, Array], Iterator[Array]]
N, K = 101, 50


class WorstFunction:
    """L/4 ((x_1² + Σ (x_i − x_{i+1})² + x_n²) / 2 − x_1), whose minimum is known; the smooth function that is hardest.

    value, gradient; L; best : the minimiser, best_i = 1 − i / (n + 1); least : the minimum.

    Examples
    --------
    >>> f = WorstFunction(3)
    >>> abs(f.value(f.best) - f.least) < 1e-15, bool(np.abs(f.gradient(f.best)).max() < 1e-15)
    (True, True)
    """

    def __init__(self, n: int = N, L: float = 4.0) -> None:
        self.L = L
        self.best = 1 - np.arange(1.0, n + 1) / (n + 1)
        self.least = L / 8 * (1 / (n + 1) - 1)

    def value(self, x: Array) -> float:
        """f(x), (n,) to a number."""
        ends = np.concatenate([[0.0], x, [0.0]])
        return self.L / 4 * (float((np.diff(ends) ** 2).sum()) / 2 - float(x[0]))

    def gradient(self, x: Array) -> Array:
        """L/4 (A x − e_1), A tridiagonal (−1, 2, −1)."""
        ends = np.concatenate([[0.0], x, [0.0]])
        g = 2 * x - ends[:-2] - ends[2:]
        g[0] -= 1
        return np.asarray(self.L / 4 * g)


def _same(v: Array, step: float) -> Array:
    return v.copy()


def _points(steps: Steps, gradient: Any, prox: Any, L: float, x0: Array, count: int) -> list[Array]:
    """x_1 .. x_count, without the start where the iteration gives it first."""
    found = [np.array(x, dtype=float) for x in islice(steps(gradient, prox, L, x0.copy()), count + 1)]
    if found and np.array_equal(found[0], x0):
        found = found[1:]
    require(len(found) >= count, f"the iteration must give {count} points; it gave {len(found)}")
    return found[:count]


def fista_bound(steps: Steps) -> None:
    """f(x_k) − min f <= 2 L ‖x_0 − x*‖² / (k + 1)², k = 1 .. 100, on the worst function."""
    f, x0 = WorstFunction(), np.zeros(N)
    far = float(f.best @ f.best)
    for k, x in enumerate(_points(steps, f.gradient, _same, f.L, x0, 2 * K), 1):
        above, bound = f.value(x) - f.least, 2 * f.L * far / (k + 1) ** 2
        require(above <= bound, f"f(x_{k}) − min f = {above!r} > 2 L ‖x_0 − x*‖² / (k + 1)² = {bound!r}")


def gradient_bound(steps: Steps) -> None:
    """f(x_k) − min f <= L ‖x_0 − x*‖² / (2 k), k = 1 .. 100, on the worst function."""
    f, x0 = WorstFunction(), np.zeros(N)
    far = float(f.best @ f.best)
    for k, x in enumerate(_points(steps, f.gradient, _same, f.L, x0, 2 * K), 1):
        above, bound = f.value(x) - f.least, f.L * far / (2 * k)
        require(above <= bound, f"f(x_{k}) − min f = {above!r} > L ‖x_0 − x*‖² / (2 k) = {bound!r}")


def gradients_alone_are_used(steps: Steps) -> None:
    """f(x_k) − min f >= 3 L ‖x_0 − x*‖² / (32 (k + 1)²) at n = 2 k + 1: no combination of gradients is better."""
    f, x0 = WorstFunction(), np.zeros(N)
    above = f.value(_points(steps, f.gradient, _same, f.L, x0, K)[-1]) - f.least
    bound = 3 * f.L * float(f.best @ f.best) / (32 * (K + 1) ** 2)
    require(above >= bound, f"f(x_{K}) − min f = {above!r} < {bound!r}, which no first-order method reaches")


def points_come_out_of_the_prox(steps: Steps) -> None:
    """(x − a)' H (x − a) / 2 + ‖x‖_1, H of condition 100: every point is one that the prox gave, zeros and all."""
    a, H = np.array([3.0, -0.5, 2.0, -4.0]), np.diag([1.0, 0.3, 0.1, 0.01]) + 0.004
    given: list[Array] = []

    def shrink(v: Array, step: float) -> Array:
        given.append(np.sign(v) * np.maximum(np.abs(v) - step, 0.0))
        return given[-1].copy()

    for k, x in enumerate(_points(steps, lambda x: H @ (x - a), shrink, 1.016, np.ones(4), 50), 1):
        require(given, "the iteration must use the prox")
        off = min(float(np.abs(x - point).max()) for point in given)
        require(
            off <= 1e-13, f"x_{k} = {x.tolist()} is not what the prox gave: {off!r} away from the nearest"
        )


def the_minimiser_stays(steps: Steps) -> None:
    """Started at x*, every point is x*."""
    f = WorstFunction(9)
    for x in _points(steps, f.gradient, _same, f.L, f.best, 20):
        agree(x, f.best, 1e-13, "a point and the minimiser that it started from")


def values_never_rise(steps: Steps) -> None:
    """f(x_{k+1}) <= f(x_k), k < 100, on the worst function."""
    f, x0 = WorstFunction(), np.zeros(N)
    values = [f.value(x) for x in _points(steps, f.gradient, _same, f.L, x0, 2 * K)]
    for k, (now, then) in enumerate(pairwise(values), 1):
        require(then <= now + 1e-14, f"f(x_{k + 1}) = {then!r} > f(x_{k}) = {now!r}")


def the_start_is_left_alone(steps: Steps) -> None:
    """The array of the start is not changed, nor are points that were given."""
    f, x0 = WorstFunction(9), np.linspace(0.0, 1.0, 9)
    kept, given = x0.copy(), []
    for x in islice(steps(f.gradient, _same, f.L, x0), 20):
        given.append((x, np.array(x)))
    require(np.array_equal(x0, kept), "the iteration changed its start")
    for k, (x, then) in enumerate(given):
        require(np.array_equal(x, then), f"point {k} was changed after it was given")


# The property that an iteration must claim for the law to apply; "" for all.
ITERATION_LAWS: dict[Callable[[Steps], None], str] = {
    gradient_bound: "",
    gradients_alone_are_used: "",
    points_come_out_of_the_prox: "",
    the_minimiser_stays: "",
    the_start_is_left_alone: "",
    fista_bound: "accelerated",
    values_never_rise: "monotone",
}
