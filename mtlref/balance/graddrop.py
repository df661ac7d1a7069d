"""GradDrop: in every coordinate one sign is drawn, and only the gradients of that sign count.

(P)  P_k = (1 + Σ_i J_ik / Σ_i |J_ik|) / 2;   U_k uniform on [0, 1);
     d_k = Σ_i (l_i + (1 − l_i) M_ik) J_ik,   M_ik = [P_k > U_k] where J_ik > 0, [P_k < U_k] where J_ik < 0

Source: chen2020, algorithm 1 (there on activations; here on the rows that are given).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.balancer import Found, GradientBalancer
from mtlref.balance.jacobian import Rows
from mtlref.errors import DataError
from mtlref.inputs import finite, vector

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GradDrop(GradientBalancer):
    """Gradient sign dropout (P).

    leak : l, a number in [0, 1] or one for each task (m,); default 0. 1 is the sum of the gradients.
    random_state : where neither rng nor draw is given, the seed of the draws (int, Generator or None).

    U: rng.random(d), or ``draw`` (d,) in [0, 1]. weights are None: a coordinate has its own.

    Source: chen2020.

    >>> import numpy as np
    >>> GradDrop()(np.array([[2.0, 1.0], [-1.0, 3.0]]), draw=[0.9, 0.9])
    array([-1.,  4.])
    """

    leak: Any = 0.0
    random_state: Any = None
    sources: ClassVar[tuple[str, ...]] = ("chen2020",)
    formula: ClassVar[str] = "in each coordinate the sum over one sign, drawn by its share"
    kind: ClassVar[str] = "distance of each coordinate from its two possible values, over the largest entry"
    properties: ClassVar[tuple[str, ...]] = ()
    random: ClassVar[str] = "uniform numbers, (d,)"

    def _leaks(self, m: int) -> Array:
        leak: Array = (
            np.full(m, finite(self.leak, "leak"))
            if np.ndim(self.leak) == 0
            else vector(self.leak, "leak", m, of="J's rows")
        )
        if not ((leak >= 0) & (leak <= 1)).all():
            raise DataError(f"leak must be in [0, 1]; got {self.leak!r}")
        return leak

    def _find(self, J: Array, rows: Rows, losses: Any, state: Any, rng: Any, draw: Any) -> Found:
        S, d = rows.scaled, J.shape[1]
        if draw is not None:
            U: Array = vector(draw, "draw", d, of="the columns of J")
            if not ((U >= 0) & (U <= 1)).all():
                raise DataError(f"draw must be in [0, 1]; got values from {U.min()!r} to {U.max()!r}")
        else:
            source = np.random.default_rng(self.random_state) if rng is None else rng
            U = np.asarray(source.random(d))
        leak = self._leaks(len(J))
        size = np.abs(S).sum(axis=0)
        purity = (1 + np.divide(S.sum(axis=0), size, out=np.zeros(d), where=size > 0)) / 2
        kept = np.where(S > 0, purity > U, purity < U)
        direction = ((leak[:, None] + (1 - leak[:, None]) * kept) * S).sum(axis=0)

        def residual() -> float:
            leaked, free = leak @ S, (1 - leak)[:, None] * S
            up, down = np.where(free > 0, free, 0.0).sum(axis=0), np.where(free < 0, free, 0.0).sum(axis=0)
            rest = direction - leaked
            # Where U hits the share itself, nothing is kept.
            off = np.minimum(np.minimum(np.abs(rest - up), np.abs(rest - down)), np.abs(rest))
            return float(off.max()) / (float(np.abs(S).max()) or 1.0)

        return Found(rows.back(direction), None, residual)
