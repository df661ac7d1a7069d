"""SPAMS: accelerated proximal gradient steps in C++, for the L2,1 norm and the trace norm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.case import Case
from benchmarks.machine import allowed
from benchmarks.solvers.solver import ByTolerance

Array = NDArray[np.float64]
NAMES = {"rows": "l1l2", "trace": "trace-norm"}


class Spams(ByTolerance):
    """Its loss is the sum over rows; it stops at a relative duality gap of its own, looked at every ten steps."""

    name = "spams"
    package = "spams-bin"
    module = "spams"
    looser = (1e-1, 1e-2)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X, self.Y = np.asfortranarray(case.table.X[0]), np.asfortranarray(case.table.y[0])

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """One design, no intercept."""
        fits = case.table.shared and case.loss == "squared" and case.penalty in NAMES
        return None if fits else "it takes one design for all tasks"

    def run(self, tol: float) -> list[Array]:
        """W for each lam, each started at the last one."""
        import spams

        W = np.zeros((self.case.table.p, self.case.table.T), order="F")
        answers = []
        for lam in self.case.lams:
            W = spams.fistaFlat(
                self.Y,
                self.X,
                W,
                numThreads=allowed(),
                loss="square",
                regul=NAMES[self.case.penalty],
                lambda1=lam * len(self.X),
                intercept=False,
                tol=tol,
                it0=10,
                max_it=100_000,
            )
            W = np.asfortranarray(W)
            answers.append(W)
        return answers
