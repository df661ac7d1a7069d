"""The clock of all races: on one thread the processor's time, which other programs do not slow; on more the wall's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.machine import single


def now() -> float:
    """Seconds from some moment on: differences of it are what is printed."""
    return time.process_time() if single() else time.perf_counter()


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of a call, and what it returns."""
    start = now()
    answer = call()
    return now() - start, answer


def best_of(
    calls: Sequence[Callable[[], Any]], least: int = 3, seconds: float = 0.0, in_a_row: int = 1
) -> list[float]:
    """The least time of each call, in turn under the same load; at least ``least`` each, more within ``seconds``.

    in_a_row : calls of one before the next has its turn, each timed by itself. What a training repeats at once finds
    its code and arrays in the processor's caches; after somebody else's turn it does not.
    """
    best, start, rounds = [np.inf] * len(calls), now(), 0
    while rounds < max(1, least) or (now() - start < seconds and rounds < 300):
        for k, call in enumerate(calls):
            for _ in range(in_a_row):
                best[k] = min(best[k], timed(call)[0])
        rounds += 1
    return [float(b) for b in best]
