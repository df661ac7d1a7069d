"""Which route when: what the library chooses by itself against the routes it did not take, at growing ratios.

The first line of each problem is the automatic choice; a ratio below 1 is a place where another would have been
faster. Every answer is audited; Gaussian processes are compared by value.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import mtlref as mt
from benchmarks import gp as own
from benchmarks import outcome as o
from benchmarks.case import Case, at_ratio, path
from benchmarks.datasets import joint_rows, low_rank
from benchmarks.outcome import Outcome
from benchmarks.runner import Limits
from benchmarks.trial import Trial, in_turn
from mtlref.gp import condition_on

TOL = 1e-8
AGREE = 1e-9
STATISTICS = ("mtlref", "Moments")
ROUTES = ("mtlref", "Schur", "dense")
KRONECKER = ("mtlref", "dense")
SIDES = ("mtlref", "MTFL")
CLUSTERS = ("mtlref", "ConvexASO")
PATHS = ("mtlref", "cold fits")

# A call that gives (model, W (p, T)) for each lam.
Fits = Callable[[], list[tuple[Any, Any]]]


def certified(problem: str, data: mt.TaskData, calls: dict[str, Fits], limits: Limits) -> list[Outcome]:
    """Times in turn; the gaps are the worst that the audit gives."""
    with warnings.catch_warnings():
        # A gap that was missed is printed.
        warnings.simplefilter("ignore", mt.NotConverged)
        gaps = [max(mt.audit(m, data, W).relative_gap for m, W in call()) for call in calls.values()]
        seconds = in_turn(list(calls.values()), limits)
    return [
        Outcome("decision", problem, name, o.REACHED if gap <= TOL else o.SHORT, mt.__version__, s, gap)
        for name, s, gap in zip(calls, seconds, gaps, strict=True)
    ]


def _fit(model: Any, data: Any) -> list[tuple[Any, Any]]:
    return [(model, model.fit(data).coef_.T)]


def statistics(problem: str, n: int, p: int, *, shared: bool) -> Callable[[Limits], list[Outcome]]:
    """The rows as they come against Gram statistics of them; taking these is inside the time."""

    def run(limits: Limits) -> list[Outcome]:
        table = joint_rows.shared(n, p, 10, 8) if shared else joint_rows.ragged(10, n, p, 8)
        case = at_ratio(Case(table, "rows", ()), 10.0)
        data, model = table.tasks(), case.model(case.lams[0], TOL)
        calls: dict[str, Fits] = {
            STATISTICS[0]: lambda: _fit(model, data),
            STATISTICS[1]: lambda: _fit(model, mt.Moments.from_data(data)),
        }
        return certified(problem, data, calls, limits)

    return run


def routes(problem: str, n: int, T: int, share: float) -> Callable[[Limits], list[Outcome]]:
    """A table with missing cells: the Schur complement or Cholesky of all cells."""

    def run(limits: Limits) -> list[Outcome]:
        model, full = own.problem(n, T)
        cells = full
        if share:
            cells = full.subset(np.sort(np.random.default_rng(1).permutation(n * T)[round(share * n * T) :]))
        names = {"mtlref": None, **({"Schur": "holes"} if share else {}), "dense": "dense"}
        calls = {name: (lambda r=route: own.evaluate(model, cells, r)) for name, route in names.items()}
        values = [call()[0] for call in calls.values()]
        apart = [abs(v - values[-1]) / abs(values[-1]) for v in values]
        seconds = in_turn(list(calls.values()), limits)
        chosen = type(condition_on(model, cells)).__name__
        return [
            Outcome(
                "decision",
                problem,
                name,
                o.REACHED if a <= AGREE else o.SHORT,
                mt.__version__,
                s,
                a,
                note=f"chose {chosen}" if name == "mtlref" else "",
            )
            for name, s, a in zip(calls, seconds, apart, strict=True)
        ]

    return run


def sides(problem: str, p: int, T: int, other: str) -> Callable[[Limits], list[Outcome]]:
    """The same optimum from the side of the tasks and from the side of the features."""

    def run(limits: Limits) -> list[Outcome]:
        table = low_rank.ragged(T, max(30, 2 * p), p, rho=0.5)
        data = table.tasks()
        common: dict[str, Any] = {"scaling": "sum", "fit_intercept": False, "tol": TOL}
        if other == "MTFL":
            first: Any = mt.MTRL(**common)
            second: Any = mt.MTFL(**common)
        else:
            k = max(1, min(5, min(p, T) // 2))
            first = mt.ClusteredMTL(eta=0.1, n_clusters=k, **common)
            second = mt.ConvexASO(eta=0.1, dim=k, **common)
        lam = 1e-2 * first.lam_scale(data)
        first.set_params(lam=lam)
        second.set_params(lam=lam)
        calls: dict[str, Fits] = {"mtlref": lambda: _fit(first, data), other: lambda: _fit(second, data)}
        return certified(problem, data, calls, limits)

    return run


def paths(problem: str, n: int, p: int, *, shared: bool) -> Callable[[Limits], list[Outcome]]:
    """Twenty lams as one path, and as fits that know nothing of each other."""

    def run(limits: Limits) -> list[Outcome]:
        table = joint_rows.shared(n, p, 10, 8) if shared else joint_rows.ragged(10, n, p, 8)
        case = path(Case(table, "rows", ()), 20, 100.0)
        data, models = table.tasks(), [case.model(lam, TOL) for lam in case.lams]
        calls: dict[str, Fits] = {
            PATHS[0]: lambda: [(m, m.coef_.T) for m in models[0].path(data, case.lams)],
            PATHS[1]: lambda: [(m, m.fit(data).coef_.T) for m in models],
        }
        return certified(problem, data, calls, limits)

    return run


def _trials(small: bool) -> tuple[Trial, ...]:
    out = []
    for n, p in (
        ((30, 10),) if small else ((50, 400), (100, 200), (200, 200), (400, 200), (1000, 200), (5000, 100))
    ):
        for shared in (True, False):
            name = f"statistics {'one' if shared else 'each'} n/p {n / p:g}"
            words = f"{'one design' if shared else '10 designs'} of {n} × {p}: rows or Gram statistics"
            out.append(Trial(name, words, statistics(name, n, p, shared=shared), STATISTICS))
    for share in (0.1,) if small else (0.0, 0.01, 0.03, 0.1, 0.2, 0.4):
        n, T = (8, 3) if small else (120, 8)
        name = f"holes {share:.0%}" + (" small" if small else "")
        words = f"{n} × {T} cells: Kronecker, Schur complement, or Cholesky of all"
        out.append(Trial(name, words, routes(name, n, T, share), ROUTES if share else KRONECKER))
    for p, T in ((3, 4),) if small else ((10, 80), (30, 30), (80, 10)):
        name = f"trace side {p} × {T}"
        out.append(Trial(name, f"p = {p}, T = {T}: MTRL or MTFL", sides(name, p, T, "MTFL"), SIDES))
        name = f"cluster side {p} × {T}"
        words = f"p = {p}, T = {T}: ClusteredMTL or ConvexASO"
        out.append(Trial(name, words, sides(name, p, T, "ConvexASO"), CLUSTERS))
    for shared in (True, False):
        n, p = (30, 10) if small else (300, 100)
        name = f"path {'one' if shared else 'each'}" + (" small" if small else "")
        out.append(Trial(name, "20 lams: a path or cold fits", paths(name, n, p, shared=shared), PATHS))
    return tuple(out)


PROBLEMS = _trials(False)
QUICK = _trials(True)
