"""Where a table came from: versions, machine, command, times."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import mtlref._version
from mtlref.study.settings import Settings

PACKAGES = ("numpy", "scipy", "joblib", "matplotlib", "jinja2", "pandas", "scikit-learn", "pooch", "tqdm")


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def provenance(
    settings: Settings, command: str, jobs: int, runs: list[str], seconds: float
) -> dict[str, Any]:
    """All that another person needs to run it again."""
    return {
        "command": command,
        "settings": settings.as_dict(),
        "seed": settings.seed,
        "data": {"name": settings.data, "sha256": settings.data_hash},
        "versions": versions(),
        "machine": machine() | {"jobs": jobs},
        "times": {"began": runs[0], "ended": now(), "runs": runs, "seconds_of_last_run": round(seconds, 3)},
    }


def versions() -> dict[str, str]:
    """Python, mtlref and what it stands on."""
    found = {"python": platform.python_version(), "mtlref": mtlref._version.__version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Kind of machine; not its name."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": cores,
        "byte_order": sys.byteorder,
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
