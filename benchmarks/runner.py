"""One solver on one problem: the clock, the gap of every answer, and the audit of the last one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

import mtlref as mt
from benchmarks import outcome as o
from benchmarks.case import Case
from benchmarks.clock import now, timed
from benchmarks.objectives.objective import Objective
from benchmarks.outcome import Outcome
from benchmarks.solvers.solver import BySteps, ByTolerance, Solver

Array = NDArray[np.float64]
TRIES = 12


@dataclass(frozen=True)
class Limits:
    """gap: relative, to be reached; budget: seconds that a solver has; repeat: whole solves, the best counts.

    The first shows that the answer has the gap; further ones are made in turn with those of other solvers, so that a
    machine that is slow for a while is slow for all of them.
    """

    gap: float = 1e-8
    budget: float = 30.0
    repeat: int = 3


# Called with what has been learned so far, so that a solver that is ended from outside leaves its curve.
Tell = Callable[[Outcome], None]
# One more whole solve: its seconds.
Turn = Callable[[], float]


def race(
    suite: str,
    problem: str,
    case: Case,
    made: type[Solver],
    limits: Limits,
    tell: Tell = lambda _: None,
    turns: list[Turn] | None = None,
) -> Outcome:
    """The outcome of the solver on the case; turns : is given what makes one more solve, where the gap was reached."""
    result = Outcome(suite, problem, made.name, o.SHORT, made.version() or "", lams=len(case.lams))
    objective = case.objective()
    warm = made(case.small())
    if isinstance(warm, ByTolerance):
        warm.run(warm.first)
    else:
        assert isinstance(warm, BySteps)
        warm.begin()
        for _ in warm.lams():
            warm.advance(2)
    solver = made(case)
    tell(result)
    if isinstance(solver, ByTolerance):
        answers, turn = _by_tolerance(solver, objective, limits, result, tell)
    else:
        assert isinstance(solver, BySteps)
        answers, turn = _by_steps(solver, objective, limits, result, tell)
    if answers is not None:
        _audit(case, answers, limits, result)
    if turns is not None and result.status == o.REACHED:
        turns.append(turn)
    return result


def worst(objective: Objective, answers: list[Array], lams: tuple[float, ...]) -> float:
    """The largest relative gap."""
    return max(objective.gap(W, lam) for W, lam in zip(answers, lams, strict=True))


def _by_tolerance(
    solver: ByTolerance, objective: Objective, limits: Limits, result: Outcome, tell: Tell
) -> tuple[list[Array] | None, Turn]:
    """Tighten the solver's own tolerance until the gap is there, by a tenth or what the last gap asks for."""
    lams, spent, best, idle = solver.case.lams, 0.0, np.inf, 0
    tol = solver.start(limits.gap)
    for _ in range(TRIES):
        seconds, answers = timed(partial(solver.run, tol))
        spent += seconds
        gap = worst(objective, answers, lams)
        result.curve.append((seconds, gap))
        idle = idle + 1 if not gap < 0.7 * best else 0
        best = min(best, gap)
        result.seconds, result.gap = seconds, best
        tell(result)
        if gap <= limits.gap:
            result.finished = len(lams)
            _looser(solver, objective, limits, result, spent)
            break
        answers = []
        if spent > limits.budget:
            result.status, result.seconds = o.TIME, spent
            break
        if idle >= 3 or tol < 1e-18:
            result.note = f"its gap stays at {best:.1e}, however small its tolerance"
            break
        tol *= float(np.clip(0.5 * limits.gap / gap, 1e-3, 0.1))
    last = tol
    return answers or None, lambda: timed(partial(solver.run, last))[0]


def _looser(solver: ByTolerance, objective: Objective, limits: Limits, result: Outcome, spent: float) -> None:
    """Show looser tolerances on the curve, as long as there is time."""
    for loose in solver.looser:
        if spent + (result.seconds or 0.0) > limits.budget:
            break
        took, rough = timed(partial(solver.run, loose))
        spent += took
        result.curve.append((took, worst(objective, rough, solver.case.lams)))


def _by_steps(
    solver: BySteps, objective: Objective, limits: Limits, result: Outcome, tell: Tell
) -> tuple[list[Array] | None, Turn]:
    """Let the solver step until the gap is there; the looks at it are not timed."""
    answers, spent, done = _one_descent(solver, objective, limits, result, tell)
    result.seconds = spent
    if done:
        result.finished = len(answers)
    else:
        result.status = o.TIME
    return answers if done else None, lambda: _one_descent(solver, objective, limits, None, tell)[1]


def _one_descent(
    solver: BySteps, objective: Objective, limits: Limits, result: Outcome | None, tell: Tell
) -> tuple[list[Array], float, bool]:
    clock = now()
    solver.begin()
    spent = now() - clock
    answers: list[Array] = []
    several = len(solver.case.lams) > 1
    for lam in solver.lams():
        while True:
            clock = now()
            solver.advance(solver.every)
            spent += now() - clock
            gap = objective.gap(solver.W, lam)
            if result is not None and not several:
                result.curve.append((spent, gap))
                result.gap = gap
            if gap <= limits.gap:
                break
            if spent > limits.budget:
                if result is not None:
                    result.gap = gap
                return answers, spent, False
        answers.append(solver.W.copy())
        if result is not None:
            result.finished = len(answers)
            if several:
                result.curve.append((spent, gap))
            tell(result)
    return answers, spent, True


def _audit(case: Case, answers: list[Array], limits: Limits, result: Outcome) -> None:
    """This library's own certificate decides whether the time is printed."""
    data = case.table.tasks()
    seen = worst(case.objective(), answers, case.lams)
    audited = max(
        mt.audit(case.model(lam), data, W).relative_gap for W, lam in zip(answers, case.lams, strict=True)
    )
    result.gap = audited
    if audited <= 1.001 * limits.gap + 1e-14:
        result.status = o.REACHED
    else:
        result.note = f"the audit says {audited:.1e} where the objective of the race says {seen:.1e}"
