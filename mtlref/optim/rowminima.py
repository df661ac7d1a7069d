"""The exact minima over one row of V, all else fixed, where each task has a curvature of its own."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# A change of s by this share ends the iteration: the next one would be about its square.
SQUARED = 1e-7


def row_minimum(c: Array, h: Array, lam: float, guess: float = 0.0) -> Array:
    """argmin_v Σ_t (h_t v_t²/2 − c_t v_t) + lam ‖v‖: v_t = c_t s / (h_t s + lam), s = ‖v‖ by Newton's method on
    1/‖c / (h s + lam)‖ = 1, which is close to linear in s; begun at ``guess`` where that is not too small."""
    norm = float(np.sqrt(c @ c))
    if norm <= lam:
        return np.zeros_like(c)
    least = (norm - lam) / float(h.max())
    s = max(least, guess)
    for _ in range(50):
        scale = 1.0 / (h * s + lam)
        x = c * scale
        square = float(x @ x)
        slope = float((x * x) @ (h * scale))
        new = max(s + (math.sqrt(square) - 1.0) * square / slope, least)
        done = abs(new - s) <= SQUARED * s
        s = new
        if done:
            break
    return np.asarray(c * (s / (h * s + lam)))


def row_minima(C: Array, H: Array, lam: Array, guess: Array) -> Array:
    """(T, p): ``row_minimum`` of every column at once, s begun at ``guess`` (p,) where that is not too small."""
    norms, top = column_norms(C), H.max(axis=0)
    out = np.zeros_like(C)
    on = np.flatnonzero((norms > lam) & (top > 0))
    if on.size == 0:
        return out
    C, H, lam = C[:, on], H[:, on], lam[on]
    least = (norms[on] - lam) / top[on]
    s = np.maximum(least, guess[on])
    for _ in range(50):
        scale = 1.0 / (H * s + lam)
        x = C * scale
        square = np.einsum("tj,tj->j", x, x)
        slope = np.einsum("tj,tj->j", x * x, H * scale)
        new = np.maximum(s + (np.sqrt(square) - 1.0) * square / slope, least)
        done = np.abs(new - s) <= SQUARED * s
        s = new
        if done.all():
            break
    out[:, on] = C * (s / (H * s + lam))
    return out


def column_norms(V: Array) -> Array:
    """(p,): ‖V[:, j]‖."""
    return np.asarray(np.sqrt(np.einsum("tj,tj->j", V, V)))
