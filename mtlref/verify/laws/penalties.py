"""Laws of penalties: each reads what the penalty declares, and has two sides that share no code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.verify.derivative import richardson
from mtlref.verify.laws.check import agree, require

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)


def _size(*arrays: Array) -> float:
    return max(float(np.abs(a).max(initial=0.0)) for a in arrays) or 1.0


def value_is_nonnegative_and_zero_at_zero(penalty: Any, W: Array, V: Array, step: float) -> None:
    """value >= 0, value(0) = 0."""
    require(penalty.value(W) >= 0, f"value(W) must be >= 0; got {penalty.value(W)!r}")
    require(penalty.value(np.zeros_like(W)) == 0, "value(0) must be 0")


def value_is_homogeneous(penalty: Any, W: Array, V: Array, step: float) -> None:
    """value(a W) = |a|^degree value(W)."""
    for a in (-1.0, 0.3, 7.0):
        right = abs(a) ** penalty.degree * penalty.value(W)
        # What differences of equal columns leave is rounding of the columns, whose last digits a changes.
        floor = (1e-14 * float(np.linalg.norm(a * W))) ** penalty.degree + 1e-313
        agree(penalty.value(a * W), right, 1e-13 * W.size * right + floor, f"value({a} W) and its power")


def value_is_convex(penalty: Any, W: Array, V: Array, step: float) -> None:
    """value(W + (V − W) a) <= (1 − a) value(W) + a value(V)."""
    for a in (0.25, 0.5, 0.9):
        chord = (1 - a) * penalty.value(W) + a * penalty.value(V)
        inside = penalty.value((1 - a) * W + a * V)
        slack = 1e-13 * chord + (EPS * _size(W, V)) ** 2 * W.size
        require(inside <= chord + slack, f"value must be convex; got {inside!r} above the chord {chord!r}")


def norm_obeys_the_triangle(penalty: Any, W: Array, V: Array, step: float) -> None:
    """value(W + V) <= value(W) + value(V)."""
    left, right = penalty.value(W + V), penalty.value(W) + penalty.value(V)
    require(left <= right * (1 + 1e-13), f"triangle: {left!r} > {right!r}")


def polar_bounds_the_inner_product(penalty: Any, W: Array, V: Array, step: float) -> None:
    """<G, W> <= polar(G) value(W), G = V."""
    left, right = float(np.vdot(V, W)), penalty.polar(V) * penalty.value(W)
    require(left <= right * (1 + 1e-13) + 1e-300, f"<G, W> = {left!r} > polar(G) value(W) = {right!r}")


def polar_is_attained(penalty: Any, W: Array, V: Array, step: float) -> None:
    """Some W of value 1 has <G, W> = polar(G)."""
    witness = penalty.attains_polar(V)
    agree(penalty.value(witness), 1.0, 1e-13 * V.size, "the value of the witness")
    polar = penalty.polar(V)
    agree(float(np.vdot(V, witness)), polar, 1e-13 * V.size * (polar + 1e-300), "<G, witness> and polar(G)")


def projection_lies_in_the_polar_ball(penalty: Any, W: Array, V: Array, step: float) -> None:
    """polar(P(V)) <= radius, and <V − P, Q − P> <= 0 for Q in the ball."""
    P = penalty.project_polar(V, step)
    require(penalty.polar(P) <= step * (1 + 1e-13), f"polar(P) = {penalty.polar(P)!r} > radius {step!r}")
    polar = penalty.polar(W)
    Q = W * (step / polar) if polar > 0 else W
    obtuse = float(np.vdot(V - P, Q - P))
    require(
        obtuse <= 1e-12 * V.size * _size(V, Q) ** 2, f"<V − P, Q − P> = {obtuse!r} > 0: not the nearest point"
    )


def prox_obeys_moreau(penalty: Any, W: Array, V: Array, step: float) -> None:
    """V = prox_step(V) + projection of V on the polar ball of radius step: two codes, one identity."""
    left = penalty.prox(V, step) + penalty.project_polar(V, step)
    agree(left, V, 64 * EPS * V.size * _size(V), "prox(V) + projection(V) and V")


def prox_residual_is_a_subgradient(penalty: Any, W: Array, V: Array, step: float) -> None:
    """G = (V − prox)/step has <G, Z − prox> <= value(Z) − value(prox) for every Z tried."""
    P = penalty.prox(V, step)
    G = (V - P) / step
    for Z in (W, V, np.zeros_like(V), 2 * P, P + 1e-3 * W, -V):
        left = float(np.vdot(G, Z - P))
        right = penalty.value(Z) - penalty.value(P)
        slack = 1e-12 * (penalty.value(Z) + penalty.value(P) + _size(V, Z) ** 2 / step) * V.size
        require(left <= right + slack, f"<G, Z − P> = {left!r} > value(Z) − value(P) = {right!r}")


def prox_minimises(penalty: Any, W: Array, V: Array, step: float) -> None:
    """step value + ‖· − V‖²/2 grows from prox(V) by at least ‖Z − P‖²/2 (it is 1-strongly convex)."""

    def objective(Z: Array) -> float:
        return step * penalty.value(Z) + float(((Z - V) ** 2).sum()) / 2

    P = penalty.prox(V, step)
    for Z in (W, V, np.zeros_like(V), P + 1e-2 * W, 0.99 * P):
        growth = objective(Z) - objective(P)
        least = float(((Z - P) ** 2).sum()) / 2
        slack = 1e-12 * V.size * (objective(Z) + objective(P) + _size(V) ** 2)
        require(growth >= least - slack, f"growth {growth!r} from the prox point < ‖Z − P‖²/2 = {least!r}")


def prox_is_not_beaten(penalty: Any, W: Array, V: Array, step: float) -> None:
    """step value + ‖· − V‖²/2 is least at prox(V) of all points tried, also where the penalty is not convex."""
    P = penalty.prox(V.copy(), step)
    require(
        np.shape(P) == V.shape and np.isfinite(P).all(), f"prox must be finite, of the shape of V; got {P!r}"
    )

    def objective(Z: Array) -> float:
        return step * penalty.value(Z) + float(((Z - V) ** 2).sum()) / 2

    for Z in (W, V, np.zeros_like(V), P + 1e-2 * W, 0.99 * P, 0.5 * V):
        slack = 1e-12 * V.size * (objective(Z) + objective(P) + _size(V) ** 2)
        require(objective(P) <= objective(Z) + slack, f"{Z.tolist()} is better than prox(V) = {P.tolist()}")


def prox_is_firmly_nonexpansive(penalty: Any, W: Array, V: Array, step: float) -> None:
    """‖P(W) − P(V)‖² <= <P(W) − P(V), W − V>."""
    moved = penalty.prox(W, step) - penalty.prox(V, step)
    left, right = float(np.vdot(moved, moved)), float(np.vdot(moved, W - V))
    require(
        left <= right + 1e-12 * V.size * _size(W, V) ** 2,
        f"‖PW − PV‖² = {left!r} > <PW − PV, W − V> = {right!r}",
    )


def arguments_are_left_alone(penalty: Any, W: Array, V: Array, step: float) -> None:
    """No method changes or returns its argument."""
    kept = V.copy()
    for method in ("value", "gradient", "conjugate", "polar", "attains_polar"):
        if hasattr(penalty, method):
            getattr(penalty, method)(V)
            require((kept == V).all(), f"{method} changed its argument")
    for method in ("prox", "project_polar"):
        if hasattr(penalty, method):
            out = getattr(penalty, method)(V, step)
            require((kept == V).all(), f"{method} changed its argument")
            require(not np.shares_memory(out, V), f"{method} gives back the memory of its argument")


def gradient_is_the_slope(penalty: Any, W: Array, V: Array, step: float) -> None:
    """gradient(W) against differences of the value."""
    scale = _size(W)
    numeric = richardson(penalty.value, W, step=0.1 * scale)
    agree(penalty.gradient(W), numeric, 1e-9 * scale * W.size**2, "gradient and differences")


def conjugate_is_young(penalty: Any, W: Array, V: Array, step: float) -> None:
    """<G, W> <= value(W) + conjugate(G), with equality at G = gradient(W)."""
    total = penalty.value(W) + penalty.conjugate(V)
    require(float(np.vdot(V, W)) <= total * (1 + 1e-13), "Fenchel–Young is broken")
    G = penalty.gradient(W)
    total = penalty.value(W) + penalty.conjugate(G)
    agree(float(np.vdot(G, W)), total, 1e-13 * W.size * (total + 1e-300), "Fenchel–Young at the gradient")


def _value_slack(penalty: Any, W: Array) -> float:
    """What rounding of W's entries moves the value by; differences that cancel leave their square."""
    return 1e-12 * W.size * penalty.value(W) + W.size * (64 * EPS * _size(W)) ** penalty.degree


