"""Batteries on objects of any origin: right ones hold every law, each fault breaks the law that is about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mtlref as mt
from mtlref import gp
from mtlref.penalties import L1, BoxNorm, RowMax, RowNorm, SquaredTraceNorm, TraceNorm
from mtlref.verify import laws
from mtlref.verify.laws.iterations import WorstFunction

Array = NDArray[np.float64]


def broken(outcomes: tuple[laws.Outcome, ...]) -> set[str]:
    return {o.law for o in outcomes if not o.held}


# -- penalties ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "penalty",
    [L1(), RowNorm(), RowMax(), TraceNorm(), SquaredTraceNorm(), BoxNorm()],
    ids=lambda p: type(p).__name__,
)
def test_penalties_hold_every_law(penalty: Any) -> None:
    outcomes = laws.run_penalty(penalty)
    assert len(outcomes) > 5
    assert broken(outcomes) == set(), outcomes


def shrink(V: Array, cut: float) -> Array:
    return np.sign(V) * np.maximum(np.abs(V) - cut, 0.0)


def shrink_in_place(V: Array, cut: float) -> Array:
    V -= np.clip(V, -cut, cut)
    return V


def size(W: Array) -> float:
    return float(np.abs(W).sum())


def trace_norm_by_gram(W: Array) -> float:
    return float(np.sqrt(np.abs(np.linalg.eigvalsh(W.T @ W))).sum())


@pytest.mark.parametrize(
    ("penalty", "law"),
    [
        (laws.Penalty(size, lambda V, step: shrink(V, 2 * step)), "prox_minimises"),
        (laws.Penalty(size, shrink_in_place), "arguments_are_left_alone"),
        (laws.Penalty(lambda W: size(W) ** 0.5, shrink), "value_is_homogeneous"),
        (laws.Penalty(lambda W: float(np.minimum(np.abs(W), 1).sum()), shrink), "value_is_convex"),
        (
            laws.Penalty(size, shrink, properties=("convex", "rotation_invariant")),
            "rotations_of_features_change_nothing",
        ),
        (
            laws.Penalty(trace_norm_by_gram, TraceNorm().prox, properties=("convex", "rotation_invariant")),
            "value_is_homogeneous",
        ),
        (laws.Penalty(size, lambda V, step: V[0]), "prox_is_not_beaten"),
        (
            laws.Penalty(lambda W: float(np.minimum(np.abs(W), 1).sum()), shrink, degree=None, properties=()),
            "prox_is_not_beaten",
        ),
    ],
    ids=["twice the width", "in place", "root", "capped", "not invariant", "Gram", "shape", "not convex"],
)
def test_a_fault_of_a_penalty_breaks_its_law(penalty: Any, law: str) -> None:
    assert law in broken(laws.run_penalty(penalty))


def test_unknown_words_are_refused() -> None:
    with pytest.raises(mt.DataError, match="properties must be among convex"):
        laws.run_penalty(laws.Penalty(size, shrink, properties=("smooth",)))
    with pytest.raises(mt.DataError, match="a penalty may have"):
        laws.Penalty(size, shrink, dual=size)


# -- kernels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernel", "properties"),
    [
        (gp.RBF(), ("stationary", "isotropic")),
        (gp.Matern32(), ("stationary", "isotropic")),
        (gp.Linear(), ("isotropic",)),
    ],
    ids=["RBF", "Matern32", "Linear"],
)
def test_kernels_hold_every_law(kernel: Any, properties: tuple[str, ...]) -> None:
    assert broken(laws.run_kernel(kernel, properties)) == set()


def squares(X: Array, Z: Array) -> Array:
    return ((X[:, None] - Z) ** 2).sum(axis=2)


def scaled_in_place(X: Array, Z: Array) -> Array:
    X *= 2.0
    return np.exp(-squares(X, 2 * Z))


@pytest.mark.parametrize(
    ("kernel", "law"),
    [
        (lambda X, Z: -np.exp(-squares(X, Z)), "has_no_negative_eigenvalue"),
        (lambda X, Z: 1 - squares(X, Z) / 4, "has_no_negative_eigenvalue"),
        (lambda X, Z: np.exp(-squares(X, Z)) * (1 + X[:, :1]), "is_symmetric"),
        (lambda X, Z: np.exp(-squares(X - X.mean(axis=0), Z - Z.mean(axis=0))), "entries_are_of_their_pairs"),
        (lambda X, Z: np.exp(-squares(X, Z) / np.median(squares(X, Z) + 1)), "entries_are_of_their_pairs"),
        (scaled_in_place, "inputs_are_left_alone"),
        (lambda X, Z: X @ Z.T, "shifts_change_nothing"),
        (lambda X, Z: np.exp(-np.abs(X[:, None] - Z).sum(axis=2)), "rotations_change_nothing"),
        (lambda X, Z: np.exp(-squares(X, Z)).sum(axis=1), "is_symmetric"),
    ],
)
def test_a_fault_of_a_kernel_breaks_its_law(kernel: Any, law: str) -> None:
    assert law in broken(laws.run_kernel(kernel, ("stationary", "isotropic")))


# -- layers ---------------------------------------------------------------------------------------------------------


def dense(x: Any, params: Any) -> Any:
    W, b = params
    return np.tanh(x @ W + b)


def dense_backward(x: Any, params: Any, dy: Any) -> Any:
    W, b = params
    dz = dy * (1 - np.tanh(x @ W + b) ** 2)
    return dz @ W.T, [x.T @ dz, dz.sum(axis=0)]


PARAMS = tuple(np.random.default_rng(0).standard_normal(shape) for shape in ((3, 2), (2,)))
INPUTS = np.random.default_rng(1).standard_normal((5, 3))


def real_only(x: Any, params: Any) -> Any:
    return np.asarray(dense(np.asarray(x, dtype=float), [np.asarray(a, dtype=float) for a in params]))


def changes_dy(x: Any, params: Any, dy: Any) -> Any:
    dy *= 1 - dense(x, params) ** 2
    return dy @ params[0].T, [x.T @ dy, dy.sum(axis=0)]


@pytest.mark.filterwarnings("ignore:Casting complex")
@pytest.mark.parametrize("forward", [dense, real_only])
def test_a_layer_holds_every_law(forward: Any) -> None:
    assert broken(laws.run_layer(laws.Layer(forward, dense_backward, PARAMS), INPUTS)) == set()


@pytest.mark.parametrize(
    ("forward", "backward", "law"),
    [
        (dense, lambda x, P, dy: (dy @ P[0].T, [x.T @ dy, dy.sum(axis=0)]), "backward_is_adjoint"),
        (
            dense,
            lambda x, P, dy: (dense_backward(x, P, dy)[0], dense_backward(x, P, dy)[1][:1]),
            "backward_is_adjoint",
        ),
        (
            dense,
            lambda x, P, dy: (dense_backward(x, P, dy)[0], [dense_backward(x, P, dy)[1][0], dy.mean(axis=0)]),
            "backward_is_adjoint",
        ),
        (dense, lambda x, P, dy: dense_backward(x, P, np.clip(dy, -1, 1)), "backward_is_linear"),
        (lambda x, P: dense(x - x.mean(axis=0), P), dense_backward, "rows_are_separate"),
        (dense, changes_dy, "arguments_are_left_alone"),
    ],
    ids=["no slope", "a parameter less", "a mean for a sum", "clipped", "centred batch", "in place"],
)
def test_a_fault_of_a_layer_breaks_its_law(forward: Any, backward: Any, law: str) -> None:
    assert law in broken(laws.run_layer(laws.Layer(forward, backward, PARAMS), INPUTS))


# -- iterations -----------------------------------------------------------------------------------------------------


def ista(gradient: Any, prox: Any, L: float, x: Array) -> Iterator[Array]:
    while True:
        x = prox(x - gradient(x) / L, 1 / L)
        yield x


def fista(gradient: Any, prox: Any, L: float, x: Array, momentum: bool = False) -> Iterator[Array]:
    z, t = x, 1.0
    while True:
        new = prox(z - gradient(z) / L, 1 / L)
        after = (1 + np.sqrt(1 + 4 * t * t)) / 2
        z, x, t = new + (t - 1) / after * (new - x), new, after
        yield z if momentum else x


def in_place(gradient: Any, prox: Any, L: float, x: Array) -> Iterator[Array]:
    while True:
        x -= gradient(x) / L
        yield x


def newton(gradient: Any, prox: Any, L: float, x: Array) -> Iterator[Array]:
    f = WorstFunction(len(x))
    while True:
        yield f.best


def test_iterations_hold_their_laws() -> None:
    assert broken(laws.run_iteration(ista, ("monotone",))) == set()
    assert broken(laws.run_iteration(fista, ("accelerated",))) == set()


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (ista, {"fista_bound"}),  # plain gradient steps are slower than what is claimed
        (lambda g, p, L, x: fista(g, p, L, x, momentum=True), {"points_come_out_of_the_prox"}),
        (lambda g, p, L, x: fista(g, p, L / 4, x), {"gradient_bound", "fista_bound"}),  # a step too long
        (in_place, {"the_start_is_left_alone"}),
        (newton, {"gradients_alone_are_used"}),
        (lambda g, p, L, x: iter([x]), {"fista_bound"}),
    ],
    ids=["plain", "momentum point", "step", "in place", "not first order", "too few"],
)
def test_a_fault_of_an_iteration_breaks_its_law(steps: Any, expected: set[str]) -> None:
    with np.errstate(all="ignore"):
        assert expected <= broken(laws.run_iteration(steps, ("accelerated",)))


def test_the_worst_function_is_what_it_says() -> None:
    f = WorstFunction(7, L=3.0)
    x = np.random.default_rng(0).standard_normal(7)
    slope = mt.verify.derivative.richardson(f.value, x)
    np.testing.assert_allclose(f.gradient(x), slope, atol=1e-9)
    hessian = np.column_stack([f.gradient(e) - f.gradient(np.zeros(7)) for e in np.eye(7)])
    assert np.linalg.eigvalsh(hessian)[-1] <= f.L


# -- balancers ------------------------------------------------------------------------------------------------------


def test_directions_have_the_battery_of_balancers() -> None:
    assert laws.balancers.check(lambda J: J.mean(axis=0), ("permutation", "homogeneous")).jacobians > 10
    with pytest.raises(laws.LawViolation, match="non_conflicting"):
        laws.balancers.check(lambda J: J.mean(axis=0), ("non_conflicting",))


# -- other packages -------------------------------------------------------------------------------------------------


def test_penalties_of_pyproximal() -> None:
    pyproximal = pytest.importorskip("pyproximal")

    def flat(operator: Any) -> laws.Penalty:
        return laws.Penalty(
            lambda W: float(operator(W.ravel())),
            lambda V, step: np.asarray(operator.prox(V.ravel(), step)).reshape(V.shape),
        )

    assert broken(laws.run_penalty(flat(pyproximal.L1()))) == set()


def test_penalties_of_skglm() -> None:
    penalties = pytest.importorskip("skglm.penalties")
    own = penalties.L2_1(1.0)

    def prox(V: Array, step: float) -> Array:
        return np.array([own.prox_1feat(row.copy(), step, j) for j, row in enumerate(V)])

    theirs = laws.Penalty(lambda W: float(own.value(W)), prox, properties=("convex", "row_separable"))
    assert broken(laws.run_penalty(theirs)) == set()
