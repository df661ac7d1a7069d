"""What stands beside every figure: the machine, the versions, the threads."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import scipy

import mtlref as mt

PEERS = (
    "scikit-learn",
    "celer",
    "skglm",
    "adelie",
    "spams-bin",
    "GPy",
    "gpytorch",
    "torch",
    "torchjd",
    "matplotlib",
)
# They must be in the environment before BLAS is loaded.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def environment(threads: int) -> dict[str, str]:
    """The environment of a process with at most ``threads`` threads in BLAS and OpenMP, that finds this package."""
    root = str(Path(__file__).resolve().parents[1])
    found = [root, *(v for v in [os.environ.get("PYTHONPATH")] if v)]
    return {**os.environ, **dict.fromkeys(THREADS, str(threads)), "PYTHONPATH": os.pathsep.join(found)}


def processor() -> str:
    """Its name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    """This library, what it stands on, and the peers that are installed."""
    out = {
        "mtlref": mt.__version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "SciPy": scipy.__version__,
    }
    for name in PEERS:
        try:
            out[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return out


def versions_in(python: str) -> dict[str, str]:
    """``versions`` as another interpreter has them. Raises ValueError where this source does not run in it."""
    words = "import json; from benchmarks.machine import versions; print(json.dumps(versions()))"
    try:
        done = subprocess.run(
            [python, "-c", words], env=environment(1), capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise ValueError(f"{python!r} cannot be run: {error.strerror}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word of why"])[-1]
        raise ValueError(f"{python!r} must run this source, with NumPy and SciPy; it says: {last}")
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def described(threads: int, pythons: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Machine, load, threads and versions; pythons : as for ``control.races``."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": threads,
        "load before": round(load, 2),
        "versions": versions(),
        "elsewhere": {name: versions_in(python) for name, python in (pythons or {}).items()},
    }


def commit() -> str:
    """The commit of the source, with a + where files differ from it; empty outside of a repository."""
    root = Path(__file__).resolve().parents[1]

    def git(*words: str) -> str:
        try:
            done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
        except OSError:
            return ""
        return done.stdout.strip()

    name = git("rev-parse", "--short=12", "HEAD")
    return name + "+" if name and git("status", "--porcelain", "--untracked-files=no") else name


def spent_by(pid: int) -> float | None:
    """Seconds of processor time that a process has had; None where the system does not tell."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    fields = line.rpartition(")")[2].split()  # the name before the bracket may hold anything
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def single() -> bool:
    """Whether this process was started with one thread in BLAS and OpenMP."""
    return all(os.environ.get(name) == "1" for name in THREADS[:2])


def allowed() -> int:
    """The threads that this process was started with, for peers that ask for a number."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


# What a solver is called in the tables, and its distribution.
DISTRIBUTIONS = {"PyTorch": "torch", "TorchJD": "torchjd", "GPyTorch": "gpytorch", "GPy": "GPy"}


def version_of(name: str) -> str:
    """The version of a peer by its name in the tables."""
    try:
        return metadata.version(DISTRIBUTIONS.get(name.split()[0], name))
    except metadata.PackageNotFoundError:
        return ""
