"""Plain FISTA with restarts in NumPy, warm-started along a path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mtlref as mt
from benchmarks import fista
from benchmarks.case import CLUSTERS, Case
from benchmarks.solvers.solver import BySteps

Array = NDArray[np.float64]


PROXES: dict[str, fista.Prox] = {
    "rows": fista.prox_rows,
    "trace": fista.prox_singular_values,
    "squared trace": fista.prox_squared_trace_norm,
    "clusters": fista.prox_clusters(CLUSTERS.eta, CLUSTERS.k),
}


class PlainFista(BySteps):
    """FISTA on Gram matrices, or on the rows where these are fewer."""

    name = "FISTA"

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.data: Any = None
        if not case.table.shared:
            data = case.table.tasks()
            self.data = mt.Moments.from_data(data) if case.moments else data
        self.smooth: fista.Smooth
        self.state: fista.Fista

    @classmethod
    def version(cls) -> str | None:
        """That of NumPy, which it is written in."""
        return np.__version__

    def begin(self) -> None:
        """Gram matrices and the step."""
        case = self.case
        if case.table.shared:
            self.smooth = fista.squared_shared(case.table.X[0], case.table.y[0], case.scaling)
        elif case.loss == "logistic":
            self.smooth = fista.logistic(self.data, case.fit_intercept, case.scaling)
        elif case.moments:
            self.smooth = fista.squared_moments(self.data, case.fit_intercept, case.scaling)
        else:
            self.smooth = fista.squared(self.data, case.fit_intercept, case.scaling)

    def lams(self) -> Iterator[float]:
        """Warm starts from one to the next."""
        start = None
        for lam in self.case.lams:
            self.state = fista.Fista(self.smooth, PROXES[self.case.penalty], lam, start)
            yield lam
            start = self.state.Z

    def advance(self, steps: int) -> None:
        """Make some steps."""
        self.state.advance(steps)

    @property
    def W(self) -> Array:
        """The last point of the prox."""
        return self.state.W
