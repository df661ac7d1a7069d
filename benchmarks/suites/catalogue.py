"""The suites by name; a file is read when its suite is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from benchmarks.machine import environment

SUITES = ("l21", "trace", "mtrl", "gp", "nn", "decision", "growth")

# Programs of their own, only run when asked for by the name "scale": they write gigabytes.
FURTHER = ("streaming", "scale")


def suite(name: str) -> ModuleType:
    """The module, with PROBLEMS and QUICK."""
    return import_module(f"benchmarks.suites.{name}")


def problems(name: str, quick: bool) -> tuple[Any, ...]:
    """Those of a suite; with ``quick`` the small ones that only show that everything works."""
    module = suite(name)
    return tuple(module.QUICK if quick else module.PROBLEMS)


def find(name: str, problem: str) -> Any:
    """A problem of a suite by its name."""
    for p in (*problems(name, False), *problems(name, True)):
        if p.name == problem:
            return p
    raise KeyError(problem)


def further(threads: int, out: Callable[[str], None], *, quick: bool = False) -> dict[str, Any]:
    """Streaming and scale, whose memory is measured: each ``run()`` in a process of its own, its figures printed.

    With ``quick`` their arguments are the module's QUICK, and what has none is not run.
    """
    figures: dict[str, Any] = {}
    for name in FURTHER:
        if find_spec(f"benchmarks.{name}") is None:
            out(f"benchmarks.{name} is not here")
            continue
        code = (
            f"import json, benchmarks.{name} as m; settings = getattr(m, 'QUICK', None) if {quick} else {{}}; "
            "print(json.dumps(m.run(**settings) if settings is not None else 'no quick form', default=str))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment(threads), check=False
        )
        lines = done.stdout.decode().strip().splitlines()
        figures[name] = json.loads(lines[-1]) if done.returncode == 0 and lines else "failed"
        out(f"== {name}")
        shown = figures[name] if isinstance(figures[name], dict) else {name: figures[name]}
        for key, value in shown.items():
            out(f"  {key}: {value:.4g}" if isinstance(value, float) else f"  {key}: {value}")
    return figures
