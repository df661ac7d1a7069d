"""python -m benchmarks.balancers: the exact MGDA against the Frank–Wolfe loop that is usual, in one run.

The loop works on J J' and stops as published ones do: when its step falls below 1e-3, or after 250 steps. A second
pair of columns is for the loop that goes on until its gap is 1e-3 of the squared length, and the last ones before the
gaps for both sides from J J' to weights, without what J J' and the direction cost. Both directions' gaps are printed:
ours is exact.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from numpy.typing import NDArray

import mtlref as mt
from benchmarks.clock import best_of
from mtlref.balance.minnorm import quick_weights

Array = NDArray[np.float64]
SIZES = ((3, 1000), (5, 1000), (10, 1000), (20, 1000), (5, 20000), (10, 20000))


def frank_wolfe(J: Array, *, step: float = 1e-3, gap: float = 0.0, steps: int = 250) -> tuple[Array, int]:
    """The direction of the plain loop and its number of steps: towards the worst task, with an exact line search."""
    w, k = loop(J @ J.T, step=step, gap=gap, steps=steps)
    return w @ J, k


def loop(G: Array, *, step: float = 1e-3, gap: float = 0.0, steps: int = 250) -> tuple[Array, int]:
    """The loop's weights from G = J J', and its number of steps."""
    w = np.full(len(G), 1.0 / len(G))
    for k in range(steps):
        slopes = G @ w
        worst = int(np.argmin(slopes))
        own, other, there = float(w @ slopes), float(slopes[worst]), float(G[worst, worst])
        if own - other <= gap * own:
            return w, k
        t = min(max((own - other) / (own - 2 * other + there), 0.0), 1.0)
        w = (1 - t) * w
        w[worst] += t
        if t < step:
            return w, k + 1
    return w, steps


def gap(J: Array, d: Array) -> float:
    """(‖d‖² − min ⟨g_i, d⟩) / ‖d‖²."""
    square = float(d @ d)
    return (square - float((J @ d).min())) / square if square > 0 else 0.0


def jacobian(m: int, d: int, seed: int) -> Array:
    """Gradients with a little in common and lengths from 1 to 10: the shortest vector has several tasks."""
    rng = np.random.default_rng(seed)
    J = rng.standard_normal((m, d)) + 0.3 * rng.standard_normal(d)
    return J * np.exp(rng.uniform(0.0, np.log(10.0), m))[:, None] / np.sqrt(d)


def main(arguments: list[str] | None = None) -> int:
    """Print one line a size; exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.balancers", description=__doc__)
    parser.add_argument(
        "--times", type=int, default=20, help="calls of each, the fastest counts (default 20)"
    )
    parser.add_argument("--problems", type=int, default=5, help="Jacobians of each size (default 5)")
    o = parser.parse_args(arguments)
    mgda = mt.balance.MGDA()
    print(
        f"{'tasks':>5s} {'params':>7s} {'ours ms':>8s} {'loop ms':>8s} {'ratio':>6s} {'to gap ms':>9s} {'ratio':>7s} "
        f"{'weights':>8s} {'loop ms':>8s} {'ratio':>6s} {'our gap':>8s} {'its gap':>8s} {'steps':>6s}"
    )
    for m, d in SIZES:
        rows = []
        for seed in range(o.problems):
            J = jacobian(m, d, seed)
            G = J @ J.T
            (ours,) = best_of([lambda J=J: mgda(J)], o.times)
            (whole,) = best_of([lambda J=J: frank_wolfe(J)], o.times)
            (long,) = best_of([lambda J=J: frank_wolfe(J, step=0.0, gap=1e-3, steps=100000)], 2)
            (weights,) = best_of([lambda G=G: quick_weights(G)], o.times)
            (after,) = best_of([lambda G=G: loop(G)], o.times)
            point, steps = frank_wolfe(J)
            row = (ours, whole, whole / ours, long, long / ours, weights, after, after / weights)
            rows.append((*row, gap(J, mgda(J)), gap(J, point), steps))
        a = np.median(np.array(rows), axis=0)
        print(
            f"{m:5d} {d:7d} {1e3 * a[0]:8.3f} {1e3 * a[1]:8.3f} {a[2]:6.1f} {1e3 * a[3]:9.3f} {a[4]:7.1f} "
            f"{1e3 * a[5]:8.3f} {1e3 * a[6]:8.3f} {a[7]:6.1f} {abs(a[8]):8.1e} {a[9]:8.1e} {a[10]:6.0f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
