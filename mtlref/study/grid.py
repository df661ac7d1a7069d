"""The grid that every method is tuned over, and what is done when the best setting sits on its edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtlref.registry import Method

# Where lam_max exists every answer at or above it is the same (zero), and four decades below it reach the unpenalised
# end on all but degenerate data. A quadratic penalty has no such top, so its grid reaches past the natural scale on
# one side and further down on the other. The number of settings is the same for both.
RANGES = {True: (1.0, 1e-4), False: (1e1, 1e-6)}

# Extensions on each side; each adds a quarter of the grid, so that four double its range and no more.
EXTENSIONS = 4

# Scores within this relative distance of the best count as ties; of ties the most penalised wins. Without it a curve
# that has levelled out would push its choice, and the extensions of the grid, ever further for nothing.
TIE = 1e-4


@dataclass(frozen=True)
class Grid:
    """lam_k = scale * top * ratio**k, k = 0..size-1, and beyond on both sides where extended (k may be negative)."""

    top: float
    ratio: float
    size: int
    bounded: bool

    @property
    def step(self) -> int:
        """Settings that one extension adds."""
        return max(self.size // EXTENSIONS, 1)

    def lam(self, k: int, scale: float) -> float:
        """The penalty of setting k for a training part whose natural scale is ``scale``."""
        return float(scale * self.top * self.ratio**k)


@dataclass(frozen=True)
class Choice:
    """Setting k was chosen; ``note`` says what a reader should know about how."""

    k: int
    note: str


def grid_for(method: Method, size: int) -> Grid:
    """The grid of ``method`` with ``size`` settings."""
    bounded = "has_lam_max" in method.properties
    top, bottom = RANGES[bounded]
    return Grid(top=top, ratio=(bottom / top) ** (1 / (size - 1)), size=size, bounded=bounded)


def decide(grid: Grid, curve: dict[int, float]) -> list[int] | Choice | None:
    """What the scores so far (setting -> criterion, smaller is better) ask for.

    Returns the settings still to be tried, a Choice, or None where no setting gave a finite score. The answer depends
    on ``curve`` alone, so a resumed comparison decides as an uninterrupted one.
    """
    low, high = 0, grid.size
    up = down = 0
    limit = min(EXTENSIONS * grid.step, grid.size)
    while True:
        wanted = [k for k in range(low, high) if k not in curve]
        if wanted:
            return wanted
        k = best(curve, low, high)
        if k is None:
            return None
        if k == low and not grid.bounded and not _level(grid, curve, low) and (up + 1) * grid.step <= limit:
            low, up = low - grid.step, up + 1
        elif k == high - 1 and (down + 1) * grid.step <= limit:
            high, down = high + grid.step, down + 1
        else:
            return Choice(k, _note(grid, curve, low, high, up, down, k))


def best(curve: dict[int, float], low: int, high: int) -> int | None:
    """The most penalised setting among those that tie with the best of low..high-1; None where all are not finite."""
    ks = np.arange(low, high)
    scores = np.array([curve[int(k)] for k in ks])
    finite = np.isfinite(scores)
    if not finite.any():
        return None
    smallest = scores[finite].min()
    ties = finite & (scores <= smallest + TIE * abs(smallest))
    return int(ks[np.argmax(ties)])


def _level(grid: Grid, curve: dict[int, float], low: int) -> bool:
    """Whether the upper edge scores no better than the quarter of the grid beside it: there is nothing beyond.

    Quadratic penalties have such a plateau, where the coupling is rigid; on it ties would lead from edge to edge.
    """
    beside = min(curve[k] for k in range(low + 1, low + 1 + grid.step))
    return not curve[low] < beside - TIE * abs(beside)


def _note(grid: Grid, curve: dict[int, float], low: int, high: int, up: int, down: int, k: int) -> str:
    notes = []
    if up:
        notes.append("grid extended upwards")
    if down:
        notes.append("grid extended downwards")
    if k == low and grid.bounded:
        notes.append("chose lam_max, the model without features")
    elif k == low:
        level = _level(grid, curve, low)
        notes.append(
            "choice on the upper edge, where the curve is level"
            if level
            else "choice still at the upper edge"
        )
    elif k == high - 1:
        notes.append("choice still at the lower edge")
    return "; ".join(notes)
