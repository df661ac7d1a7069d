"""The suites by name; a file is read when its suite is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from benchmarks.machine import environment

SUITES = ("l21", "trace", "mtrl", "gp", "nn", "decision", "growth")

# What the claims of a suite are about, and which of its peers no claim names: patterns of problem/solver.
KEY = {
    "decision": ("statistics * n/p 5/*", "holes 10%/*", "trace side*/*", "path*/*"),
}
NOT_KEY = {"l21": ("*/spams", "A/FISTA", "C/FISTA")}

# Programs of their own, only run when asked for by the name "scale": they write gigabytes.
FURTHER: dict[str, list[str] | None] = {
    "streaming": ["--rows", "20000", "--features", "5", "--tasks", "4"],
    "scale": None,
}


def suite(name: str) -> ModuleType:
    """The module, with PROBLEMS and QUICK."""
    return import_module(f"benchmarks.suites.{name}")


def problems(name: str, quick: bool) -> tuple[Any, ...]:
    """Those of a suite; with ``quick`` the small ones that only show that everything works."""
    module = suite(name)
    return tuple(module.QUICK if quick else module.PROBLEMS)


def in_key(suite: str, problem: str, solver: str) -> bool:
    """Whether ``--key`` races it."""

    def matches(patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(f"{problem}/{solver}", p) for p in patterns)

    return matches(KEY.get(suite, ("*",))) and not matches(NOT_KEY.get(suite, ()))


def find(name: str, problem: str) -> Any:
    """A problem of a suite by its name."""
    for p in (*problems(name, False), *problems(name, True)):
        if p.name == problem:
            return p
    raise KeyError(problem)


def further(threads: int, out: Callable[[str], None], *, quick: bool = False) -> dict[str, Any]:
    """Streaming and scale, whose memory is measured: each a process of its own, what it prints passed on and kept.

    With ``quick`` they get the arguments of FURTHER; None: then it is not run.
    """
    kept: dict[str, Any] = {}
    for name, small in FURTHER.items():
        if find_spec(f"benchmarks.{name}") is None:
            out(f"benchmarks.{name} is not here")
            continue
        if quick and small is None:
            out(f"benchmarks.{name} has no quick form")
            continue
        command = [sys.executable, "-m", f"benchmarks.{name}", *((small or []) if quick else [])]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, env=environment(threads), check=False
        )
        out(f"== {name}")
        out(done.stdout.rstrip())
        kept[name] = _read(done.stdout)
    return kept


def _read(printed: str) -> Any:
    """JSON as a whole, or a value a line, or the text."""
    try:
        return json.loads(printed)
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in printed.splitlines() if line.strip()]
    except ValueError:
        return printed
