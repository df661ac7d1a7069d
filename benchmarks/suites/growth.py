"""Growth: seconds of a certified fit against one size at a time over two decades, and the exponent of the last decade.

Beside it stands the exponent that the Cost line of the class states for a solve whose number of iterations does not
change; it is an upper bound, for below it other terms or overheads rule.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import mtlref as mt
from benchmarks import gp as own
from benchmarks import outcome as o
from benchmarks.case import Case, at_ratio
from benchmarks.clock import timed
from benchmarks.datasets import joint_rows, low_rank
from benchmarks.outcome import Outcome
from benchmarks.plot import power
from benchmarks.runner import Limits
from benchmarks.trial import Trial
from mtlref.gp import Cells, Coregional, Model

TOL = 1e-6  # the default of the library
Point = tuple[float, float, float]  # size, seconds, relative gap


@dataclass(frozen=True)
class Axis:
    """A size that grows while the others stay.

    at : size -> (the size that counts, a call to be timed, the relative gap of what it returns)
    stated : the exponent of the Cost line of ``cls``
    """

    of: str
    size: str
    sizes: tuple[int, ...]
    at: Callable[[int], tuple[float, Callable[[], Any], Callable[[Any], float]]]
    stated: float
    cls: Any


def cost_line(cls: Any) -> str:
    """What the docstring says after "Cost:", up to the end of its sentence."""
    found = re.search(r"Cost: (.*?)\.(?:\s|$)", cls.__doc__ or "", flags=re.DOTALL)
    return " ".join(found.group(1).split()) if found else "no Cost line"


def exponent(points: list[Point]) -> float:
    """The slope of log seconds over log size in the last decade."""
    found = power([(p[0], p[1]) for p in points])
    return float("nan") if found is None else found[1]


def grown(problem: str, axis: Axis) -> Callable[[Limits], list[Outcome]]:
    """Time each size; what would not end within the budget is left out, with all that is larger."""

    def run(limits: Limits) -> list[Outcome]:
        points: list[Point] = []
        for size in axis.sizes:
            counted, call, gap = axis.at(size)
            best, spent, worst, turns = np.inf, 0.0, 0.0, 0
            while turns < max(1, limits.repeat) and (turns == 0 or spent + best < 0.2 * limits.budget):
                took, answer = timed(call)
                best = min(best, took)
                spent, turns = spent + best, turns + 1
                worst = gap(answer)
            points.append((counted, best, worst))
            if 4 * best > limits.budget:
                break
        certified = all(p[2] <= TOL for p in points)
        note = f"{axis.size}^{exponent(points):.2f}, stated {axis.stated:g}: {cost_line(axis.cls)}"
        if len(points) < len(axis.sizes):
            note += f"; up to {axis.size} = {points[-1][0]:g} within the budget"
        return [
            Outcome(
                "growth",
                problem,
                "mtlref",
                o.REACHED if certified else o.SHORT,
                mt.__version__,
                points[-1][1],
                max(p[2] for p in points),
                [(p[0], p[1]) for p in points],
                note=note,
            )
        ]

    return run


def _linear(case: Case, counts_rows: bool = False) -> tuple[float, Callable[[], Any], Callable[[Any], float]]:
    rows, model = case.table.tasks(), case.model(case.lams[0], TOL)
    data = mt.Moments.from_data(rows) if case.moments else rows

    def fit() -> Any:
        with warnings.catch_warnings():
            # The gap is printed, whatever it is.
            warnings.simplefilter("ignore", mt.NotConverged)
            return model.fit(data)

    def gap(fitted: Any) -> float:
        return float(mt.audit(model, rows, fitted.coef_.T).relative_gap)

    size = float((fit().coef_ != 0).any(axis=0).sum()) if counts_rows else 0.0
    return size, fit, gap


def _rows(make: Callable[[int], Any], ratio: float, *, penalty: str = "rows", active: bool = False) -> Any:
    def at(size: int) -> tuple[float, Callable[[], Any], Callable[[Any], float]]:
        # What active rows cost would drown in the one pass over the rows: it is left out by Moments.
        case = at_ratio(Case(make(size), penalty, (), moments=active), ratio)
        counted, fit, gap = _linear(case, active)
        return (counted if active else float(size)), fit, gap

    return at


def _process(make: Callable[[int], tuple[Model, Cells]], route: str) -> Any:
    def at(size: int) -> tuple[float, Callable[[], Any], Callable[[Any], float]]:
        model, cells = make(size)
        # Nothing iterates here: the value is that of a factorisation.
        return float(size), lambda: own.evaluate(model, cells, route), lambda _: 0.0

    return at


def _complete(n: int, T: int) -> tuple[Model, Cells]:
    """A table at places far apart, whose K has no small eigenvalues to leave out."""
    model, cells = own.problem(n, T)
    return model, replace(cells, X=30.0 * cells.X)


def _scattered(N: int) -> tuple[Model, Cells]:
    rng = np.random.default_rng(2)
    every = np.arange(N)
    cells = Cells(rng.uniform(size=(N, 2)), every, every * 5 // N, rng.standard_normal(N), 5, every)
    model, _ = own.problem(10, 5)
    return Model.make(model.terms, Coregional.diagonal(np.full(5, 0.1))), cells


def axes(small: bool = False) -> tuple[Axis, ...]:
    """All of them; ``small``: two sizes each, to see that they run."""

    def over(*sizes: int) -> tuple[int, ...]:
        return sizes[:2] if small else sizes

    shared, ragged, J, R = joint_rows.shared, joint_rows.ragged, mt.JointFeature, mt.TraceNorm
    gp = "MultiTaskGP"
    one, own_design, low = (
        "JointFeature, one design",
        "JointFeature, a design a task",
        "TraceNorm, one design",
    )
    return (
        Axis(
            one,
            "n",
            over(3000, 10000, 30000, 100000, 300000),
            _rows(lambda n: shared(n, 50, 10, 10), 10.0),
            1,
            J,
        ),
        Axis(one, "p", over(32, 100, 316, 1000, 3162), _rows(lambda p: shared(2000, p, 10, 8), 10.0), 2, J),
        Axis(one, "T", over(32, 100, 316, 1000, 3162), _rows(lambda T: shared(500, 100, T, 10), 10.0), 1, J),
        Axis(
            one,
            "active",
            over(10, 32, 100, 316, 1000),
            _rows(lambda a: shared(3000, 1500, 10, a, snr=20.0), 30.0, active=True),
            3,
            J,
        ),
        Axis(
            own_design,
            "n",
            over(316, 1000, 3162, 10000, 31623),
            _rows(lambda n: ragged(10, n, 50, 10), 10.0),
            1,
            J,
        ),
        Axis(
            own_design, "p", over(10, 32, 100, 316, 1000), _rows(lambda p: ragged(5, 2000, p, 8), 10.0), 2, J
        ),
        Axis(
            own_design, "T", over(10, 32, 100, 316, 1000), _rows(lambda T: ragged(T, 200, 50, 8), 10.0), 1, J
        ),
        Axis(
            own_design,
            "active",
            over(6, 20, 63, 200, 600),
            _rows(lambda a: ragged(10, 1000, 800, a, snr=20.0), 30.0, active=True),
            3,
            J,
        ),
        Axis(
            low,
            "n",
            over(3000, 10000, 30000, 100000, 300000),
            _rows(lambda n: low_rank.shared(n, 50, 20, rho=0.5), 10.0, penalty="trace"),
            1,
            R,
        ),
        Axis(
            low,
            "p",
            over(20, 63, 200, 632, 2000),
            _rows(lambda p: low_rank.shared(2000, p, 20, rho=0.5), 10.0, penalty="trace"),
            3,
            R,
        ),
        Axis(
            low,
            "T",
            over(6, 20, 63, 200, 632),
            _rows(lambda T: low_rank.shared(2000, 700, T, rho=0.5), 10.0, penalty="trace"),
            2,
            R,
        ),
        Axis(
            f"{gp}, complete",
            "n",
            over(20, 63, 200, 632, 2000),
            _process(lambda n: _complete(n, 5), "kronecker"),
            3,
            mt.MultiTaskGP,
        ),
        Axis(
            f"{gp}, complete",
            "T",
            over(6, 20, 63, 200, 632),
            _process(lambda T: _complete(300, T), "kronecker"),
            1,
            mt.MultiTaskGP,
        ),
        Axis(
            f"{gp}, unaligned",
            "N",
            over(30, 95, 300, 950, 3000),
            _process(_scattered, "dense"),
            3,
            mt.MultiTaskGP,
        ),
    )


def _trials(small: bool) -> tuple[Trial, ...]:
    out = []
    for axis in axes(small):
        name = f"{axis.of}: {axis.size}" + (" (two)" if small else "")
        out.append(Trial(name, f"seconds against {axis.size}", grown(name, axis), ("mtlref",)))
    return tuple(out)


PROBLEMS = _trials(False)
QUICK = tuple(t for t in _trials(True) if t.name.startswith("JointFeature, one design: T"))
