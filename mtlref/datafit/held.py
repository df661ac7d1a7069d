"""The squared loss of rows from their Gram statistics, with a bound of what rounding took on the way.

A path of many lams over many rows is certified by the statistics that its solver works on. That they are those of the
rows is seen once, from the rows along a direction drawn at random, which no wrong statistic survives; and a bound of
their rounding (Higham 2002, section 3.1, for sums in any order) enters every gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit.dual import DualPoint
from mtlref.datafit.moments import MomentFit
from mtlref.datafit.term import EPS, DataFit, means_times

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HeldFit(MomentFit):
    """L(W, b) of rows from their Moments; growth: as ``moments.error_growth`` has it."""

    growth: float = 0.0

    @cached_property
    def _sizes(self) -> tuple[Array, Array]:
        """(‖√s x_tj‖ (T, p) or (1, p), ‖√s y_t‖ (T,)), not centred: what rounding is relative to."""
        m = self.data
        squares = np.einsum("tjj->tj", m.cxx) + m.mass[: len(m.cxx), None] * m.x_mean**2
        return np.sqrt(np.maximum(squares, 0.0)), np.sqrt(self.target_squares)

    def dual_point(self, W: Array) -> DualPoint:
        """As from moments; rounding and slip bound what the values and the rows of G miss of those of the rows."""
        point = super().dual_point(W)
        x, y = self._sizes
        reach = y + means_times(x, np.abs(W))
        growth = self.growth + 2 * self.data.p * EPS  # of the statistics, and of their products with W
        # |δG_tj| <= growth c_t x_tj reach_t.
        slip = growth * float(
            np.sqrt(np.square(self.c * reach) @ np.broadcast_to(x, (len(y), x.shape[1])) ** 2).max()
        )
        lost = growth * reach**2 + EPS * self.data.n * y**2  # Σ y² is one long sum
        return replace(point, rounding=point.rounding + float(self.c @ lost), slip=slip)

    def least(self, W: Array) -> float:
        """None is known here."""
        return -np.inf

    def agrees(self, rows: DataFit) -> bool:
        """Whether a W drawn at random has the dual point that it has from the rows, to its bounds."""
        x, y = self._sizes
        size = np.divide(1.0, x.max(axis=0), out=np.zeros(x.shape[1]), where=x.max(axis=0) > 0)
        W = np.random.default_rng(0).standard_normal((len(size), len(y))) * (size[:, None] * y) / len(size)
        here, there = self.dual_point(W), rows.dual_point(W)
        apart = np.linalg.norm(here.G - there.G, axis=1).max()
        values = np.abs(here.values() - there.values()).sum()
        return bool(apart <= 2 * here.slip and values <= 4 * here.rounding)
