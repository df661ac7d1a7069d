"""A problem to race on: what is minimised, on which data, for which lams; and the names under which it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import mtlref as mt
from benchmarks.datasets.table import Table
from benchmarks.objectives.objective import Objective
from benchmarks.objectives.penalties import Clusters, RowNorms, SingularValues, SquaredTraceNorm


@dataclass(frozen=True)
class Case:
    """penalty: "rows", "trace", "squared trace" or "clusters"; lams: one, or those of a path."""

    table: Table
    penalty: str
    lams: tuple[float, ...]
    loss: str = "squared"
    scaling: str = "mean"
    fit_intercept: bool = False
    moments: bool = False  # this library and plain FISTA start from the same Moments; others from the rows

    def objective(self) -> Objective:
        """Primal and dual, for every solver."""
        return Objective(
            self.table,
            PENALTIES[self.penalty],
            loss=self.loss,
            scaling=self.scaling,
            fit_intercept=self.fit_intercept,
        )

    def model(self, lam: float, tol: float = 1e-8) -> Any:
        """The estimator of this library that states the same problem."""
        settings: dict[str, Any] = {
            "lam": lam,
            "scaling": self.scaling,
            "fit_intercept": self.fit_intercept,
            "tol": tol,
            "loss": self.loss,
        }
        if self.penalty == "clusters":
            settings |= {"eta": CLUSTERS.eta, "n_clusters": CLUSTERS.k}
        return MODELS[self.penalty](**settings)

    def small(self) -> Case:
        """The same kind of problem, a few rows and features of it: to compile and load what will be timed."""
        p = min(self.table.p, 8)
        X = tuple(np.ascontiguousarray(x[:40, :p]) for x in self.table.X)
        y = tuple(np.ascontiguousarray(v[:40]) for v in self.table.y)
        if self.fit_intercept and self.loss == "logistic":
            y = tuple(np.where(np.arange(len(v)) % 2 == 0, 1.0, -1.0) for v in y)
        cut = replace(self, table=Table(X, y, self.table.shared))
        top = cut.objective().top
        return replace(cut, lams=tuple((top or 1.0) * v for v in (0.5, 0.3)[: len(self.lams)]))


CLUSTERS = Clusters(eta=0.1, k=5)
PENALTIES: dict[str, Any] = {
    "rows": RowNorms(),
    "trace": SingularValues(),
    "squared trace": SquaredTraceNorm(),
    "clusters": CLUSTERS,
}
MODELS: dict[str, Any] = {
    "rows": mt.JointFeature,
    "trace": mt.TraceNorm,
    "squared trace": mt.MTRL,
    "clusters": mt.ClusteredMTL,
}


@dataclass(frozen=True)
class Problem:
    """A name, what it is in words, how to make it, and the solvers that enter; patience multiplies their budget."""

    name: str
    words: str
    make: Callable[[], Case]
    solvers: Sequence[str]
    patience: float = 1.0


def at_ratio(case: Case, *ratios: float) -> Case:
    """lam = lam_max / ratio, for each ratio."""
    top = case.objective().top
    if top is None:
        raise ValueError(f"the penalty {case.penalty!r} has no lam_max in closed form")
    return replace(case, lams=tuple(top / r for r in ratios))


def path(case: Case, count: int, last: float) -> Case:
    """``count`` lams, geometric from just below lam_max to lam_max / last.

    Where no lam_max exists, from a tenth of the natural size of lam to a thousandth of that: for squared norms that
    is from one direction, which all tasks share, to several.
    """
    top = case.objective().top
    if top is None:
        top, last = 0.1 * case.model(1.0).lam_scale(case.table.tasks()), 1000.0
    return replace(case, lams=tuple(float(v) for v in top * np.geomspace(1.0, 1.0 / last, count + 1)[1:]))
