"""L2,1 on one design under the squared loss: working sets from the correlations of the residual."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.rowproblem import RowProblem, solve_rows
from mtlref.optim.run import Iterate
from mtlref.optim.shareddesign import SharedDesign

Array = NDArray[np.float64]
Start = tuple[Array, Array]
FIRST_SET = 100
# A first look needs no more than this; what is certified is solved to the second.
ROUGH, FINE, FINEST = 1e-2, 1e-9, 1e-13
# Up to so many features of which the Gram matrix is there, all at once cost less than looking for the right ones.
ALL = 2000
# Beyond so many columns to a row, products with the columns cost less than with their Gram matrix.
WIDE = 2.0


def shared_rows_fit(design: SharedDesign, start: Start | None, lam: float, ridge: float) -> Iterator[Iterate]:
    """Iterates for L(W) + lam Σ_j ‖W[j,:]‖ + ridge/2 ‖W‖²."""
    T, p = design.T, design.p
    V = np.zeros((T, p)) if start is None else np.ascontiguousarray(start[0].T)
    whole = design.X is None and p <= ALL
    accuracy = FINE if whole or V.any() else ROUGH
    working = np.full(p, whole, dtype=np.bool_)
    looked = False
    while True:
        alive = np.asarray(V.any(axis=0))
        on = np.flatnonzero(alive)
        g = design.correlations(np.take(V, on, axis=1), on)
        if ridge:
            g -= ridge * V
        strength = np.sqrt(np.einsum("tj,tj->j", g, g))
        fresh = np.flatnonzero((strength > lam) & ~working & ~alive)
        if looked and fresh.size == 0:
            if accuracy <= FINEST:
                return
            accuracy = FINE if accuracy > FINE else max(FINEST, 1e-3 * accuracy)
        looked = True
        if not whole:
            working = _chosen(working, alive, strength, fresh, lam, design.rows)
        chosen = np.flatnonzero(working)
        scale, part = _restricted(design, chosen, lam, ridge)
        W = np.take(V, chosen, axis=1) * scale
        for W, _ in solve_rows(part, W, accuracy):
            yield None
        V = np.zeros((T, p))
        V[:, chosen] = W / scale
        if accuracy <= FINE:
            yield V.T, None


def _chosen(
    working: NDArray[np.bool_],
    alive: NDArray[np.bool_],
    strength: Array,
    fresh: NDArray[np.intp],
    lam: float,
    n: int,
) -> NDArray[np.bool_]:
    """The next working set: what is alive, or near it, and the strongest of what should be.

    From an answer for another lam, the sequential strong rule (Tibshirani et al. 2012) says what could be.
    """
    room = max(FIRST_SET, n // 2, int(alive.sum()))
    keep: NDArray[np.bool_] = alive | (working & (strength > 0.9 * lam))
    if not working.any() and alive.any():
        last = float(np.median(strength[alive]))
        fresh = np.flatnonzero((strength >= min(lam, 2 * lam - last)) & ~alive)
        room = max(FIRST_SET, int(alive.sum()) // 4)
    if fresh.size > room:
        fresh = fresh[np.argpartition(strength[fresh], -room)[-room:]]
    keep[fresh] = True
    if not keep.any():
        keep[strength.argmax()] = True
    return keep


def _restricted(
    design: SharedDesign, chosen: NDArray[np.intp], lam: float, ridge: float
) -> tuple[Array, RowProblem]:
    """(s, the problem on the chosen features in the coordinates s V, in which H has a unit diagonal)."""
    r = np.take(design.r, chosen, axis=1)
    if design.X is not None and chosen.size > WIDE * design.rows:
        A = design.columns(chosen)
        s = np.sqrt(np.einsum("ij,ij->j", A, A) + ridge)
        s[s == 0] = 1.0
        return s, RowProblem(r / s, lam / s, A=A / s, ridge=ridge / s**2)
    H = design.gram(chosen)
    diagonal = np.diag_indices(len(H))
    if ridge:
        H[diagonal] += ridge
    s = np.sqrt(H[diagonal])
    s[s == 0] = 1.0
    H /= s
    H /= s[:, None]
    return s, RowProblem(r / s, lam / s, H=np.ascontiguousarray(H))
