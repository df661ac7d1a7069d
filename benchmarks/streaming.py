"""python -m benchmarks.streaming: rows on disk to certified fits in bounded memory."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mtlref as mt

Array = NDArray[np.float64]
# Rows written at a time.
BLOCK = 100_000


def write(folder: Path, rows: int, features: int, tasks: int, seed: int = 0) -> Array:
    """X.bin, y.bin and tasks.bin: the rows of the tasks in random order; returns the true W (p, T), of rank 3."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((features, 3)) @ rng.standard_normal((3, tasks)) / np.sqrt(3.0)
    with (
        (folder / "X.bin").open("wb") as fx,
        (folder / "y.bin").open("wb") as fy,
        (folder / "tasks.bin").open("wb") as ft,
    ):
        for start in range(0, rows, BLOCK):
            n = min(BLOCK, rows - start)
            X = rng.standard_normal((n, features)) + 10.0
            t = rng.integers(tasks, size=n, dtype=np.int32)
            y = np.einsum("ij,ji->i", X, W[:, t]) + rng.standard_normal(n)
            X.tofile(fx)
            y.tofile(fy)
            t.tofile(ft)
    return W


def run(
    rows: int = 10**7,
    features: int = 50,
    tasks: int = 100,
    folder: str | os.PathLike[str] | None = None,
    chunk_rows: int | None = None,
) -> dict[str, Any]:
    """Write the rows to ``folder`` (None: a temporary one), stream them to Moments, fit, delete them; the figures.

    Seconds of each part, the process's peak resident memory in MiB (that of writing included), and for each method
    the certified relative gap and the largest error of its coefficients.
    """
    with tempfile.TemporaryDirectory(prefix="mtlref-stream-", dir=folder) as place:
        path = Path(place)
        clock = time.perf_counter()
        W = write(path, rows, features, tasks)
        wrote = time.perf_counter() - clock
        X = np.memmap(path / "X.bin", dtype=np.float64, mode="r", shape=(rows, features))
        y = np.memmap(path / "y.bin", dtype=np.float64, mode="r", shape=(rows,))
        labels = np.memmap(path / "tasks.bin", dtype=np.int32, mode="r", shape=(rows,))
        clock = time.perf_counter()
        moments = mt.Moments.from_rows(X, y, labels, chunk_rows=chunk_rows)
        streamed = time.perf_counter() - clock
        del X, y, labels
    figures: dict[str, Any] = {
        "rows": rows,
        "features": features,
        "tasks": tasks,
        "GiB on disk": rows * (8 * features + 12) / 2**30,
        "seconds to write": wrote,
        "seconds to stream": streamed,
        "rows per second": rows / streamed,
    }
    for model in (mt.SingleTaskRidge(lam=1e-3), mt.JointFeature(tol=1e-8), mt.TraceNorm(tol=1e-8)):
        if hasattr(model, "ridge"):
            model.set_params(lam=1e-3 * model.lam_max(moments))
        clock = time.perf_counter()
        model.fit(moments)
        figures[type(model).__name__] = {
            "seconds": time.perf_counter() - clock,
            "relative gap": model.result_.certificate.relative_gap,
            "largest error of W": float(np.abs(model.coef_.T - W).max()),
        }
    # Kilobytes on Linux, bytes on macOS.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    figures["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Print the figures as JSON; exit code 0 where the peak stays below a gibibyte and every fit is certified."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__)
    parser.add_argument("--rows", type=int, default=10**7)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--chunk-rows", type=int, help="rows in memory at a time (default: some 32 MB)")
    parser.add_argument(
        "--folder", help="where the rows are written for the while (default: the temporary folder)"
    )
    o = parser.parse_args(arguments)
    figures = run(o.rows, o.features, o.tasks, o.folder, o.chunk_rows)
    print(json.dumps(figures, indent=2))
    certified = all(f["relative gap"] <= 1e-6 for f in figures.values() if isinstance(f, dict))
    return 0 if certified and figures["peak MiB"] < 1024 else 1


if __name__ == "__main__":
    sys.exit(main())
