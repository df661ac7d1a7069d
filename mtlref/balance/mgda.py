"""MGDA: the shortest vector in the convex hull of the task gradients.

(P)  min over w >= 0, 1'w = 1 of ‖Σ_i w_i g_i / s_i‖²;   d = Σ_i w_i g_i / s_i
(K)  ⟨g_i / s_i, d⟩ >= ‖d‖² for every i, with equality where w_i > 0

s_i = 1 ("none"), ‖g_i‖ ("l2"), L_i ("loss") or L_i ‖g_i‖ ("loss+"). Either d is zero and J is Pareto stationary, or
every task improves along d.

Source: desideri2012; the normalisations: sener2018, its published code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.balancer import Found, GradientBalancer
from mtlref.balance.jacobian import Rows, as_losses
from mtlref.balance.minnorm import hull_point, quick_hull
from mtlref.inputs import choice

Array = NDArray[np.float64]


def gap(hull: Array, d: Array) -> float:
    """max_i ‖d‖² − ⟨h_i, d⟩ over the square of the longest h_i: (K). ‖d − d*‖² is at most this."""
    longest = float(np.sqrt(np.einsum("ij,ij->i", hull, hull).max()))
    if longest == 0:
        return 0.0
    hull, d = hull / longest, d / longest
    return float(max(d @ d - (hull @ d).min(), 0.0))


@dataclass(frozen=True)
class MGDA(GradientBalancer):
    """Multiple-gradient descent: d = argmin of ‖·‖ over the hull of g_i / s_i (P).

    normalization : "none" (default), "l2", "loss" or "loss+"; the last two need losses > 0.
    convention : "hull" (default): d is the point of the hull. "weights": the w of (P) times the gradients as they
    came, as in the code of sener2018; with s_i ≠ 1 that can make a task worse.

    Source: desideri2012; sener2018.

    >>> import numpy as np
    >>> MGDA()(np.array([[2.0, 0.0], [0.0, 1.0]]))
    array([0.4, 0.8])
    """

    normalization: str = "none"
    convention: str = "hull"
    sources: ClassVar[tuple[str, ...]] = ("desideri2012", "sener2018")
    formula: ClassVar[str] = "argmin ‖d‖ over the hull of g_i / s_i"
    kind: ClassVar[str] = (
        "gap of the shortest vector, over the square of the longest row; and of w from the simplex"
    )
    properties: ClassVar[tuple[str, ...]] = (
        "permutation", "rotation", "homogeneous", "non_conflicting", "strict", "span", "stationary", "copies", "hull",
    )  # fmt: skip

    def __post_init__(self) -> None:
        choice(self.normalization, "normalization", ("none", "l2", "loss", "loss+"))
        choice(self.convention, "convention", ("hull", "weights"))

    @property
    def degree(self) -> float:
        """1, or 0 where the gradients' lengths are divided out."""
        return 0.0 if self.normalization in ("l2", "loss+") and self.convention == "hull" else 1.0

    def _quick(self, J: Any) -> Array | None:
        if self.normalization != "none" or type(J) is not np.ndarray or J.dtype != np.float64 or J.ndim != 2:
            return None
        if 0 in J.shape:
            return None
        found = quick_hull(J)
        return None if found is None else found[1]

    def _find(self, J: Array, rows: Rows, losses: Any, state: Any, rng: Any, draw: Any) -> Found:
        m = len(J)
        by_length = self.normalization in ("l2", "loss+")
        lengths = np.ones(m) if by_length else rows.norms
        if self.normalization in ("loss", "loss+"):
            losses = as_losses(losses, m, positive=True)
            lengths = lengths / losses
        else:
            losses = np.ones(m)
        quick = quick_hull(rows.J) if self.normalization == "none" else None
        if quick is None:
            w, inside = hull_point(rows, lengths)
        else:
            w, inside = quick[0], rows.into(quick[1])
        # A zero row is the shortest vector itself; divided by its own length it is nothing.
        weights = w / losses
        if by_length:
            known = np.ldexp(rows.norms, rows.exponent)
            weights = np.divide(weights, known, out=np.zeros(m), where=known > 0)
        direction = inside if by_length else rows.back(inside)
        if self.convention == "weights":
            weights, direction = w, rows.back(w @ rows.scaled)

        def residual() -> float:
            outside = max(-float(w.min()), abs(float(w.sum()) - 1.0))  # of the simplex
            return max(gap(lengths[:, None] * rows.units, inside), outside)

        return Found(direction, weights, residual)
