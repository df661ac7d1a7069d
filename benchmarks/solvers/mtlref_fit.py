"""This library, through its public face: fit for one lam, path for several."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

import mtlref as mt
from benchmarks.case import Case
from benchmarks.solvers.solver import ByTolerance

Array = NDArray[np.float64]


class Ours(ByTolerance):
    """The tolerance is the relative gap itself."""

    name = "mtlref"
    looser = (1e-2, 1e-4, 1e-6)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        data = case.table.tasks()
        self.data = mt.Moments.from_data(data) if case.moments else data

    @classmethod
    def version(cls) -> str | None:
        """The version of this library."""
        return mt.__version__

    def start(self, target: float) -> float:
        """The gap itself."""
        return target

    def run(self, tol: float) -> list[Array]:
        """W for each lam."""
        model = self.case.model(self.case.lams[0], tol)
        with warnings.catch_warnings():
            # A gap that was missed is seen by the race, which recomputes it.
            warnings.simplefilter("ignore", mt.NotConverged)
            if len(self.case.lams) == 1:
                return [model.fit(self.data).coef_.T]
            return [fitted.coef_.T for fitted in model.path(self.data, self.case.lams)]