def _orthogonal(k: int) -> Array:
    return np.asarray(np.linalg.qr(np.random.default_rng(k).standard_normal((k, k)))[0])


def rotations_of_features_change_nothing(penalty: Any, W: Array, V: Array, step: float) -> None:
    """value(Q W) = value(W), prox(Q V) = Q prox(V)."""
    Q = _orthogonal(len(W))
    agree(
        penalty.value(Q @ W),
        penalty.value(W),
        _value_slack(penalty, W),
        "value of Q W and W",
    )
    agree(
        penalty.prox(Q @ V, step),
        Q @ penalty.prox(V, step),
        1e-12 * V.size * _size(V),
        "prox of Q V and Q prox",
    )


def rotations_of_tasks_change_nothing(penalty: Any, W: Array, V: Array, step: float) -> None:
    """value(W Q) = value(W), prox(V Q) = prox(V) Q."""
    Q = _orthogonal(W.shape[1])
    agree(
        penalty.value(W @ Q),
        penalty.value(W),
        _value_slack(penalty, W),
        "value of W Q and W",
    )
    agree(
        penalty.prox(V @ Q, step),
        penalty.prox(V, step) @ Q,
        1e-12 * V.size * _size(V),
        "prox of V Q and prox Q",
    )


def rows_are_separate(penalty: Any, W: Array, V: Array, step: float) -> None:
    """The value is the sum of the rows', the prox is the rows' proxes."""
    parts = [W[j : j + 1] for j in range(len(W))]
    total = sum(penalty.value(row) for row in parts)
    agree(penalty.value(W), total, 1e-12 * W.size * (total + 1e-300), "value and the sum over rows")
    stacked = np.vstack([penalty.prox(V[j : j + 1], step) for j in range(len(V))])
    agree(penalty.prox(V, step), stacked, 1e-13 * V.size * _size(V), "prox and the proxes of rows")


