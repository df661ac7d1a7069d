"""SPAMS: accelerated proximal gradient steps in C++, for the L2,1 norm and the trace norm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import allowed
from benchmarks.solvers.one_design import OneDesign

Array = NDArray[np.float64]
NAMES = {"rows": "l1l2", "trace": "trace-norm"}


class Spams(OneDesign):
    """Its loss is the sum over rows; it stops at a relative duality gap of its own, looked at every ten steps."""

    name = "spams"
    package = "spams-bin"
    module = "spams"
    looser = (1e-1, 1e-2)
    penalties = tuple(NAMES)

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
