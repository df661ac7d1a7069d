"""The alternation between coefficients and a learned covariance; every lam starts from scratch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.alternation import Alternation, ClusterAlternation
from benchmarks.case import CLUSTERS, Case
from benchmarks.solvers.solver import BySteps

Array = NDArray[np.float64]


class PlainAlternation(BySteps):
    """For squared trace norms and relaxed clusters, on designs of each task."""

    name = "alternation"
    every = 5

    @classmethod
    def version(cls) -> str | None:
        """That of NumPy, which it is written in."""
        return np.__version__

    def begin(self) -> None:
        """Gram matrices."""
        case = self.case
        rows, first = case.table.tasks(), case.lams[0]
        if case.penalty == "clusters":
            self.state: Alternation = ClusterAlternation(
                rows, case.fit_intercept, first, CLUSTERS.eta, CLUSTERS.k
            )
        else:
            self.state = Alternation(rows, case.fit_intercept, first)

    def lams(self) -> Iterator[float]:
        """The covariance of one lam has lost directions that the next one needs: it starts anew."""
        for lam in self.case.lams:
            self.state = self.state.at(lam)
            yield lam

    def advance(self, steps: int) -> None:
        """Make some rounds."""
        self.state.advance(steps)

    @property
    def W(self) -> Array:
        """The last coefficients."""
        return self.state.W

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """scaling="sum" on a design for each task."""
        return None if case.scaling == "sum" and not case.table.shared else "written for scaling='sum'"
