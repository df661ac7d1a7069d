"""python -m benchmarks.gp: value and gradient of multi-task Gaussian processes over the factorisation they rest on.

Ratios of least processor times in this run (set OPENBLAS_NUM_THREADS=1): a complete table over the eigendecomposition
of K (n, n) by numpy.linalg.eigh; holes over Cholesky of the same cells; cells at places of their own over potrf and
potri.
"""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import numpy as np
from scipy.linalg import lapack

from benchmarks.clock import best_of
from mtlref.gp import RBF, Cells, Coregional, Model, condition_on

TABLES = ((200, 5), (500, 10), (1000, 20))
HOLES = (250, 13, 0.05)
LOOSE = 2000
# Seconds for all repetitions of a problem.
SECONDS = 6.0


def problem(n: int, T: int, seed: int = 0) -> tuple[Model, Cells]:
    """RBF with two lengths, rank 2, a noise variance for each task, on a complete table."""
    rng = np.random.default_rng(seed)
    every = np.arange(n * T)
    cells = Cells(rng.uniform(size=(n, 2)), every % n, every // n, rng.standard_normal(n * T), T, every)
    B = Coregional(rng.standard_normal((T, 2)), rng.uniform(0.3, 1, T))
    return Model.make([(B, RBF([0.3, 0.5]))], Coregional.diagonal(rng.uniform(0.05, 0.2, T))), cells


def evaluate(model: Model, cells: Cells, route: str) -> Any:
    """Value and gradient."""
    made = condition_on(model, cells, route)
    return made.value, made.gradient(keep=False)


def table(n: int, T: int) -> list[float]:
    """Seconds of value and gradient, and of the eigendecomposition alone."""
    model, cells = problem(n, T)
    K = model.terms[0][1](cells.X)
    return best_of([lambda: evaluate(model, cells, "kronecker"), lambda: np.linalg.eigh(K)], seconds=SECONDS)


def holes(n: int, T: int, share: float) -> list[float]:
    """Seconds of value and gradient by the Schur complement, and by Cholesky."""
    model, full = problem(n, T)
    cells = full.subset(np.sort(np.random.default_rng(1).permutation(n * T)[round(share * n * T) :]))
    return best_of(
        [lambda: evaluate(model, cells, "holes"), lambda: evaluate(model, cells, "dense")], seconds=SECONDS
    )


def loose(N: int, least: int = 3, seconds: float = SECONDS) -> tuple[list[float], float]:
    """Seconds of value and gradient on cells at different places, of potrf and potri; peak memory in N × N matrices."""
    model, _ = problem(N // 5, 5)
    rng = np.random.default_rng(2)
    every = np.arange(N)
    cells = Cells(rng.uniform(size=(N, 2)), every, every * 5 // N, rng.standard_normal(N), 5, every)
    C = model.terms[0][1](cells.X) + np.eye(N)

    def factor() -> Any:
        half, _ = lapack.dpotrf(C.T, lower=1, clean=0)
        return lapack.dpotri(half, lower=1, overwrite_c=1)

    tracemalloc.start()
    evaluate(model, cells, "dense")
    peak = tracemalloc.get_traced_memory()[1] / (8 * N * N)
    tracemalloc.stop()
    return best_of([lambda: evaluate(model, cells, "dense"), factor], least, seconds), peak


def main() -> int:
    """Print a line a problem; exit code 0."""
    print(f"{'problem':34s} {'value+gradient s':>17s} {'reference s':>12s} {'ratio':>7s}")
    for n, T in TABLES:
        ours, theirs = table(n, T)
        print(
            f"{f'table ({n}, {T}) / eigh(K)':34s} {ours:17.4f} {theirs:12.4f} {ours / theirs:7.2f}",
            flush=True,
        )
    n, T, share = HOLES
    ours, theirs = holes(n, T, share)
    print(
        f"{f'holes ({n}, {T}), {share:.0%} / Cholesky':34s} {ours:17.4f} {theirs:12.4f} {ours / theirs:7.3f}",
        flush=True,
    )
    (ours, theirs), peak = loose(LOOSE)
    print(
        f"{f'loose N = {LOOSE} / potrf + potri':34s} {ours:17.4f} {theirs:12.4f} {ours / theirs:7.2f}",
        flush=True,
    )
    print(f"peak memory of the last, value and gradient: {peak:.1f} matrices of N × N")
    return 0


if __name__ == "__main__":
    sys.exit(main())
