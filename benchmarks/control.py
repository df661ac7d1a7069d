"""The races of a suite one after the other, a process for each solver, which is ended when its time is up."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import IO, Any

from benchmarks import outcome as o
from benchmarks.ledger import Ledger
from benchmarks.machine import environment, spent_by
from benchmarks.outcome import Outcome
from benchmarks.runner import Limits
from benchmarks.suites.catalogue import in_key, problems
from benchmarks.trial import Trial
from benchmarks.worker import AGAIN, outcomes

# Seconds for what is not timed: imports, making the data, compiling, certificates.
SETTING_UP = 240.0


def races(
    suite: str,
    limits: Limits,
    *,
    threads: int,
    quick: bool = False,
    only_problems: list[str] | None = None,
    only_solvers: list[str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
    key: bool = False,
    ledger: Ledger | None = None,
    late: float | None = None,
    pythons: Mapping[str, str] | None = None,
) -> Iterator[list[Outcome]]:
    """The outcomes of each problem, ours first.

    key : only what KEY says of the suite.  ledger : keeps each outcome as it comes; what it has is not raced again.
    late : on ``time.monotonic``, no race begins after it.  pythons : the interpreter of a solver, or of a suite whose
    calls are timed in turn, where it is not this one.
    """
    ledger = Ledger(None, lambda _: {}) if ledger is None else ledger
    with Processes(threads, pythons) as processes:
        for problem in problems(suite, quick):
            asked = [
                name
                for name in problem.solvers
                if (not only_problems or problem.name in only_problems)
                and (not only_solvers or name in only_solvers)
                and (not key or in_key(suite, problem.name, name))
            ]
            _race(suite, problem, asked, limits, None if quick else processes, ledger, progress, late)
            known = ledger.races.get((suite, problem.name), [])
            yield [r for r in known if r.solver in asked]


def _race(
    suite: str,
    problem: Any,
    asked: list[str],
    limits: Limits,
    processes: Processes | None,
    ledger: Ledger,
    progress: Callable[[str], None],
    late: float | None,
) -> None:
    """One problem; without processes in this one."""
    trial = isinstance(problem, Trial)
    own = limits if trial else replace(limits, budget=limits.budget * problem.patience)
    task: dict[str, Any] = {"suite": suite, "problem": problem.name, "limits": asdict(own)}
    raced: list[Outcome] = []
    done = {r.solver for r in ledger.races.get((suite, problem.name), []) if r.status != o.FAILED}
    for name in asked:
        if name in done:
            continue
        if late is not None and time.monotonic() > late:
            return
        if trial:  # its calls are timed in turn: all of them, or none
            progress(f"{suite}: {problem.name}")
            found = outcomes(task) if processes is None else processes.run(task, own)
            # Where nothing came of it, the outcome is nobody's: it is ours.
            found = [r if r.solver else replace(r, solver=name) for r in found]
            ledger.add([r for r in found if r.solver in asked])
            return
        progress(f"{suite}: {problem.name}: {name}")
        task = {**task, "solver": name}
        found = outcomes(task) if processes is None else processes.run(task, own)
        ledger.add(found)
        raced += found
        if found[-1].status == o.OUT and name == "mtlref":
            return
    if processes is not None:
        _turns(raced, own, processes, ledger)


def _turns(raced: list[Outcome], limits: Limits, processes: Processes, ledger: Ledger) -> None:
    """Further solves of those that have the gap, in turn, each within its budget."""
    spent = {r.solver: r.seconds or 0.0 for r in raced if r.status == o.REACHED}
    for _ in range(limits.repeat - 1):
        for r in raced:
            if r.solver not in spent or spent[r.solver] + (r.seconds or 0.0) > limits.budget:
                continue
            seconds = processes.again(r.solver, limits)
            if seconds is None:
                del spent[r.solver]
                continue
            spent[r.solver] += seconds
            r.seconds = min(r.seconds or seconds, seconds)
    ledger.add(raced)


class Process:
    """A process that runs one task after the other, so that what a solver compiles is compiled once."""

    def __init__(self, threads: int, python: str = sys.executable) -> None:
        self.child = subprocess.Popen(
            [python, "-m", "benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(threads),
        )
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.errors: deque[bytes] = deque(maxlen=20)
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        assert self.child.stderr is not None
        self.pipes = (self.child.stdin, self.child.stdout, self.child.stderr)
        self.readers = [
            threading.Thread(target=_pass_on, args=(self.pipes[1], self.lines.put), daemon=True),
            threading.Thread(target=_pass_on, args=(self.pipes[2], self._keep), daemon=True),
        ]
        for r in self.readers:
            r.start()
        self.usable = True

    def _keep(self, line: bytes | None) -> None:
        if line is not None:
            self.errors.append(line)

    def run(self, task: dict[str, Any], limits: Limits) -> list[Outcome]:
        """The outcome of a task; what it had told when the process is ended because no answer came in time."""
        known = Outcome(task["suite"], task["problem"], task.get("solver", ""), o.FAILED)
        # The first word comes when all is set up; a run that then takes longer than the budget is not waited for.
        wait = SETTING_UP + (10 * limits.budget if "solver" not in task else 0.0)
        self.usable, before = False, 0.0
        try:
            self.pipes[0].write(json.dumps(task).encode() + b"\n")
            self.pipes[0].flush()
            while True:
                line = self.lines.get(timeout=wait)
                if line is None:
                    return [replace(known, status=o.FAILED, note=self._last_words())]
                said = json.loads(line)
                if "final" in said:
                    self.usable = True
                    return [Outcome(**r) for r in said["final"]]
                known = Outcome(**said["so far"])
                # Repetitions and certificates, which say nothing while they go on, are waited for.
                done = known.gap is not None and known.gap <= limits.gap
                wait = limits.budget + (SETTING_UP if done else 5.0)
                before = spent_by(self.child.pid) or 0.0
        except queue.Empty:
            spent = spent_by(self.child.pid)
            # Beside other programs it may have had less than it was waited for.
            had = limits.budget if spent is None else min(limits.budget, spent - before)
            return [replace(known, status=o.TIME, seconds=had)]
        except BrokenPipeError:
            return [replace(known, status=o.FAILED, note=self._last_words())]

    def again(self, limits: Limits) -> float | None:
        """The seconds of one more solve of the last task; None where the process does not tell them."""
        self.usable = False
        try:
            self.pipes[0].write(json.dumps(AGAIN).encode() + b"\n")
            self.pipes[0].flush()
            # Beside other programs it may take longer than it is given.
            line = self.lines.get(timeout=10 * limits.budget)
        except (queue.Empty, BrokenPipeError):
            return None
        if line is None:
            return None
        self.usable = True
        return float(json.loads(line)["seconds"])

    def _last_words(self) -> str:
        code = self.child.wait()
        last = b"".join(self.errors).decode(errors="replace").strip().splitlines()
        return f"ended with code {code}. {last[-1][:200] if last else ''}".strip()

    def close(self) -> None:
        """End the process."""
        self.child.kill()
        self.child.wait()
        for r in self.readers:
            r.join(timeout=10.0)
        for p in self.pipes:
            with suppress(BrokenPipeError):
                p.close()


class Processes:
    """A process for each solver, made when first asked for and anew when the last one had to be ended."""

    def __init__(self, threads: int, pythons: Mapping[str, str] | None = None) -> None:
        self.threads, self.pythons = threads, pythons or {}
        self.open: dict[str, Process] = {}

    def run(self, task: dict[str, Any], limits: Limits) -> list[Outcome]:
        """The outcome of a task."""
        name = task.get("solver", task["suite"])
        if name not in self.open:
            self.open[name] = Process(self.threads, self.pythons.get(name, sys.executable))
        found = self.open[name].run(task, limits)
        if not self.open[name].usable:
            self.open.pop(name).close()
        return found

    def again(self, name: str, limits: Limits) -> float | None:
        """As of the process of this solver."""
        if name not in self.open:
            return None
        seconds = self.open[name].again(limits)
        if not self.open[name].usable:
            self.open.pop(name).close()
        return seconds

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for p in self.open.values():
            p.close()


def _pass_on(stream: IO[bytes], put: Callable[[bytes | None], Any]) -> None:
    for line in stream:
        put(line)
    put(None)
