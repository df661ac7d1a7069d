"""L2,1 fits for any loss and shape of data: the solver that knows them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.logisticrows import logistic_rows
from mtlref.optim.problem import Problem
from mtlref.optim.run import Iterate
from mtlref.optim.sharedrows import shared_rows_fit
from mtlref.optim.sparse import Entries
from mtlref.optim.workingset import SMALL, sparse_fit

Array = NDArray[np.float64]
Start = tuple[Array, Array]


def row_fit(problem: Problem, start: Start | None, lam: float, ridge: float) -> Iterator[Iterate]:
    """Iterates for L(W, b) + lam Σ_j ‖W[j,:]‖ + ridge/2 ‖W‖²."""
    if problem.T == 1 and (problem.p <= SMALL or problem.loss != "squared"):
        # A row of one task is an entry, whose Newton steps need no curvature of its norm.
        return sparse_fit(problem, start, Entries, lam, ridge)
    if problem.loss == "logistic":
        return logistic_rows(problem, start, lam, ridge)
    design = problem.shared_design if problem.one_design else problem.ragged_design
    return shared_rows_fit(design, start, lam, ridge)
