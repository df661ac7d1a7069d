"""One trial of a law: f at a Jacobian, and what it takes for two directions to agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.jacobian import rows_of
from mtlref.balance.minnorm import hull_weights
from mtlref.errors import LawViolation

Array = NDArray[np.float64]
Direction = Callable[[Array], Any]


@dataclass(frozen=True)
class Trial:
    """f under test with a Jacobian. value : what the property says (a factor). degree : k of f(a J) = a^k f(J)."""

    f: Direction
    J: Array
    rng: np.random.Generator
    tol: float
    degree: float
    value: float

    def at(self, J: Array) -> Array:
        """f(J), which must be (d,) and finite, with J left as it was."""
        given = J.copy()
        try:
            d = np.asarray(self.f(given), dtype=float)
        except Exception as problem:
            raise LawViolation(f"f must answer; it raised {type(problem).__name__}: {problem}") from problem
        self.require(d.shape == (J.shape[1],), f"f(J) must have shape ({J.shape[1]},); got {d.shape}")
        self.require(np.isfinite(d).all(), f"f(J) must be finite; got {shown(d)}")
        self.require((given == J).all(), "f must leave J as it is")
        return d

    def require(self, holds: Any, message: str) -> None:
        """Raise LawViolation unless ``holds``."""
        if not bool(holds):
            raise LawViolation(message)

    def agree(self, one: Array, other: Array, what: str) -> None:
        """Raise LawViolation unless the two agree to tol, relative to the longer of them and to ``floor``."""
        size = max(float(np.linalg.norm(one)), float(np.linalg.norm(other)), self.floor)
        apart = float(np.linalg.norm(one - other))
        self.require(
            apart <= self.tol * size,
            f"{what}: {shown(one)} and {shown(other)} differ by {apart:.3e} > {self.tol * size:.3e}",
        )

    @property
    def floor(self) -> float:
        """The size of directions at rows as long as the longest one; what is much shorter than this is rounding."""
        return longest(self.J) ** self.degree


def shown(values: Array) -> list[float]:
    """Numbers as a message shows them, to six digits."""
    return [float(f"{v:.6g}") for v in values]


def longest(J: Array) -> float:
    """The length of the longest row."""
    rows = rows_of(J)
    return float(np.ldexp(rows.norms.max(), rows.exponent))


def units(J: Array) -> Array:
    """The rows at length 1."""
    return rows_of(J).units


def is_aligned(J: Array) -> bool:
    """Whether some direction improves every task by a fair part of its length."""
    rows = rows_of(J)
    return bool(np.linalg.norm(hull_weights(rows, np.ones(len(J))) @ rows.units) > 1e-3)
