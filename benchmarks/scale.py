"""python -m benchmarks.scale: many tasks and many features; time, memory and certified gap, each in its own process.

Seconds are of the processor, on one thread. lam is a tenth of its natural size, a hundredth for squared norms.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import warnings
from itertools import product
from typing import Any

import numpy as np

import mtlref as mt
from benchmarks.clock import now
from benchmarks.machine import environment

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


def many_tasks(T: int = 10_000, p: int = 20, n: int = 60, seed: int = 0, labels: bool = False) -> mt.TaskData:
    """Ragged tasks of n/2 to 3n/2 rows; W of rank 3 on half of the features."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((p, 3)) @ rng.standard_normal((3, T)) / np.sqrt(3.0)
    W[p // 2 :] = 0.0
    sizes = rng.integers(n // 2, 3 * n // 2, T)
    X = [rng.standard_normal((m, p)) for m in sizes]
    y = [x @ w + rng.standard_normal(len(x)) for x, w in zip(X, W.T, strict=True)]
    return mt.TaskData.from_list(X, [np.sign(v) for v in y] if labels else y)


def many_features(
    p: int = 100_000, T: int = 10, n: int = 500, seed: int = 0, labels: bool = False
) -> mt.TaskData:
    """One dense design; 50 features matter."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    chosen = rng.choice(p, 50, replace=False)
    Y = X[:, chosen] @ (rng.standard_normal((50, 3)) @ rng.standard_normal((3, T)))
    Y += 3.0 * rng.standard_normal((n, T))
    return mt.TaskData.from_shared(X, np.sign(Y) if labels else Y)


def many_words(
    p: int = 100_000, T: int = 10, n: int = 2000, words: int = 80, seed: int = 0, labels: bool = False
) -> mt.TaskData:
    """One sparse design of counts, the features' frequencies falling as 1/j as those of words do."""
    from scipy.sparse import coo_array

    rng = np.random.default_rng(seed)
    frequency = 1.0 / np.arange(1, p + 1)
    columns = rng.choice(p, (n, words), p=frequency / frequency.sum()).ravel()
    rows = np.repeat(np.arange(n), words)
    X = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, p)).tocsr()
    W = np.zeros((p, T))
    W[rng.choice(300, 50, replace=False)] = rng.standard_normal((50, 3)) @ rng.standard_normal((3, T))
    Y = X @ W + 3.0 * rng.standard_normal((n, T))
    return mt.TaskData.from_shared(X, np.sign(Y) if labels else Y)


MAKE = {"tasks": many_tasks, "features": many_features, "words": many_words}


def graph(T: int) -> Any:
    """A ring, sparse: task t pulls on t − 1 and t + 1."""
    from scipy.sparse import coo_array

    t = np.arange(T)
    half = coo_array((np.ones(T), (t, (t + 1) % T)), shape=(T, T))
    return (half + half.T).tocsr()


def run(problem: str, method: str, tol: float = 1e-6, loss: str = "squared", **sizes: int) -> dict[str, Any]:
    """Make the problem, fit the method at a tenth (squared norms: a hundredth) of its natural lam; the figures."""
    data = MAKE[problem](**sizes, labels=loss == "logistic")
    before = peak()
    kind = mt.methods()[method]
    model = kind.cls(graph=graph(data.T)) if "graph" in kind.required else kind.cls()
    model.set_params(tol=tol, loss=loss)
    clock = now()
    scale = model.lam_scale(data)
    model.set_params(lam=(0.01 if kind.cls.degrees["lam"] == 2 else 0.1) * scale)
    scaled = now() - clock
    clock = now()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mt.NotConverged)  # the gap is in the figures
        model.fit(data)
    return {
        "problem": problem,
        "method": method,
        "loss": loss,
        "T": data.T,
        "p": data.p,
        "N": data.N,
        "seconds for lam": scaled,
        "seconds": now() - clock,
        "relative gap": model.result_.certificate.relative_gap,
        "iterations": model.result_.n_iter,
        "peak MiB of the data": round(before),
        "peak MiB": round(peak()),
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
    parser.add_argument(
        "--losses", default="squared,logistic", help="of squared and logistic (default: both)"
    )
    parser.add_argument("--tol", type=float, default=1e-6, help="relative gap to certify (default 1e-6)")
    parser.add_argument("--budget", type=float, default=600.0, help="seconds a fit may take (default 600)")
    parser.add_argument(
        "--here", action="store_true", help="in this process: no limit of time, and memory adds up"
    )
    o = parser.parse_args(arguments)
    good = True
    asked = product(o.problems.split(","), o.methods.split(","), o.losses.split(","))
    for problem, method, loss in asked:
        if o.here:
            figures = run(problem, method, o.tol, loss)
        else:
            figures = apart(problem, method, loss, o.tol, o.budget)
        good &= figures.get("relative gap", np.inf) <= o.tol
        print(json.dumps(figures), flush=True)
    return 0 if good else 1


def apart(problem: str, method: str, loss: str, tol: float, budget: float) -> dict[str, Any]:
    """``run`` in a process of its own on one thread, whose peak memory is the fit's."""
    what = {"problem": problem, "method": method, "loss": loss}
    words = [word for name, value in what.items() for word in (f"--{PLURAL[name]}", value)]
    command = [sys.executable, "-m", "benchmarks.scale", "--here", *words, "--tol", str(tol)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=budget, env=environment(1)
        )
    except subprocess.TimeoutExpired:
        return {**what, "failed": f"not done in {budget:g} s"}
    if not done.stdout.strip():
        lines = done.stderr.strip().splitlines()
        return {**what, "failed": lines[-1] if lines else f"exit {done.returncode}"}
    return dict(json.loads(done.stdout.splitlines()[-1]))


PLURAL = {"problem": "problems", "method": "methods", "loss": "losses"}


if __name__ == "__main__":
    sys.exit(main())
