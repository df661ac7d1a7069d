"""A design for each task as one group lasso: the designs on a block diagonal, a group of T columns for each feature."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.case import Case
from benchmarks.datasets.table import Table
from benchmarks.solvers.solver import ByTolerance

Array = NDArray[np.float64]


def stacked(table: Table) -> tuple[Any, Array, list[list[int]]]:
    """(X sparse by columns (N, p T) with column j T + t, y (N,), groups)."""
    p, T = table.p, table.T
    order = np.arange(p * T).reshape(T, p).T.ravel()  # from t p + j to j T + t
    X = sparse.block_diag(table.X, format="csc")[:, order].tocsc()
    groups = [list(range(j * T, (j + 1) * T)) for j in range(p)]
    return X, np.concatenate(table.y), groups


def multiple(table: Table) -> float:
    """What lam of loss / N is worth in lam of loss / n_t, for tasks of equal size."""
    return 1.0 / table.T


def refusal(table: Table, scaling: str, fit_intercept: bool) -> str | None:
    """Why the form does not serve."""
    if table.shared:
        return "for a design for each task"
    if fit_intercept:
        return "its one intercept is not an intercept a task"
    if scaling == "mean" and len({len(x) for x in table.X}) > 1:
        return "tasks of different sizes need row weights"
    return None


def unstacked(w: Array, table: Table) -> Array:
    """W (p, T)."""
    return np.asarray(w, float).reshape(table.p, table.T)


class BlockDiagonal(ByTolerance):
    """A group lasso on the block diagonal: X (N, p T) sparse, y (N,), and the columns of each feature in groups."""

    losses: ClassVar[tuple[str, ...]] = ("squared",)

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.X, self.y, self.groups = stacked(case.table)

    @classmethod
    def refuses(cls, case: Case) -> str | None:
        """Another loss, or data that the form does not hold."""
        if case.loss not in cls.losses:
            return f"it has no group lasso with the {case.loss} loss on sparse designs"
        return refusal(case.table, case.scaling, case.fit_intercept)

    @property
    def alphas(self) -> Array:
        """The lams in terms of a loss that is divided by all rows."""
        return np.array(self.case.lams) * multiple(self.case.table)

    def coefficients(self, w: Array) -> Array:
        """W (p, T)."""
        return unstacked(w, self.case.table)
