"""Laws of losses: l(y, z), its derivatives in z, its conjugate, its curvature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.verify.derivative import complex_step, richardson
from mtlref.verify.laws.check import agree, require
from mtlref.verify.naive import row_loss, row_slope

Array = NDArray[np.float64]


def value_is_the_formula(loss: Any, y: Array, z: Array) -> None:
    """value and the formula of the paper, entry by entry."""
    plain = np.array([row_loss(loss.name, float(a), float(b)) for a, b in zip(y, z, strict=True)])
    agree(loss.value(y, z), plain, 4e-15 * (1 + float(np.abs(plain).max())), "value and the formula")


def gradient_is_the_formula(loss: Any, y: Array, z: Array) -> None:
    """grad and the formula, also far out, where differences say nothing."""
    plain = np.array([row_slope(loss.name, float(a), float(b)) for a, b in zip(y, z, strict=True)])
    agree(loss.grad(y, z), plain, 4e-15 * (1 + float(np.abs(plain).max())), "grad and the formula")


def gradient_is_the_slope(loss: Any, y: Array, z: Array) -> None:
    """grad against a complex step of the formula (sum over entries), where that does not overflow."""
    z = np.clip(z, -30, 30)
    if loss.name == "squared":
        numeric = complex_step(lambda u: ((u - y) ** 2).sum() / 2, z)
    else:
        numeric = complex_step(lambda u: np.log(1 + np.exp(-y * u)).sum(), z)
    agree(loss.grad(y, z), numeric, 1e-13 * (1 + float(np.abs(numeric).max())), "grad and the complex step")


def curvature_is_the_slope_of_the_gradient(loss: Any, y: Array, z: Array) -> None:
    """hess against differences of grad."""
    z = np.clip(z, -30, 30)
    numeric = richardson(lambda u: float(loss.grad(y, u).sum()), z, step=0.1)
    agree(loss.hess(y, z), numeric, 1e-9 * (1 + float(np.abs(z - y).max())), "hess and differences of grad")


def curvature_is_bounded(loss: Any, y: Array, z: Array) -> None:
    """0 <= hess <= curvature."""
    h = loss.hess(y, z)
    require(
        (h >= 0).all() and (h <= loss.curvature * (1 + 1e-15)).all(),
        f"hess must lie in [0, {loss.curvature}]; got {h.tolist()}",
    )


def conjugate_obeys_fenchel_young(loss: Any, y: Array, z: Array) -> None:
    """u z <= l(y, z) + l*(y, u) for any u, with equality at u = l'(y, z)."""
    slope = loss.grad(y, z)
    for u in (
        slope,
        np.roll(slope, 1) * np.roll(y, 1) * y if loss.name == "logistic" else np.roll(slope, 1),
        0 * slope,
    ):
        total = loss.value(y, z) + loss.conjugate(y, u)
        slack = 1e-13 * (1 + np.abs(loss.value(y, z)) + np.abs(u * z) + np.abs(u * y) + u * u)
        require((u * z <= total + slack).all(), f"u z = {(u * z).tolist()} > l + l* = {total.tolist()}")
    at = loss.value(y, z) + loss.conjugate(y, slope)
    slack_at = 1e-13 * float((1 + np.abs(slope * z) + np.abs(slope * y) + slope * slope).max())
    agree(at, slope * z, slack_at, "l + l* at the derivative and u z")


def conjugate_is_infinite_outside_its_domain(loss: Any, y: Array, z: Array) -> None:
    """Logistic: l*(y, u) = inf for −u y outside [0, 1], 0 at its ends; squared: finite everywhere."""
    if loss.name == "squared":
        require(np.isfinite(loss.conjugate(y, z)).all(), "the conjugate of the squared loss must be finite")
        return
    require(np.isposinf(loss.conjugate(y, -1.0000001 * y)).all(), "l* must be infinite beyond a = 1")
    require(np.isposinf(loss.conjugate(y, 1e-9 * y)).all(), "l* must be infinite for a < 0")
    require(
        (loss.conjugate(y, -y) == 0).all() and (loss.conjugate(y, 0 * y) == 0).all(),
        "l* must be 0 at a = 0, 1",
    )


LOSS_LAWS: tuple[Callable[[Any, Array, Array], None], ...] = (
    value_is_the_formula,
    gradient_is_the_formula,
    gradient_is_the_slope,
    curvature_is_the_slope_of_the_gradient,
    curvature_is_bounded,
    conjugate_obeys_fenchel_young,
    conjugate_is_infinite_outside_its_domain,
)
