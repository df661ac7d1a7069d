"""GradNorm: weights under which every task's gradient has the length that its rate of training asks for.

(P)  G_i = w_i ‖g_i‖,   r_i = (L_i / L_i(0)) / mean_j (L_j / L_j(0)),   target_i = mean_j G_j · r_i^α, held constant
     w_i ← w_i − lr · sign(G_i − target_i) ‖g_i‖,   then w ← T w / Σ w

The slope of Σ_i |G_i − target_i| in w_i is a sign times ‖g_i‖: no second backward pass is needed.

Source: chen2018, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.jacobian import as_losses, rows_of
from mtlref.balance.weighting import LossWeighting
from mtlref.errors import DataError
from mtlref.inputs import choice, count, nonnegative

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rates:
    """w (T,): the next step's weights; first (T,): the losses L(0), None before the first step."""

    T: int
    w: Array
    first: Array | None = None


@dataclass(frozen=True)
class GradNorm(LossWeighting):
    """GradNorm (P): a step is weighted by the w that it found, and leaves the next one's.

    alpha : >= 0, default 1.5.  lr : step of the weights, default 0.025.  first : L(0) (T,), default those of the
    first step.
    convention : "paper" (default). "before": the weights are those after the update, already in this step.

    J holds the gradients in the shared parameters that the lengths are taken of (the paper: those of the last shared
    layer).
    Raises DataError where a step would take a weight to zero or below: lr is too large then.

    Source: chen2018.

    >>> import numpy as np
    >>> g = GradNorm(alpha=0.0, lr=0.1)
    >>> w, state = g.update(g.init(2), np.array([[3.0], [1.0]]), [1.0, 1.0])
    >>> w, state.w
    (array([1., 1.]), array([0.77777778, 1.22222222]))
    """

    alpha: float = 1.5
    lr: float = 0.025
    first: Any = None
    convention: str = "paper"
    sources: ClassVar[tuple[str, ...]] = ("chen2018",)
    formula: ClassVar[str] = "w by descent on Σ |w_i ‖g_i‖ − mean (w ‖g‖) r_i^α|, Σ w = T"
    needs: ClassVar[tuple[str, ...]] = ("losses", "J")

    def __post_init__(self) -> None:
        nonnegative(self.alpha, "alpha")
        nonnegative(self.lr, "lr")
        choice(self.convention, "convention", ("paper", "before"))

    def init(self, T: int) -> Rates:
        """Weights 1."""
        count(T, "T")
        return Rates(
            T,
            np.ones(T),
            None if self.first is None else as_losses(self.first, T, positive=True, name="first"),
        )

    def _next(self, state: Any, J: Any, losses: Any, rng: Any, draw: Any) -> tuple[Array, Any]:
        first = losses.copy() if state.first is None else state.first
        rows = rows_of(J)
        lengths = np.ldexp(rows.norms, rows.exponent)
        G = state.w * lengths
        ratio = losses / first
        target = G.mean() * (ratio / ratio.mean()) ** self.alpha
        w = state.w - self.lr * np.sign(G - target) * lengths
        if (w <= 0).any():
            t = int(np.argmin(w))
            raise DataError(
                f"lr must be small enough to keep the weights > 0; lr = {self.lr!r} with a gradient of length "
                f"{lengths[t]:.3g} takes the weight of task {t} to {w[t]:.3g}"
            )
        w = w * (state.T / w.sum())
        return (state.w if self.convention == "paper" else w).copy(), Rates(state.T, w, first)
