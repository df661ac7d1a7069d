"""Uncertainty weighting: each loss over the noise that the task is found to have.

(P)  min over the network and s:  Σ_i a_i e^(−s_i) L_i + s_i / 2,   s_i = log σ_i²
     a_i = 1/2 for a regression (L_i / (2σ²) + log σ), 1 for a classification (L_i / σ² + log σ)
(K)  e^(−s_i) = 1 / (2 a_i L_i) at the best s: the weights are 1 / (2 L_i), in the ratios of GLS and IMTL-L

Source: kendall2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.jacobian import as_losses
from mtlref.balance.weighting import LossWeighting
from mtlref.errors import DataError
from mtlref.inputs import choice, count, finite, nonnegative

Array = NDArray[np.float64]
FACTOR = {"regression": 0.5, "classification": 1.0}


@dataclass(frozen=True)
class LogVariances:
    """s (T,): log σ² of every task."""

    T: int
    s: Array


@dataclass(frozen=True)
class UW(LossWeighting):
    """Uncertainty weighting (P): the weights of a step come from s, then s makes a gradient step of length ``lr``.

    form : "regression" (default), "classification", or one of them for each task.
    start : s at the start, default 0.  lr : default 0.025.
    convention : "paper" (default): + s/2 = + log σ. "positive": log(1 + σ²) in its place, which is never negative
    (liebel2018; with a_i = 1/2 for every task there).

    Source: kendall2018; liebel2018.

    >>> UW().update(UW().init(2), losses=[1.0, 4.0])[0]
    array([0.5, 0.5])
    >>> UW().optimum([1.0, 4.0])
    array([0.5  , 0.125])
    """

    form: str | Sequence[str] = "regression"
    start: float = 0.0
    lr: float = 0.025
    convention: str = "paper"
    sources: ClassVar[tuple[str, ...]] = ("kendall2018", "liebel2018")
    formula: ClassVar[str] = "a_i exp(−s_i), s by descent on Σ a_i exp(−s_i) L_i + s_i / 2"
    positive: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for form in (self.form,) if np.ndim(self.form) == 0 else self.form:
            choice(form, "form", tuple(FACTOR))
        finite(self.start, "start")
        nonnegative(self.lr, "lr")
        choice(self.convention, "convention", ("paper", "positive"))

    def factors(self, T: int) -> Array:
        """a (T,)."""
        forms = [self.form] * T if isinstance(self.form, str) else list(self.form)
        if len(forms) != T:
            raise DataError(f"form must be one word or one for each of the {T} tasks; got {len(forms)}")
        return np.array([FACTOR[form] for form in forms])

    def optimum(self, losses: Any) -> Array:
        """a_i e^(−s_i) at the best s for these losses > 0 (K)."""
        L = as_losses(losses, positive=True)
        a = self.factors(len(L))
        if self.convention == "paper":
            return np.asarray(1 / (2 * L))
        # a L e^(−s) = e^s / (1 + e^s): with v = e^s, v² = a L (1 + v).
        al = a * L
        v = (al + np.sqrt(al * al + 4 * al)) / 2
        return np.asarray(a / v)

    def init(self, T: int) -> LogVariances:
        """Every s at ``start``."""
        self.factors(count(T, "T"))
        return LogVariances(T, np.full(T, float(self.start)))

    def _next(self, state: Any, J: Any, losses: Any, rng: Any, draw: Any) -> tuple[Array, Any]:
        weights = self.factors(state.T) * np.exp(-state.s)
        pull = 0.5 if self.convention == "paper" else 1 / (1 + np.exp(-state.s))
        s = state.s - self.lr * (pull - weights * losses)
        return weights, LogVariances(state.T, s)
