"""Peers that take one design for all tasks: arrays by columns, and what they refuse."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from benchmarks.case import Case
from benchmarks.solvers.solver import ByTolerance


class OneDesign(ByTolerance):
    """Squared loss on one design without an intercept; X (n, p) by columns, Y (n, T)."""

    columns: ClassVar[bool] = True  # whether Y is held by columns too
    penalties: ClassVar[tuple[str, ...]] = ("rows",)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        held = np.asfortranarray if self.columns else np.ascontiguousarray
        self.X, self.Y = np.asfortranarray(case.table.X[0]), held(case.table.y[0])

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """Another form of data, loss or penalty."""
        fits = case.table.shared and case.loss == "squared" and case.penalty in cls.penalties
        return None if fits else "it takes one design for all tasks"
