"""FAMO: all losses fall at one rate, steered by the change that was seen, not by gradients.

(P)  z = softmax(ξ);   step down Σ_i w_i L_i,  w_i = c z_i / L_i,  c = 1 / Σ_j z_j / L_j
     with the losses L⁺ after the step:  ξ ← ξ − lr (∂z/∂ξ' (log L − log L⁺) + decay ξ)

Source: liu2023famo, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.jacobian import as_losses
from mtlref.balance.moco import softmax
from mtlref.balance.weighting import LossWeighting
from mtlref.errors import DataError
from mtlref.inputs import count, finite, nonnegative, vector

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Logits:
    """xi (T,); last (T,): log losses before the step whose effect has not been seen, None where there is none."""

    T: int
    xi: Array
    last: Array | None = None


@dataclass(frozen=True)
class FAMO(LossWeighting):
    """Fast adaptive multitask optimisation (P).

    lr : step of ξ, default 0.025.  decay : default 0.001.  floor : lower bounds of the losses (T,) or a number,
    default 0; subtracted from them.

    ``observe(state, losses_after)`` makes the step of ξ with losses of the same batch, as in the paper. Without it,
    ``update`` takes the next step's losses for them.

    Source: liu2023famo.

    >>> f = FAMO(lr=1.0, decay=0.0)
    >>> w, state = f.update(f.init(2), losses=[1.0, 4.0])
    >>> w
    array([0.8, 0.2])
    >>> f.observe(state, [0.5, 4.0]).xi.round(4)
    array([-0.1733,  0.1733])
    """

    lr: float = 0.025
    decay: float = 0.001
    floor: Any = 0.0
    sources: ClassVar[tuple[str, ...]] = ("liu2023famo",)
    formula: ClassVar[str] = "c z_i / L_i, z = softmax(ξ), ξ by the change of the log losses"

    def __post_init__(self) -> None:
        nonnegative(self.lr, "lr")
        nonnegative(self.decay, "decay")

    def init(self, T: int) -> Logits:
        """ξ = 0."""
        return Logits(count(T, "T"), np.zeros(T))

    def _above(self, losses: Array) -> Array:
        floor = (
            np.full(len(losses), finite(self.floor, "floor"))
            if np.ndim(self.floor) == 0
            else vector(self.floor, "floor", len(losses), of="the losses")
        )
        above = losses - floor
        if (above <= 0).any():
            t = int(np.argmin(above))
            raise DataError(f"losses must be > floor; got {losses[t]!r} for task {t}")
        return np.asarray(above)

    def observe(self, state: Logits, losses_after: Any) -> Logits:
        """The state once the losses after the step are known. Raises DataError where no step waits for them."""
        if state.last is None:
            raise DataError("observe must follow an update; no step waits for its losses")
        now = np.log(self._above(as_losses(losses_after, state.T, positive=True)))
        z = softmax(state.xi)
        fall = state.last - now
        slope = z * (fall - z @ fall)
        return replace(state, xi=state.xi - self.lr * (slope + self.decay * state.xi), last=None)

    def _next(self, state: Any, J: Any, losses: Any, rng: Any, draw: Any) -> tuple[Array, Any]:
        if state.last is not None:
            state = self.observe(state, losses)
        logs = np.log(self._above(losses))
        # Σ w = 1: w = softmax(ξ − log L).
        return softmax(state.xi - logs), replace(state, last=logs)
