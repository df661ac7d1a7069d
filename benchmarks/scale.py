"""python -m benchmarks.scale: many tasks and many features; time, memory and certified gap, each in its own process."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mtlref as mt

Array = NDArray[np.float64]
METHODS = (
    "SingleTaskRidge",
    "Pooled",
    "MeanRegularized",
    "GraphRegularized",
    "SingleTaskLasso",
    "JointFeature",
    "TraceNorm",
)
PROBLEMS = ("tasks", "features", "words")


def many_tasks(T: int = 10_000, p: int = 20, n: int = 60, seed: int = 0) -> mt.TaskData:
    """Ragged tasks of n/2 to 3n/2 rows; W of rank 3 on half of the features."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((p, 3)) @ rng.standard_normal((3, T)) / np.sqrt(3.0)
    W[p // 2 :] = 0.0
    sizes = rng.integers(n // 2, 3 * n // 2, T)
    X = [rng.standard_normal((m, p)) for m in sizes]
    y = [x @ w + rng.standard_normal(len(x)) for x, w in zip(X, W.T, strict=True)]
    return mt.TaskData.from_list(X, y)


def many_features(p: int = 100_000, T: int = 10, n: int = 500, seed: int = 0) -> mt.TaskData:
    """One dense design; 50 features matter."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    chosen = rng.choice(p, 50, replace=False)
    Y = X[:, chosen] @ (rng.standard_normal((50, 3)) @ rng.standard_normal((3, T)))
    return mt.TaskData.from_shared(X, Y + 3.0 * rng.standard_normal((n, T)))


def many_words(p: int = 100_000, T: int = 10, n: int = 2000, words: int = 80, seed: int = 0) -> mt.TaskData:
    """One sparse design of counts, the features' frequencies falling as 1/j as those of words do."""
    from scipy.sparse import coo_array

    rng = np.random.default_rng(seed)
    frequency = 1.0 / np.arange(1, p + 1)
    columns = rng.choice(p, (n, words), p=frequency / frequency.sum()).ravel()
    rows = np.repeat(np.arange(n), words)
    X = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, p)).tocsr()
    W = np.zeros((p, T))
    W[rng.choice(300, 50, replace=False)] = rng.standard_normal((50, 3)) @ rng.standard_normal((3, T))
    return mt.TaskData.from_shared(X, X @ W + 3.0 * rng.standard_normal((n, T)))


MAKE = {"tasks": many_tasks, "features": many_features, "words": many_words}


def graph(T: int) -> Array:
    """A ring: task t pulls on t − 1 and t + 1."""
    A = np.zeros((T, T))
    t = np.arange(T)
    A[t, (t + 1) % T] = A[(t + 1) % T, t] = 1.0
    return A


def run(problem: str, method: str, tol: float = 1e-6, **sizes: int) -> dict[str, Any]:
    """Make the problem, fit the method at a tenth (squared norms: a hundredth) of its natural lam; the figures."""
    data = MAKE[problem](**sizes)
    before = peak()
    kind = mt.methods()[method]
    model = kind.cls(graph=graph(data.T), tol=tol) if "graph" in kind.required else kind.cls(tol=tol)
    clock = time.perf_counter()
    scale = model.lam_scale(data)
    model.set_params(lam=(0.01 if kind.cls.degrees["lam"] == 2 else 0.1) * scale)
    scaled = time.perf_counter() - clock
    clock = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mt.NotConverged)  # the gap is in the figures
        model.fit(data)
    return {
        "problem": problem,
        "method": method,
        "T": data.T,
        "p": data.p,
        "N": data.N,
        "seconds for lam": scaled,
        "seconds": time.perf_counter() - clock,
        "relative gap": model.result_.certificate.relative_gap,
        "iterations": model.result_.n_iter,
        "peak MiB of the data": before,
        "peak MiB": peak(),
    }


def peak() -> float:
    """Peak resident memory of this process in MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(arguments: list[str] | None = None) -> int:
    """One line of JSON a problem and method; exit code 0 where every fit that ended is certified."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument(
        "--problems", default=",".join(PROBLEMS), help=f"of {', '.join(PROBLEMS)} (default: all)"
    )
    parser.add_argument("--methods", default=",".join(METHODS), help="names in the registry")
    parser.add_argument("--tol", type=float, default=1e-6, help="relative gap to certify (default 1e-6)")
    parser.add_argument("--budget", type=float, default=600.0, help="seconds a fit may take (default 600)")
    parser.add_argument(
        "--here", action="store_true", help="in this process: no limit of time, and memory adds up"
    )
    o = parser.parse_args(arguments)
    good = True
    for problem in o.problems.split(","):
        for method in o.methods.split(","):
            if o.here:
                figures = run(problem, method, o.tol)
            else:
                figures = apart(problem, method, o.tol, o.budget)
            good &= figures.get("relative gap", np.inf) <= o.tol
            print(json.dumps(figures), flush=True)
    return 0 if good else 1


def apart(problem: str, method: str, tol: float, budget: float) -> dict[str, Any]:
    """``run`` in a process of its own, whose peak memory is the fit's."""
    command = [sys.executable, "-m", "benchmarks.scale", "--here", "--problems", problem, "--methods", method]
    try:
        done = subprocess.run(
            [*command, "--tol", str(tol)], capture_output=True, text=True, check=False, timeout=budget
        )
    except subprocess.TimeoutExpired:
        return {"problem": problem, "method": method, "failed": f"not done in {budget:g} s"}
    if not done.stdout.strip():
        lines = done.stderr.strip().splitlines()
        return {
            "problem": problem,
            "method": method,
            "failed": lines[-1] if lines else f"exit {done.returncode}",
        }
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    sys.exit(main())
