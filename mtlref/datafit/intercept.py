"""The best intercepts of the logistic loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.errors import DataError

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)


def logistic_intercept(y: Array, z: Array, weight: Array) -> float:
    """argmin_b Σ_i weight_i log(1 + exp(−y_i (z_i + b))). Raises as ``logistic_intercepts``."""
    return float(logistic_intercepts(y, z, weight, np.zeros(1, dtype=np.intp))[0])


def logistic_intercepts(y: Array, z: Array, weight: Array, starts: NDArray[np.intp]) -> Array:
    """(T,): argmin_b Σ_i weight_i log(1 + exp(−y_i (z_i + b))) over the rows of each task.

    The rows of all tasks (N,) in turn, those of task t from starts[t] on. Newton's method kept inside a bracket, all
    tasks at once. Raises DataError where all targets of positive weight are alike: no finite b is best.
    """
    live = weight > 0
    sizes = np.diff(np.append(starts, len(y)))
    total = np.add.reduceat(weight, starts)
    positive = np.add.reduceat(np.where(y > 0, weight, 0.0), starts)
    negative = np.add.reduceat(np.where(y > 0, 0.0, weight), starts)
    if not ((positive > 0) & (negative > 0)).all():
        raise DataError("rows of one class alone have no finite best intercept under the logistic loss")
    # At these ends every row lies on one side, so that the slope has a known sign.
    centre = np.log(positive / negative)
    low = centre - np.maximum.reduceat(np.where(live, z, -np.inf), starts)
    high = centre - np.minimum.reduceat(np.where(live, z, np.inf), starts)
    b = np.clip(centre - np.add.reduceat(np.where(live, weight * z, 0.0), starts) / total, low, high)
    done = np.zeros(len(b), dtype=bool)
    for _ in range(200):
        at = z + np.repeat(b, sizes)
        p = expit(at)
        slope = np.add.reduceat(weight * p, starts) - positive
        done |= np.abs(slope) <= EPS * positive  # as close to zero as its terms are known
        if done.all():
            return b
        low, high = np.where(slope > 0, low, b), np.where(slope > 0, b, high)
        bend = np.add.reduceat(weight * (p * expit(-at)), starts)
        step = np.divide(slope, bend, out=np.full_like(slope, np.inf), where=bend > 0)
        new = b - step
        # A step that rounding swallows may leave the bracket: to halve that would be to begin anew.
        last = np.abs(step) <= 4 * EPS * (1.0 + np.abs(b))
        new = np.where((low < new) & (new < high), new, np.where(last, b, (low + high) / 2))
        close = np.abs(new - b) <= 4 * EPS * (1.0 + np.abs(new))
        b = np.where(done, b, new)
        done |= close
        if done.all():
            return b
    return b
