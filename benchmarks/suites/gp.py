"""Gaussian processes: value and gradient, and whole fits, against GPyTorch, GPy and the factorisations they rest on.

Before anything is timed the values are compared: the column of gaps is their relative difference. In whole fits it is
(NLML − the least one) / cells, both NLMLs by this library's dense route.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import mtlref as mt
from benchmarks import gp as own
from benchmarks import outcome as o
from benchmarks.clock import now, timed
from benchmarks.machine import version_of
from benchmarks.outcome import Outcome
from benchmarks.runner import Limits
from benchmarks.trial import Trial, in_turn
from mtlref.gp import RBF, Cells, Model, condition_on

# Values of −log p(y), relative. GPy adds 1e-8 to every diagonal, which is seen in the seventh digit.
AGREE = 1e-6
# A fit that ends this near per cell is as good.
AS_GOOD = 1e-6
TABLE = ("mtlref", "eigh of K", "GPyTorch Kronecker")
HOLES = ("mtlref", "GPy", "GPyTorch Cholesky", "own dense route")
LOOSE = ("mtlref", "potrf + potri")
FIT = ("mtlref", "GPyTorch Kronecker, SciPy's L-BFGS-B", "GPyTorch Kronecker, PyTorch's L-BFGS")


def compared(
    problem: str,
    limits: Limits,
    ours: Callable[[], Any],
    references: dict[str, Callable[[], Any]],
    peers: dict[str, Callable[[], Any]],
    missing: list[str],
) -> list[Outcome]:
    """Ours and the references give what is timed; peers give −log p(y), compared with ours first."""
    value = float(ours()[0])
    out, calls = [], [ours]
    for name, call in references.items():
        out.append(Outcome("gp", problem, name, o.REACHED, gap=0.0))
        calls.append(call)
    for name, call in peers.items():
        apart = abs(call() - value) / abs(value)
        status = o.REACHED if apart <= AGREE else o.SHORT
        note = "" if apart <= AGREE else "another value of the likelihood"
        out.append(Outcome("gp", problem, name, status, version_of(name), gap=apart, note=note))
        calls.append(call)
    seconds = in_turn(calls, limits)
    for r, s in zip(out, seconds[1:], strict=True):
        r.seconds = s if r.status == o.REACHED else None
    first = Outcome("gp", problem, "mtlref", o.REACHED, mt.__version__, seconds[0], 0.0)
    return [first, *out, *(Outcome("gp", problem, name, o.MISSING) for name in missing)]


def table(problem: str, n: int, T: int) -> Callable[[Limits], list[Outcome]]:
    """Value and gradient on a complete table."""

    def run(limits: Limits) -> list[Outcome]:
        model, cells = own.problem(n, T)
        K = model.terms[0][1](cells.X)
        peers: dict[str, Callable[[], Any]] = {}
        if find_spec("gpytorch") is not None:
            from benchmarks.solvers.gpytorch_tables import Table

            peers[TABLE[2]] = Table(model, cells).value_and_gradient
        return compared(
            problem,
            limits,
            lambda: own.evaluate(model, cells, "kronecker"),
            {TABLE[1]: lambda: np.linalg.eigh(K)},
            peers,
            [] if peers else [TABLE[2]],
        )

    return run


def holes(problem: str, n: int, T: int, share: float) -> Callable[[Limits], list[Outcome]]:
    """Value and gradient on a table with some cells missing."""

    def run(limits: Limits) -> list[Outcome]:
        model, full = own.problem(n, T)
        cells = full.subset(np.sort(np.random.default_rng(1).permutation(n * T)[round(share * n * T) :]))
        peers: dict[str, Callable[[], Any]] = {}
        missing = []
        if find_spec("GPy") is None:
            missing.append(HOLES[1])
        else:
            from benchmarks.solvers.gpy_cells import GPyCells

            peers[HOLES[1]] = GPyCells(model, cells).value_and_gradient
        if find_spec("gpytorch") is None:
            missing.append(HOLES[2])
        else:
            from benchmarks.solvers.gpytorch_tables import CellsByCholesky

            peers[HOLES[2]] = CellsByCholesky(model, cells).value_and_gradient
        return compared(
            problem,
            limits,
            lambda: own.evaluate(model, cells, "holes"),
            {HOLES[3]: lambda: own.evaluate(model, cells, "dense")},
            peers,
            missing,
        )

    return run


def loose(problem: str, N: int) -> Callable[[Limits], list[Outcome]]:
    """Value and gradient on cells at different places; the note has the peak memory."""

    def run(limits: Limits) -> list[Outcome]:
        (ours, theirs), peak = own.loose(N, limits.repeat, 0.2 * limits.budget)
        note = f"peak {peak:.1f} matrices of N × N"
        return [
            Outcome("gp", problem, LOOSE[0], o.REACHED, mt.__version__, ours, 0.0, note=note),
            Outcome("gp", problem, LOOSE[1], o.REACHED, seconds=theirs, gap=0.0),
        ]

    return run


def drawn(n: int, T: int) -> Cells:
    """A table drawn from a model of rank 2, the targets of each task scaled to mean square 1."""
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(n, 2))
    K = RBF([0.3, 0.5])(X)
    half = np.linalg.cholesky(K + 1e-9 * np.eye(n))
    A = rng.standard_normal((T, 2))
    F = half @ rng.standard_normal((n, 2)) @ A.T + half @ rng.standard_normal((n, T)) * np.sqrt(0.3)
    Y = F + np.sqrt(0.1) * rng.standard_normal((n, T))
    return Cells.from_tasks(mt.TaskData.from_shared(X, Y / np.sqrt((Y**2).mean(axis=0))))


def fit(problem: str, n: int, T: int) -> Callable[[Limits], list[Outcome]]:
    """Whole fits from one start; the other is stopped as soon as its NLML is as good as ours. Processor time."""

    def run(limits: Limits) -> list[Outcome]:
        from mtlref.gp.starts import first_model

        cells = drawn(n, T)
        asked = mt.MultiTaskGP(rank=2, mean="zero", n_restarts=0)
        Y = cells.y.reshape(T, n).T
        start, _, _ = first_model(asked, cells)
        ours = np.inf
        with warnings.catch_warnings():
            # Doubts about the fit are no business of a race; the NLML that it ends at is printed.
            warnings.simplefilter("ignore")
            ours, fitted = timed(lambda: asked.fit(cells.X, Y))
            for _ in range(limits.repeat - 1):
                if ours > 0.2 * limits.budget:
                    break
                again, fitted = timed(lambda: asked.fit(cells.X, Y))
                ours = min(ours, again)
        value = _nlml(fitted.model_, cells)
        first = Outcome("gp", problem, FIT[0], o.REACHED, mt.__version__, ours, 0.0, note=f"NLML {value:.4f}")
        if find_spec("gpytorch") is None:
            return [first, *(Outcome("gp", problem, name, o.MISSING) for name in FIT[1:])]
        from benchmarks.solvers.gpytorch_tables import Table

        out = []
        for name, by in zip(FIT[1:], ("scipy", "torch"), strict=True):
            Table(start, cells).descend(2, lambda nlml: False, by)  # what is loaded once
            theirs = Table(start, cells)
            patience = min(max(2 * limits.budget, 25 * ours), 6 * limits.budget)
            clock = now()

            def enough(nlml: float, clock: float = clock, patience: float = patience) -> bool:
                return nlml <= value + AS_GOOD * cells.N or now() - clock > patience

            count = theirs.descend(500, enough, by)
            spent = now() - clock
            other = _nlml(theirs.model(), cells)
            first.gap = max(first.gap or 0.0, (value - other) / cells.N)
            away = (other - value) / cells.N
            status = o.REACHED if away <= 2 * AS_GOOD else o.TIME if spent > patience else o.SHORT
            note = f"NLML {other:.4f} after {count} evaluations"
            version = version_of("GPyTorch")
            out.append(Outcome("gp", problem, name, status, version, spent, max(0.0, away), note=note))
        return [first, *out]

    return run


def _nlml(model: Model, cells: Cells) -> float:
    return float(condition_on(model, cells, "dense" if cells.N <= 3000 else None).value)


def _trials(
    tables: tuple[tuple[int, int], ...],
    fits: tuple[tuple[int, int], ...],
    missing: tuple[int, int, float],
    N: int,
) -> tuple[Trial, ...]:
    words = "value and gradient"
    out = [
        Trial(f"table {n} × {T}", f"{words}, complete", table(f"table {n} × {T}", n, T), TABLE)
        for n, T in tables
    ]
    n, T, share = missing
    name = f"holes {n} × {T}"
    out.append(Trial(name, f"{words}, {share:.0%} missing", holes(name, n, T, share), HOLES))
    name = f"loose {N}"
    out.append(Trial(name, f"{words}, cells at different places", loose(name, N), LOOSE))
    for n, T in fits:
        name = f"fit {n} × {T}"
        out.append(Trial(name, "whole fit, one start, RBF-ARD, rank 2", fit(name, n, T), FIT))
    return tuple(out)


PROBLEMS = _trials(own.TABLES, ((200, 5), (500, 10)), own.HOLES, own.LOOSE)
QUICK = _trials(((12, 2),), ((15, 2),), (12, 3, 0.1), 30)
