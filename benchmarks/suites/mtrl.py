"""Squared trace norm (MTRL) and relaxed clusters against plain FISTA and the alternations of their sources."""

from __future__ import annotations

from benchmarks.case import Case, Problem, path
from benchmarks.datasets import low_rank, public
from benchmarks.datasets.table import Table

SOLVERS = ("mtlref", "FISTA", "alternation")


def along(table: Table, penalty: str, count: int, *, intercept: bool) -> Case:
    """A path."""
    return path(Case(table, penalty, (), scaling="sum", fit_intercept=intercept), count, 100.0)


def school(penalty: str, *, raw: bool) -> Case:
    """School; raw: the constant is a penalised feature."""
    return along(public.school(constant=raw), penalty, 30, intercept=not raw)


PROBLEMS = (
    Problem(
        "School MTRL", "139 tasks, intercepts, 30 lams", lambda: school("squared trace", raw=False), SOLVERS
    ),
    Problem(
        "School raw MTRL",
        "the constant penalised, 30 lams",
        lambda: school("squared trace", raw=True),
        SOLVERS,
    ),
    Problem(
        "School clusters",
        "eta 0.1, 5 clusters, intercepts, 30 lams",
        lambda: school("clusters", raw=False),
        SOLVERS,
    ),
    Problem(
        "School raw clusters",
        "eta 0.1, 5 clusters, the constant penalised, 30 lams",
        lambda: school("clusters", raw=True),
        SOLVERS,
    ),
)


def _few() -> Table:
    return low_rank.ragged(8, 30, 4, rho=0.5)


QUICK = (
    Problem(
        "small MTRL", "8 tasks of 30 × 4", lambda: along(_few(), "squared trace", 2, intercept=True), SOLVERS
    ),
    Problem(
        "small clusters", "8 tasks of 30 × 4", lambda: along(_few(), "clusters", 2, intercept=False), SOLVERS
    ),
)
