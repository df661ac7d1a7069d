"""What a balancer answers: direction, weights, and a certificate that is written from the definition alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.jacobian import Rows
from mtlref.balance.minnorm import is_stationary

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Certificate:
    """What is proven of a direction.

    kind : what ``residual`` measures.  residual : relative to the largest row of J, or to what ``kind`` names; zero but
    for rounding in an exact answer.  smallest : the smallest ⟨g_i, d⟩, negative where a task is made worse.
    stationary : whether J is Pareto stationary: zero lies in the hull of the gradients, and no direction
    improves all tasks.
    """

    kind: str
    residual: float
    smallest: float
    stationary: bool


@dataclass(frozen=True)
class Solution:
    """direction (d,); weights (m,) with direction = J'weights, None where the method has none; certificate."""

    direction: Array
    weights: Array | None
    certificate: Certificate


def certify(J: Array, rows: Rows, direction: Array, kind: str, residual: float) -> Certificate:
    """The certificate of a direction whose defining equations leave ``residual``."""
    inner = J @ direction
    return Certificate(kind, float(residual), float(inner.min()), _is_stationary(rows, direction, inner))


def _is_stationary(rows: Rows, direction: Array, inner: Array) -> bool:
    """``is_stationary``; a direction that improves every task by far more than rounding settles it at once."""
    if rows.plain and rows.norms.min() > 0:
        with np.errstate(over="ignore", under="ignore"):
            length = float(np.linalg.norm(direction)) * np.ldexp(rows.norms, rows.exponent)
        if np.isfinite(length).all() and length.min() > 1e-280 and (inner > 1e-6 * length).all():
            return False
    return is_stationary(rows)


def relative(error: Array, J: Array) -> float:
    """The length of ``error`` (d,) over the length of the largest row; zero over zero is zero."""
    largest = float(np.abs(J).max())
    if largest == 0:
        return float(np.abs(error).max(initial=0.0))
    scaled = J / largest
    size = float(np.sqrt(np.einsum("ij,ij->i", scaled, scaled).max()))
    return float(np.linalg.norm(error / largest)) / size
