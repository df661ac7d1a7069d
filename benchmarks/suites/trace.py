"""Trace norm: one design against spams and FISTA, a design for each task against FISTA."""

from __future__ import annotations

from benchmarks.case import Case, Problem, at_ratio, path
from benchmarks.datasets import low_rank, public

SHARED = ("mtlref", "spams", "FISTA")
RAGGED = ("mtlref", "FISTA")


def shared(n: int, p: int, T: int, ratio: float, *, rho: float, snr: float = 1.0) -> Case:
    """One design."""
    return at_ratio(Case(low_rank.shared(n, p, T, rho=rho, snr=snr), "trace", ()), ratio)


def ragged(T: int, n: int, p: int, ratio: float, *, rho: float) -> Case:
    """A design for each task."""
    return at_ratio(Case(low_rank.ragged(T, n, p, rho=rho), "trace", ()), ratio)


def school(*, raw: bool) -> Case:
    """School from Moments."""
    table = public.school(constant=raw)
    return path(Case(table, "trace", (), scaling="sum", fit_intercept=not raw, moments=True), 30, 100.0)


PROBLEMS = (
    Problem("S1", "1000 × 300, 50 tasks, lam_max/5", lambda: shared(1000, 300, 50, 5.0, rho=0.5), SHARED),
    Problem("S2", "300 × 1000, 50 tasks, lam_max/10", lambda: shared(300, 1000, 50, 10.0, rho=0.9), SHARED),
    Problem(
        "S3",
        "2000 × 500, 100 tasks, lam_max/30",
        lambda: shared(2000, 500, 100, 30.0, rho=0.95, snr=3.0),
        SHARED,
    ),
    Problem("T1", "30 tasks of 100 × 200, lam_max/5", lambda: ragged(30, 100, 200, 5.0, rho=0.5), RAGGED),
    Problem("T2", "30 tasks of 100 × 200, lam_max/10", lambda: ragged(30, 100, 200, 10.0, rho=0.9), RAGGED),
    Problem("T3", "30 tasks of 400 × 100, lam_max/20", lambda: ragged(30, 400, 100, 20.0, rho=0.9), RAGGED),
    Problem("School", "139 tasks, intercepts, 30 lams, from Moments", lambda: school(raw=False), RAGGED),
    Problem("School raw", "the constant penalised, 30 lams, from Moments", lambda: school(raw=True), RAGGED),
)
QUICK = (
    Problem("small shared", "60 × 20, 5 tasks", lambda: shared(60, 20, 5, 5.0, rho=0.5), SHARED),
    Problem("small ragged", "5 tasks of 30 × 10", lambda: ragged(5, 30, 10, 5.0, rho=0.5), RAGGED),
)
