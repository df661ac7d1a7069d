"""The duality gap of any W, for every solver alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from benchmarks.datasets.table import Table
from benchmarks.objectives.losses import Logistic, Loss, Squared

Array = NDArray[np.float64]


class Objective:
    """F(W) = L(W) + lam penalty(W), with a dual value from the residual of W itself."""

    def __init__(
        self,
        table: Table,
        penalty: Any,
        *,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = False,
    ) -> None:
        made = Squared if loss == "squared" else Logistic
        self.loss: Loss = made(table, scaling, fit_intercept)
        self.penalty = penalty
        zero = self.loss.at(np.zeros((table.p, table.T)))
        self.null = zero.value
        self.top = penalty.polar(zero.G) if hasattr(penalty, "polar") else None

    def primal_dual(self, W: Array, lam: float) -> tuple[float, float]:
        """F(W) and a lower bound of min F."""
        here = self.loss.at(W)
        primal = here.value + lam * self.penalty.value(W)
        if hasattr(self.penalty, "polar"):
            polar = self.penalty.polar(here.G)
            most = min(here.largest, lam / polar if polar > 0 else np.inf)
            if here.linear is not None and here.square is not None:
                best = here.linear / (2 * here.square) if here.square > 0 else 1.0
                return primal, here.dual(float(np.clip(best, -most, most)))
            return primal, here.dual(min(most, 1.0))
        conjugate = self.penalty.conjugate(here.G) / lam
        if here.linear is not None and here.square is not None:
            whole = here.square + conjugate
            return primal, here.linear**2 / (4 * whole) if whole > 0 else 0.0
        found = minimize_scalar(
            lambda a: a * a * conjugate - here.dual(a), bounds=(0.0, here.largest), method="bounded"
        )
        return primal, -float(found.fun)

    def gap(self, W: Array, lam: float) -> float:
        """(F(W) − dual) / F(0); infinite where W is not finite."""
        if not np.isfinite(W).all():
            return np.inf
        primal, dual = self.primal_dual(W, lam)
        return (primal - dual) / self.null
