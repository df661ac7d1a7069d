"""The suites by name; a file is read when its suite is asked for."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

SUITES = ("l21", "trace", "mtrl", "gp", "nn", "decision", "growth")


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


def further(*, quick: bool, out: Any) -> None:
    """Scale and streaming, which are programs of their own; a sentence where they are not here."""
    for name in ("streaming", "scale"):
        try:
            module = import_module(f"benchmarks.{name}")
        except ImportError:
            out(f"benchmarks.{name} is not here")
            continue
        out(f"== {name}")
        for line in module.run(quick=quick):
            out(line)