def entries_are_separate(penalty: Any, W: Array, V: Array, step: float) -> None:
    """The prox of each entry by itself."""
    single = np.array([[penalty.prox(np.array([[v]]), step)[0, 0] for v in row] for row in V])
    agree(penalty.prox(V, step), single, 1e-14 * _size(V), "prox and the proxes of entries")


PenaltyLaw = Callable[[Any, Array, Array, float], None]

# The property that a penalty must declare for the law to apply; "" for all.
PENALTY_LAWS: dict[PenaltyLaw, str] = {
    value_is_nonnegative_and_zero_at_zero: "",
    value_is_homogeneous: "",
    value_is_convex: "convex",
    norm_obeys_the_triangle: "norm",
    polar_bounds_the_inner_product: "norm",
    polar_is_attained: "norm",
    projection_lies_in_the_polar_ball: "norm",
    prox_obeys_moreau: "norm",
    prox_residual_is_a_subgradient: "convex",
    prox_minimises: "convex",
    prox_is_not_beaten: "has_prox",
    prox_is_firmly_nonexpansive: "convex",
    arguments_are_left_alone: "",
    gradient_is_the_slope: "quadratic",
    conjugate_is_young: "has_conjugate",
    rotations_of_features_change_nothing: "rotation_invariant",
    rotations_of_tasks_change_nothing: "task_rotation_invariant",
    rows_are_separate: "row_separable",
    entries_are_separate: "entry_separable",
}


def penalty_laws_of(penalty: Any) -> Iterator[PenaltyLaw]:
    """The laws that apply to a penalty, from what it declares."""
    declared = set(penalty.properties)
    declared |= {f"has_{name}" for name in ("conjugate", "prox") if hasattr(penalty, name)}
    for law, needs in PENALTY_LAWS.items():
        if not needs or needs in declared:
            yield law
