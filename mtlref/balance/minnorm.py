"""Two projections that the balancers are made of: of zero onto the hull of gradients, and of a vector onto a dual cone.

hull      min over w >= 0, 1'w = 1 of ‖J'w‖
cone      min over x of ‖x − g‖ subject to J x >= 0;  x = g + J'v,  v = argmin over v >= 0 of ‖g + J'v‖

Both are nonnegative least squares in as many columns as tasks. The first through the augmented problem
min over u >= 0 of ‖J'u‖²/s² + (1'u − 1)², whose solution is a multiple of w.

Source: lawson1974, chapter 23.
"""

from __future__ import annotations

from functools import cache
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

    J (m, d) float64. NaN gives None.
    """
    if len(J) > 64:
        return None
    w = quick_weights(inner_products(J))
    return None if w is None else (w, w @ J)


def quick_weights(G: Array) -> Array | None:
    """w (m,) of ``hull_weights`` from G = J J' (m, m), or None as in ``quick_hull``.

    A task that is left out stays out; the answer is given only if it is optimal.
    """
    m = len(G)
    squares = G.diagonal().tolist()
    if not (SAFE[0] < min(squares) and sum(squares) < SAFE[1]):  # the sum sees a NaN, the least may not
        return None
    if m == 2:
        return _quick_pair(squares[0], squares[1], float(G[0, 1]))
    active, part = list(range(m)), G
    posv = _lapack().dposv
    for _ in range(4):
        # G c = 1 on the tasks with weight: w = c up to a factor.
        factor, c, failed = posv(part, [1.0] * len(active))
        # The pivots of a well-conditioned Gram matrix are not far below the squared lengths.
        if failed or any(
            r * r < 0.09 * squares[i] for i, r in zip(active, factor.diagonal().tolist(), strict=True)
        ):
            return None
        inside = c.tolist()
        if min(inside) > 0:
            break
        active = [i for i, v in zip(active, inside, strict=True) if v > 0]
        if not active:
            return None
        part = G[np.ix_(active, active)]
    else:
        return None
    total = sum(inside)
    if len(active) == m:
        weights = c / total
    else:
        weights = np.zeros(m)
        weights[active] = c / total
    slopes = (G @ weights).tolist()
    level = slopes[active[0]]
    # ⟨g_i, d⟩ = ‖d‖² for the tasks with weight, >= for those left out
    if min(slopes) < level * (1 - 1e-13) or any(slopes[i] > level * (1 + 1e-13) for i in active):
        return None
    return np.asarray(weights)


# Multiplications up to which BLAS has a quick way for small products; and entries of J beyond which pieces are taken.
SMALL, WHOLE = 900_000, 1 << 17


def inner_products(J: Array) -> Array:
    """J J' (m, m), in the ways that are the quickest for few long rows; overflow and NaN go in silence."""
    m, d = J.shape
    if m * d <= WHOLE or m == 1:
        # For so few rows the general product is several times quicker than the symmetric one that ``@`` takes.
        return np.asarray(_blas().dgemm(1.0, J.T, J.T, trans_a=1))
    columns = max(512, SMALL // (m * (m - 1)))
    G = np.zeros((m, m))
    with np.errstate(all="ignore"):
        for a in range(0, d, columns):
            piece = J[:, a : a + columns]
            G[:, :-1] += piece @ piece[:-1].T
            G[-1, -1] += piece[-1] @ piece[-1]
    G[:-1, -1] = G[-1, :-1]
    return G


def _quick_pair(a: float, b: float, ab: float) -> Array | None:
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
    return np.array([first, 1.0 - first])


@cache
def _lapack() -> Any:
    """LAPACK, loaded when first needed."""
    from scipy.linalg import lapack

    return lapack


@cache
def _blas() -> Any:
    """BLAS, loaded when first needed."""
    from scipy.linalg import blas

    return blas


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
