"""Gradient vaccine: gradients turned towards one another until their cosine is what it used to be.

(P)  g_i' = g_i;  for j ≠ i in random order, with φ = cos(g_i', g_j) and the target φ̂_ij:
     where φ < φ̂_ij:  g_i' ← g_i' + ‖g_i'‖ (φ̂ √(1−φ²) − φ √(1−φ̂²)) / (‖g_j‖ √(1−φ̂²)) g_j;
     then φ̂_ij ← (1−β) φ̂_ij + β φ;   d = Σ_i g_i'

With targets 0 this is PCGrad.

Source: wang2021, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.balancer import Found, GradientBalancer
from mtlref.balance.jacobian import Rows
from mtlref.balance.visits import visits
from mtlref.errors import DataError
from mtlref.inputs import choice, count, finite, nonnegative

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Targets:
    """phi (T, T): the cosines that task i's gradient is to have with task j's at the next step."""

    T: int
    phi: Array


@dataclass(frozen=True)
class GradVac(GradientBalancer):
    """Gradient vaccine (P). A call is the first step, from targets ``start``.

    beta : weight of the newest cosine in a target, in [0, 1]; default 0.01. start : first target, in (-1, 1);
    default 0.
    convention : "paper" (default): every cosine enters its target. "conflict": only the cosines below their targets do.

    Orders as in PCGrad. Source: wang2021.

    >>> import numpy as np
    >>> GradVac()(np.array([[2.0, 0.0], [-2.0, 2.0]]))
    array([1., 3.])
    """

    beta: float = 0.01
    start: float = 0.0
    convention: str = "paper"
    sources: ClassVar[tuple[str, ...]] = ("wang2021",)
    formula: ClassVar[str] = "Σ g_i', turned to the moving average of its cosine with each g_j"
    kind: ClassVar[str] = "distance of the direction from its weights' combination, over the longest row"
    properties: ClassVar[tuple[str, ...]] = ("rotation", "homogeneous", "span")
    random: ClassVar[str] = "order of the other tasks, (m,) or (m, m)"

    def __post_init__(self) -> None:
        if nonnegative(self.beta, "beta") > 1:
            raise DataError(f"beta must be in [0, 1]; got {self.beta!r}")
        if not -1 < finite(self.start, "start") < 1:
            raise DataError(f"start must be in (-1, 1); got {self.start!r}")
        choice(self.convention, "convention", ("paper", "conflict"))

    def init(self, T: int) -> Targets:
        """Every target at ``start``."""
        return Targets(count(T, "T"), np.full((T, T), float(self.start)))

    def _find(self, J: Array, rows: Rows, losses: Any, state: Any, rng: Any, draw: Any) -> Found:
        m = len(J)
        phi = state.phi.copy()
        total = np.zeros(J.shape[1])
        coefficients = np.zeros(m)
        # Each turn builds on the last one: a loop by definition.
        for i, others in enumerate(visits(m, rng, draw)):
            g = rows.scaled[i].copy()
            own = np.zeros(m)
            own[i] = rows.norms[i]
            for j in others:
                length = float(np.linalg.norm(g))
                if length == 0 or rows.norms[j] == 0:
                    continue  # a zero gradient has no cosine
                cosine = min(max(float(g @ rows.units[j]) / length, -1.0), 1.0)
                target = float(phi[i, j])
                if cosine < target:
                    # Sines from the part across g_j: √(1 − φ²) would lose the digits of small angles.
                    across = float(np.linalg.norm(g - length * cosine * rows.units[j]))
                    turn = target * across / np.sqrt((1 - target) * (1 + target)) - length * cosine
                    g += turn * rows.units[j]
                    own[j] += turn
                if cosine < target or self.convention == "paper":
                    phi[i, j] = (1 - self.beta) * target + self.beta * cosine
            total += g
            coefficients += own
        weights = np.divide(coefficients, rows.norms, out=np.ones(m), where=rows.norms > 0)

        def residual() -> float:
            size = float(rows.norms.max()) or 1.0
            return float(np.linalg.norm(coefficients @ rows.units - total)) / size

        return Found(rows.back(total), weights, residual, Targets(m, phi))
