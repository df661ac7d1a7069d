"""What a solver gives to a race: either a run to a tolerance of its own, or steps that the clock can stop between."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case

Array = NDArray[np.float64]


class Solver(ABC):
    """A solver bound to a case. What the constructor does (copies into the layout that it likes) is not timed."""

    name: ClassVar[str]
    package: ClassVar[str | None] = None  # the distribution that must be installed
    module: ClassVar[str | None] = None

    def __init__(self, case: Case) -> None:
        self.case = case

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """Why it does not enter here, or None."""
        return None

    @classmethod
    def version(cls) -> str | None:
        """The version installed; None where it is not."""
        if cls.package is None:
            return ""
        if cls.module is not None and find_spec(cls.module) is None:
            return None
        try:
            return metadata.version(cls.package)
        except metadata.PackageNotFoundError:
            return None


class ByTolerance(Solver):
    """A solver that stops by itself; the race finds the loosest tolerance whose answers have the gap.

    first : the tolerance to begin with, where the gap does not say a better one
    looser : tolerances that are run for the curve alone, when the gap has been reached
    """

    first: ClassVar[float] = 1e-4
    looser: ClassVar[tuple[float, ...]] = ()

    @abstractmethod
    def run(self, tol: float) -> list[Array]:
        """W (p, T) for each lam of the case, from nothing but what the constructor kept."""

    def start(self, target: float) -> float:
        """The first tolerance to try for a relative gap of ``target``."""
        return self.first


class ByGap(ByTolerance):
    """Its tolerance is a gap relative to the square of Y."""

    looser = (1e-2, 1e-4, 1e-6)

    def start(self, target: float) -> float:
        """Half of ours, for F(0) is half that square."""
        return 0.5 * target


class BySquaredChange(ByTolerance):
    """Its tolerance bounds a squared change, so that gaps go with its root."""

    looser = (1e-4, 1e-8)

    def start(self, target: float) -> float:
        """A hundred times the square of ours."""
        return 100.0 * target**2


class BySteps(Solver):
    """A solver whose steps are stopped by the race, when the gap at its last point is small enough.

    every : steps between two looks at the gap
    """

    every: ClassVar[int] = 25

    @abstractmethod
    def begin(self) -> None:
        """What is done once, timed: Gram matrices, step sizes."""

    @abstractmethod
    def lams(self) -> Iterator[float]:
        """For each lam, after having set up the start for it."""

    @abstractmethod
    def advance(self, steps: int) -> None:
        """Make some steps for this lam."""

    @property
    @abstractmethod
    def W(self) -> Array:
        """The last point (p, T)."""
