"""python -m benchmarks: times of this library and of its peers on the same problems, to the same certified gap.

Every solver runs in a process of its own, with the threads asked for. What it returns goes through an objective that
recomputes primal and dual by itself, and through this library's audit before a time is printed.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import machine as of_machine
from benchmarks import outcome as o
from benchmarks import record, report
from benchmarks.control import races
from benchmarks.ledger import Ledger
from benchmarks.outcome import Outcome
from benchmarks.plot import draw
from benchmarks.runner import Limits
from benchmarks.solvers.catalogue import PLACES
from benchmarks.suites.catalogue import SUITES, further, problems

ALL = "all"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    p.add_argument(
        "--suite", action="append", choices=(*SUITES, "scale", ALL), help="default: all but scale; repeatable"
    )
    p.add_argument("--problem", action="append", metavar="NAME", help="only this problem; repeatable")
    p.add_argument("--solver", action="append", metavar="NAME", help="only this solver; repeatable")
    p.add_argument("--threads", type=int, default=1, choices=(1, 2), help="of BLAS and OpenMP (default 1)")
    p.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="the interpreter of a solver (or of the suite gp or nn) that needs an environment of its own; repeatable",
    )
    p.add_argument("--gap", type=float, default=1e-8, help="relative duality gap to reach (default 1e-8)")
    p.add_argument("--budget", type=float, default=20.0, help="seconds that a solver has (default 20)")
    p.add_argument(
        "--repeat", type=int, default=3, help="turns of all solvers; the fastest counts (default 3)"
    )
    p.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="results.json, written after each measurement, and a figure a suite",
    )
    p.add_argument("--resume", action="store_true", help="go on with what --output holds")
    p.add_argument("--key", action="store_true", help="only the problems and peers that the claims are about")
    p.add_argument(
        "--minutes", type=float, metavar="M", help="begin no race after so many; --resume does the rest"
    )
    p.add_argument("--record", type=Path, metavar="FILE", help="append our figures to a history (JSON lines)")
    p.add_argument(
        "--compare", type=Path, metavar="FILE", help="print what changed since a history's last run"
    )
    p.add_argument(
        "--quick", action="store_true", help="small problems in this process: does everything work?"
    )
    p.add_argument("--list", action="store_true", help="name suites, problems and solvers, and end")
    return p


def listing() -> list[str]:
    """What can be asked for."""
    out = []
    for name in SUITES:
        out.append(name)
        out += [f"  {p.name:<24s} {p.words}   [{', '.join(p.solvers)}]" for p in problems(name, False)]
    return out


def interpreters(words: list[str]) -> dict[str, str]:
    """NAME=PATH -> {NAME: PATH}. Raises ValueError for a name that no process has."""
    names = [*PLACES, *SUITES]
    out = {}
    for word in words:
        name, _, python = word.partition("=")
        if name not in names or not python:
            raise ValueError(f"--python takes NAME=PATH, NAME one of {', '.join(names)}; got {word!r}")
        out[name] = python
    return out


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0; 1 where an answer of ours did not reach the gap."""
    p = parser()
    a = p.parse_args(arguments)
    if a.list:
        print("\n".join(listing()))
        return 0
    asked = a.suite or [ALL]
    chosen = [s for s in SUITES if s in asked or ALL in asked]
    if not (a.gap > 0 and a.budget > 0 and a.repeat >= 1):
        p.error("--gap and --budget must be > 0, --repeat >= 1")
    limits = Limits(a.gap, a.budget, a.repeat)
    try:
        pythons = interpreters(a.python)
        machine = of_machine.described(a.threads, pythons)
    except ValueError as wrong:
        p.error(str(wrong))
    print("\n".join(report.heading(machine)))
    print(
        f"relative gap {a.gap:.0e}, {a.budget:g} s a solver, best of {a.repeat}; first column: how many times longer "
        "than mtlref\n"
    )
    if a.compare is not None and not a.compare.exists():
        p.error(f"--compare needs a record; {a.compare} is not there")
    if a.resume and a.output is None:
        p.error("--resume needs the --output of the run to go on with")

    def head(found: list[list[Outcome]]) -> dict[str, Any]:
        return {**record.entry(found, machine, a.gap), "budget": a.budget}

    ledger = Ledger(a.output, head)
    if a.resume:
        try:
            ledger.resume()
        except ValueError as other:
            p.error(str(other))
    late = time.monotonic() + 60 * a.minutes if a.minutes else None
    for suite in chosen:
        words = {p.name: p.words for p in problems(suite, a.quick)}
        print(f"== {suite}")
        for one in races(
            suite,
            limits,
            threads=a.threads,
            quick=a.quick,
            only_problems=a.problem,
            only_solvers=a.solver,
            progress=_progress,
            key=a.key,
            ledger=ledger,
            late=late,
            pythons=pythons,
        ):
            if one:
                print("\n".join(report.lines(one, words[one[0].problem])), flush=True)
    if "scale" in asked:
        ledger.further = further(a.threads, print, quick=a.quick)
    found = ledger.found
    missing = sorted({r.solver for one in found for r in one if r.status == o.MISSING})
    if missing:
        print(f"\nnot installed, left out: {', '.join(missing)}")
    ledger.write()
    _tell(a, head(found), found)
    missed = [
        r for one in found for r in one if r.solver == report.OURS and r.status not in (o.REACHED, o.OUT)
    ]
    return 1 if missed else 0


def _progress(what: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {what}", file=sys.stderr, flush=True)


def _tell(a: argparse.Namespace, line: dict[str, Any], found: list[list[Outcome]]) -> None:
    if a.output is not None:
        _draw(a, found)
    if a.compare is not None:
        print("\n" + "\n".join(record.changes(line, record.history(a.compare))))
    if a.record is not None:
        record.append(a.record, line)


def _draw(a: argparse.Namespace, found: list[list[Outcome]]) -> None:
    if find_spec("matplotlib") is None:
        print("matplotlib is not installed: no figures")
        return
    for suite in sorted({one[0].suite for one in found}):
        draw(suite, [one for one in found if one[0].suite == suite], a.gap, a.output / f"{suite}.png")


if __name__ == "__main__":
    sys.exit(main())
