"""IMTL-L: every loss brought to the same scale by a learned exponent.

(P)  min over the network and s:  Σ_i e^(s_i) L_i − s_i
(K)  e^(s_i) L_i = 1 at the best s

Source: liu2021imtl.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.jacobian import as_losses
from mtlref.balance.uw import LogVariances
from mtlref.balance.weighting import LossWeighting
from mtlref.inputs import count, finite, nonnegative

Array = NDArray[np.float64]


@dataclass(frozen=True)
class IMTLL(LossWeighting):
    """Impartial losses (P): the weights e^s of a step, then s makes a gradient step of length ``lr``.

    start : s at the start, default 0.  lr : default 0.025.

    Source: liu2021imtl.

    >>> IMTLL().optimum([1.0, 4.0])
    array([1.  , 0.25])
    """

    start: float = 0.0
    lr: float = 0.025
    sources: ClassVar[tuple[str, ...]] = ("liu2021imtl",)
    formula: ClassVar[str] = "exp(s_i), s by descent on Σ exp(s_i) L_i − s_i"
    positive: ClassVar[bool] = False

    def __post_init__(self) -> None:
        finite(self.start, "start")
        nonnegative(self.lr, "lr")

    def optimum(self, losses: Any) -> Array:
        """e^(s_i) at the best s for these losses > 0 (K)."""
        return np.asarray(1 / as_losses(losses, positive=True))

    def init(self, T: int) -> LogVariances:
        """Every s at ``start``."""
        return LogVariances(count(T, "T"), np.full(T, float(self.start)))

    def _next(self, state: Any, J: Any, losses: Any, rng: Any, draw: Any) -> tuple[Array, Any]:
        weights = np.exp(state.s)
        return weights, LogVariances(state.T, state.s - self.lr * (weights * losses - 1))
