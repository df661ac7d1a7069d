"""The exact minima over one row of V, all else fixed, where each task has a curvature of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def row_minimum(c: Array, h: Array, lam: float) -> Array:
    """argmin_v Σ_t (h_t v_t²/2 − c_t v_t) + lam ‖v‖: v_t = c_t s / (h_t s + lam), s = ‖v‖ by Newton's method on
    1/‖c / (h s + lam)‖ = 1, which is close to linear in s."""
    norm = float(np.linalg.norm(c))
    if norm <= lam:
        return np.zeros_like(c)
    s = (norm - lam) / float(h.max())  # from below, where the iteration is monotone
    for _ in range(50):
        x = c / (h * s + lam)
        length = float(np.linalg.norm(x))
        slope = float(x @ (x * h / (h * s + lam))) / length**3
        change = (1.0 - 1.0 / length) / slope
        s += change
        if abs(change) <= 1e-15 * s:
            break
    return np.asarray(c * s / (h * s + lam))


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
        done = np.abs(new - s) <= 1e-7 * s  # which the next step would square
        s = new
        if done.all():
            break
    out[:, on] = C * (s / (H * s + lam))
    return out


def column_norms(V: Array) -> Array:
    """(p,): ‖V[:, j]‖."""
    return np.asarray(np.sqrt(np.einsum("tj,tj->j", V, V)))
