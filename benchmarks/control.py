"""The races of a suite one after the other, each in a process of its own that is ended when its time is up."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import IO, Any

from benchmarks import outcome as o
from benchmarks.machine import environment
from benchmarks.outcome import Outcome
from benchmarks.runner import Limits
from benchmarks.solvers.catalogue import solver
from benchmarks.suites.catalogue import problems
from benchmarks.trial import Trial
from benchmarks.worker import outcomes

# Seconds for what is not timed: imports, making the data, compiling, certificates.
SETTING_UP = 90.0


def races(
    suite: str,
    limits: Limits,
    *,
    threads: int,
    quick: bool = False,
    only_problems: list[str] | None = None,
    only_solvers: list[str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[list[Outcome]]:
    """The outcomes of each problem, ours first."""
    for problem in problems(suite, quick):
        if only_problems and problem.name not in only_problems:
            continue
        task: dict[str, Any] = {"suite": suite, "problem": problem.name, "limits": asdict(limits)}
        if isinstance(problem, Trial):
            progress(f"{suite}: {problem.name}")
            found = outcomes(task) if quick else ended(task, limits, threads)
            yield [r for r in found if not only_solvers or r.solver in only_solvers]
            continue
        found = []
        for name in problem.solvers:
            if only_solvers and name not in only_solvers:
                continue
            progress(f"{suite}: {problem.name}: {name}")
            task = {**task, "solver": name}
            if solver(name).version() is None:
                found.append(Outcome(suite, problem.name, name, o.MISSING))
            else:
                found += outcomes(task) if quick else ended(task, limits, threads)
            if found[-1].status == o.OUT and name == "mtlref":
                break
        yield found


def ended(task: dict[str, Any], limits: Limits, threads: int) -> list[Outcome]:
    """The outcome of a process; what it had told when it is ended because no answer came in time."""
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(task)]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(threads)
    )
    lines: queue.Queue[bytes | None] = queue.Queue()
    errors: list[bytes] = []
    assert child.stdout is not None
    assert child.stderr is not None
    readers = [
        threading.Thread(target=_pass_on, args=(child.stdout, lines.put), daemon=True),
        threading.Thread(
            target=_pass_on, args=(child.stderr, lambda x: errors.append(x or b"")), daemon=True
        ),
    ]
    for r in readers:
        r.start()
    blank = Outcome(task["suite"], task["problem"], task.get("solver", ""), o.FAILED)
    known = blank
    # The first word comes when all is set up; a run that then takes longer than the budget is not waited for.
    wait = SETTING_UP + (3 * limits.budget if "solver" not in task else 0.0)
    try:
        while True:
            line = lines.get(timeout=wait)
            if line is None:
                child.wait()
                last = b"".join(errors).decode(errors="replace").strip().splitlines()
                reason = last[-1][:200] if last else ""
                return [replace(known, status=o.FAILED, note=f"ended with code {child.returncode}. {reason}")]
            said = json.loads(line)
            if "final" in said:
                return [Outcome(**r) for r in said["final"]]
            known = Outcome(**said["so far"])
            # Beside the next run: repetitions and certificates, which say nothing while they go on.
            wait = limits.budget + (SETTING_UP if known.gap is not None and known.gap <= limits.gap else 5.0)
    except queue.Empty:
        return [replace(known, status=o.TIME, seconds=limits.budget)]
    finally:
        child.kill()
        child.wait()
        for r in readers:
            r.join(timeout=10.0)
        child.stdout.close()
        child.stderr.close()


def _pass_on(stream: IO[bytes], put: Callable[[bytes | None], Any]) -> None:
    for line in stream:
        put(line)
    put(None)
