"""Two projections that the balancers are made of: of zero onto the hull of gradients, and of a vector onto a dual cone.

hull      min over w >= 0, 1'w = 1 of ‖J'w‖
cone      min over x of ‖x − g‖ subject to J x >= 0;  x = g + J'v,  v = argmin over v >= 0 of ‖g + J'v‖

Both are nonnegative least squares in as many columns as tasks. The first through the augmented problem
min over u >= 0 of ‖J'u‖²/s² + (1'u − 1)², whose solution is a multiple of w.

Source: lawson1974, chapter 23.
"""

from __future__ import annotations

from functools import cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.jacobian import Rows
from mtlref.balance.nonnegative import nonnegative_least_squares

Array = NDArray[np.float64]
# The shortest vector in the hull of unit gradients below which it is rounding: zero lies in the hull.
ROUNDING = 64 * float(np.finfo(float).eps)


def hull_weights(rows: Rows, lengths: Array | None = None) -> Array:
    """w (m,) >= 0 with sum 1: the shortest vector in the hull of the rows, given lengths in place of their own.

    A zero row is itself the shortest vector; the first of them then has all the weight.
    """
    lengths = rows.norms if lengths is None else lengths
    m = len(lengths)
    w = np.zeros(m)
    zero = (rows.norms == 0) | (lengths == 0)
    if zero.any():
        w[int(np.argmax(zero))] = 1.0
        return w
    if m == 1:
        return np.ones(1)
    ratio = lengths / lengths.min()
    quick = _guessed(rows.gram, ratio)
    if quick is not None:
        return quick
    A = np.vstack([rows.triangle * ratio, np.ones(m)])
    b = np.zeros(len(A))
    b[-1] = 1.0
    u = nonnegative_least_squares(A, b)
    return np.asarray(u / u.sum())


def _guessed(gram: Array, ratio: Array) -> Array | None:
    """w where leaving out the tasks with weights below zero, once or twice, is optimal; None where it is not.

    gram (m, m): of the units. Only where it is so well conditioned that its squares cost no digit that counts.
    """
    wanted = 1.0 / ratio  # U U' c = wanted on the tasks with weight, >= elsewhere; w = c / ratio
    active = np.arange(len(ratio))
    for _ in range(3):
        part = gram if len(active) == len(ratio) else gram[np.ix_(active, active)]
        try:
            inverse = np.linalg.inv(part)
        except np.linalg.LinAlgError:
            return None
        if not np.abs(inverse).max() <= 20.0:
            return None
        goal = wanted[active]
        c = inverse @ goal
        c += inverse @ (goal - part @ c)
        if c.min() > 0:
            break
        active = active[c > 0]
        if len(active) == 0:
            return None
    else:
        return None
    w = np.zeros(len(ratio))
    w[active] = c
    slack = gram @ w - wanted
    slack[active] = 0.0
    if slack.min() < 0:
        return None
    w /= ratio
    return np.asarray(w / w.sum())


# Squares of the gradients' entries are safe from overflow and underflow where the lengths' squares lie between these.
SAFE = (1e-280, 1e280)


def quick_hull(J: Array) -> tuple[Array, Array] | None:
    """(w, d) of ``hull_point`` from J J' alone where that costs no digit; None where the slower way must be taken.

    J (m, d) float64. A task that is left out stays out; the answer is given only if it is optimal. NaN gives None.
    """
    m = len(J)
    if m > 64:
        return None
    with np.errstate(all="ignore"):
        G = J @ J.T
    squares = G.diagonal().tolist()
    least = min(squares)
    if not (SAFE[0] < least and sum(squares) < SAFE[1]):  # the sum sees a NaN, the least may not
        return None
    if m == 2:
        return _quick_pair(J, squares[0], squares[1], float(G[0, 1]))
    # In units: U U' c = wanted on the tasks with weight, >= elsewhere; w = c over the lengths, up to a factor.
    short = [1.0 / sqrt(s) for s in squares]
    to_unit = np.array(short)
    gram = G * to_unit
    gram *= to_unit[:, None]
    small = sqrt(least)
    wanted = [small * s for s in short]
    active = list(range(m))
    posv = _posv()
    for _ in range(4):
        part = gram if len(active) == m else gram[np.ix_(active, active)]
        factor, c, failed = posv(part, [wanted[i] for i in active])
        # The pivots of a well-conditioned Gram matrix of units are far from zero.
        if failed or min(factor.diagonal().tolist()) < 0.3:
            return None
        inside = c.tolist()
        if min(inside) > 0:
            break
        active = [i for i, v in zip(active, inside, strict=True) if v > 0]
        if not active:
            return None
    else:
        return None
    w = [0.0] * m
    total = 0.0
    for i, v in zip(active, inside, strict=True):
        w[i] = v * short[i]
        total += w[i]
    weights = np.array(w)
    weights /= total
    slopes = (G @ weights).tolist()
    level = slopes[active[0]]
    # ⟨g_i, d⟩ = ‖d‖² for the tasks with weight, >= for those left out
    if min(slopes) < level * (1 - 1e-13) or any(slopes[i] > level * (1 + 1e-13) for i in active):
        return None
    return weights, weights @ J


def _quick_pair(J: Array, a: float, b: float, ab: float) -> tuple[Array, Array] | None:
    """Two gradients of squared lengths a, b and inner product ab: in closed form."""
    if ab >= a or ab >= b:
        first = 1.0 if a <= b else 0.0
    else:
        apart = a + b - 2.0 * ab
        if ab < 0 and ab * ab > 0.9 * a * b:  # nearly opposite: J J' has lost digits
            return None
        first = (b - ab) / apart
        if not 1e-3 < first < 1 - 1e-3:
            return None
    w = np.array([first, 1.0 - first])
    return w, w @ J


@cache
def _posv() -> Any:
    """LAPACK's solver for positive definite systems, loaded when first needed."""
    from scipy.linalg.lapack import dposv

    return dposv


def hull_point(rows: Rows, lengths: Array | None = None) -> tuple[Array, Array]:
    """w (m,) of ``hull_weights`` and the vector d (d,) itself, to its own digits where gradients nearly cancel.

    d is the shortest x with ⟨h_i, x⟩ equal for the rows h_i with weight, over its squared length.
    """
    lengths = rows.norms if lengths is None else lengths
    w = hull_weights(rows, lengths)
    active = w > 0
    d = rows.combine(w * lengths)
    least = float(lengths[active].min())
    size = float(np.linalg.norm(d))
    if 0 < size < 1e-4 * least:
        wanted = least / lengths[active]
        x = np.linalg.lstsq(rows.units[active], wanted, rcond=None)[0]
        if np.abs(rows.units[active] @ x - wanted).max() <= 0.1 * wanted.min():
            d = np.asarray(x * (least / float(x @ x)))
    return w, d


def cone_multipliers(R: Array, b: Array) -> Array:
    """v (m,) >= 0 of the projection of b onto {x : R'x >= 0}: the projection is b + R v. R (k, m), b (k,)."""
    return nonnegative_least_squares(R, -b)


def is_stationary(rows: Rows) -> bool:
    """Whether zero lies in the hull of the gradients, to rounding: no direction improves every task."""
    w = hull_weights(rows, np.ones(len(rows.norms)))
    return bool(np.linalg.norm(w @ rows.units) <= ROUNDING * np.sqrt(len(w)))
