"""Problems whose quantity is the time of a call, not the way to a gap: the calls are timed in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.outcome import Outcome
from benchmarks.runner import Limits


@dataclass(frozen=True)
class Trial:
    """A name, what it is in words, and ``run(limits)``: an outcome a solver, checked against each other before."""

    name: str
    words: str
    run: Callable[[Limits], list[Outcome]]
    solvers: Sequence[str] = ()


def best_of(calls: Sequence[Callable[[], Any]], limits: Limits, in_a_row: int = 1) -> list[float]:
    """The least time of each call, in turn under the same load; at least three each, and as many as the budget lets.

    in_a_row : calls of one before the next has its turn, each timed by itself. What a training repeats at once finds
    its code and arrays in the processor's caches; after somebody else's turn it does not.
    """
    best, clock, rounds = [np.inf] * len(calls), time.perf_counter(), 0
    least = max(1, limits.repeat)
    while rounds < least or (time.perf_counter() - clock < 0.2 * limits.budget and rounds < 300):
        for k, call in enumerate(calls):
            for _ in range(in_a_row):
                start = time.perf_counter()
                call()
                best[k] = min(best[k], time.perf_counter() - start)
        rounds += 1
    return best
