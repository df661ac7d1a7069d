"""Problems whose quantity is the time of a call, not the way to a gap: the calls are timed in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.clock import best_of
from benchmarks.outcome import Outcome
from benchmarks.runner import Limits


@dataclass(frozen=True)
class Trial:
    """A name, what it is in words, and ``run(limits)``: an outcome a solver, checked against each other before."""

    name: str
    words: str
    run: Callable[[Limits], list[Outcome]]
    solvers: Sequence[str] = ()


def in_turn(calls: Sequence[Callable[[], Any]], limits: Limits, in_a_row: int = 1) -> list[float]:
    """The least time of each call within a fifth of the budget; ``in_a_row`` as in ``clock.best_of``."""
    return best_of(calls, limits.repeat, 0.2 * limits.budget, in_a_row)
