"""L2,1 on one design under the squared loss: working sets from the correlations of the residual."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.linalg.fewrows import FewRows
from mtlref.optim.raggeddesign import RaggedDesign
from mtlref.optim.rowminima import column_norms
from mtlref.optim.rowproblem import solve_rows
from mtlref.optim.run import Coefficients, Iterate
from mtlref.optim.shareddesign import SharedDesign

Array = NDArray[np.float64]
Features = NDArray[np.intp]
Mask = NDArray[np.bool_]
Start = tuple[Coefficients, Array]
Design = SharedDesign | RaggedDesign
Look = tuple[Array, float, int]
# From an answer for another lam as many features may come in as it has, but these at the least and at the most.
FEWEST, MOST = 30, 100
# What is certified is solved to the first, and to the second where that does not do.
FINE, FINEST = 1e-8, 1e-13
# What is so near to lam where the answer is not yet known comes in as well.
NEARLY = 0.98
# Where the conditions hold to this share of lam, a certificate may close.
WORTH = 1e-6
# A look at all features serves down to this share of the lam that it was made at, and up to so many times the rows that
# were not zero then, and so many more.
SERVES = 0.5
GROWN, MORE = 1.5, 25


def shared_rows_fit(design: Design, start: Start | None, lam: float, ridge: float) -> Iterator[Iterate]:
    """Iterates for L(W) + lam Σ_j ‖W[j,:]‖ + ridge/2 ‖W‖²; V (T, k) holds the features ``on``, all others are zero.

    Where steps are dear, the set is found before they are taken, and each may be the last.
    """
    T, p = design.T, design.p
    on, V = _begun(T, start)
    whole = design.at_once(on.size)
    working = np.full(p, whole, dtype=np.bool_)
    look = None if whole or not on.size else design.look
    if not whole and not (look and _serves(look, on.size, lam)):
        look = design.look = _look(design, V, on, ridge)
    # Near the last answer, or zero, one look will do: what it does not show, the certificate sees, and the next look.
    near = look is None or (not _dear(design, on.size) and (on.size or SERVES * look[1] <= lam))
    accuracy = FINE if near else design.rough(on.size)
    solved = False
    while True:
        fresh = np.zeros(0, dtype=np.intp)
        if not whole:
            look = design.look = look or _look(design, V, on, ridge)
            alive = np.zeros(p, dtype=np.bool_)
            alive[on] = True
            fresh = np.flatnonzero(
                (look[0] > (lam if accuracy <= FINE else NEARLY * lam)) & ~working & ~alive
            )
        if solved and not (look is not None and (look[0][fresh] > lam).any()):
            if accuracy <= FINEST:
                return
            accuracy = FINE if accuracy > FINE else max(FINEST, 1e-3 * accuracy)
        if isinstance(design, RaggedDesign) and design.H is None:
            # Of what comes in about half stays. Where that makes no step dear, the set may well be the last: what it
            # misses, the certificate sees.
            last = on.size > 0 and not _dear(design, on.size + fresh.size // 2)
            accuracy = min(accuracy, FINE if last else design.rough(on.size))
        if not whole and (fresh.size or not working.any() or isinstance(design, SharedDesign)):
            assert look is not None
            working = _chosen(working, alive, look, fresh, lam, design)
        chosen = np.flatnonzero(working)
        scale, part = design.restricted(chosen, lam, ridge)
        W = np.zeros((T, chosen.size))
        W[:, np.searchsorted(chosen, on)] = V
        W *= scale
        look, solved = None, True
        each = isinstance(design, RaggedDesign) and design.H is not None
        for W, miss in solve_rows(part, W, accuracy):
            early = accuracy <= FINE and accuracy < miss <= WORTH
            if early and (each or _dear(design, int((W != 0).any(axis=0).sum()))):
                yield _few(W / scale, chosen, p), None
            else:
                yield None
        found = _few(W / scale, chosen, p)
        on, V = found.on, found.rows.T
        if accuracy <= FINE:
            yield found, None


def _dear(design: Design, active: int) -> bool:
    """Whether a step of Newton's method on so many rows costs more than a look at all features."""
    return float(active) ** 3 > design.pass_cost()


def _serves(look: Look, active: int, lam: float) -> bool:
    """Whether a look at an answer for another lam still says enough."""
    return SERVES * look[1] <= lam and active <= GROWN * look[2] + MORE


def _few(V: Array, on: Features, p: int) -> FewRows:
    """V (T, k) on some features, some of which are zero."""
    kept = np.flatnonzero((V != 0).any(axis=0))
    return FewRows(p, on[kept], V[:, kept].T)


def _begun(T: int, start: Start | None) -> tuple[Features, Array]:
    """(the features of W that are not zero, W on them as (T, k))."""
    if start is None:
        return np.zeros(0, dtype=np.intp), np.zeros((T, 0))
    W = FewRows.of(start[0])
    return W.on, np.ascontiguousarray(W.rows.T)


def _look(design: Design, V: Array, on: Features, ridge: float) -> Look:
    """(how strongly each feature asks to enter (p,), the lam at which those that are in do so, how many these are)."""
    g = design.correlations(V, on)
    if ridge and on.size:
        g[:, on] -= ridge * V
    strength = column_norms(g)
    return strength, float(np.median(strength[on]) if on.size else strength.max()), on.size


def _chosen(working: Mask, alive: Mask, look: Look, fresh: Features, lam: float, design: Design) -> Mask:
    """The next working set: what is alive, or near it, and the strongest of what should be.

    From an answer for another lam, the sequential strong rule (Tibshirani et al. 2012) says what could be.
    """
    strength, level, _ = look
    room = design.room(int(alive.sum()))
    keep: Mask = alive | (working & (strength > 0.9 * lam))
    if not working.any() and alive.any():
        fresh = np.flatnonzero((strength >= min(lam, 2 * lam - level)) & ~alive)
        room = max(FEWEST, min(int(alive.sum()), MOST), int(alive.sum()) // 4)
    if fresh.size > room:
        fresh = fresh[np.argpartition(strength[fresh], -room)[-room:]]
    keep[fresh] = True
    if not keep.any():
        keep[strength.argmax()] = True
    return keep
