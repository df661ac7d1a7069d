"""The races of one solver in a process of their own: python -m benchmarks.worker, a task in JSON on each line of input.

Its lines on standard output are JSON: what is known so far, and at the end of a task {"final": [outcomes]}; to "again"
in place of a task, {"seconds": the least of a few more solves}. What solvers print goes to standard error. The threads
of BLAS were set in the environment by whoever started it.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from typing import Any, TextIO

from benchmarks import outcome as o
from benchmarks.case import Problem
from benchmarks.datasets.table import NotHere
from benchmarks.outcome import Outcome
from benchmarks.runner import Limits, Tell, Turn, race
from benchmarks.solvers.catalogue import solver
from benchmarks.suites.catalogue import find
from benchmarks.trial import Trial

# In place of a task: more solves of the last one.
AGAIN = "again"
# So many in a row where one is done in less than a second: the first finds the others' arrays in the processor's cache.
IN_A_ROW = 3


def outcomes(
    task: dict[str, Any], tell: Tell = lambda _: None, turns: list[Turn] | None = None
) -> list[Outcome]:
    """What the task asks for: a solver on a problem, or all calls of a trial; turns : as of ``race``."""
    problem = find(task["suite"], task["problem"])
    limits = Limits(**task["limits"])
    empty = Outcome(task["suite"], task["problem"], task.get("solver", ""), o.FAILED)
    try:
        if isinstance(problem, Trial):
            return problem.run(limits)
        assert isinstance(problem, Problem)
        made = solver(task["solver"])
        if made.version() is None:
            return [replace(empty, status=o.MISSING)]
        case = problem.make()
        reason = made.refuses(case)
        if reason is not None:
            return [replace(empty, status=o.OUT, note=reason)]
        return [race(task["suite"], problem.name, case, made, limits, tell, turns)]
    except NotHere as missing:
        return [replace(empty, status=o.OUT, note=str(missing))]
    except Exception as error:  # a peer may raise anything; the other races go on
        return [replace(empty, note=f"{type(error).__name__}: {str(error)[:200]}")]


def least(turn: Turn) -> float:
    """The seconds of a solve, of a few where they are short."""
    first = turn()
    return min([first, *(turn() for _ in range(IN_A_ROW - 1 if first < 1.0 else 0))])


def main() -> int:
    """Run the tasks, speak JSON."""
    real: TextIO = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(kind: str, what: Any) -> None:
        real.write(json.dumps({kind: what}) + "\n")
        real.flush()

    turns: list[Turn] = []
    for line in sys.stdin:
        task = json.loads(line)
        if task == AGAIN:
            say("seconds", least(turns[-1]))
            continue
        turns.clear()
        found = outcomes(task, lambda r: say("so far", r.to_dict()), turns)
        say("final", [r.to_dict() for r in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
