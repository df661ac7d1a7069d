"""Newton's method on a diagonal quadratic plus lam ‖V‖_*, in factors of V, by conjugate gradients.

V = U B' (T, p) with B (p, m), U (T, m), h (p,) the diagonal of H. As lam ‖V‖_* = min lam/2 (‖B‖² + ‖U‖²) over such
factors of at least V's rank,

    J(B, U) = <V, V h>/2 − <r, V> + lam/2 (‖B‖² + ‖U‖²)

has the problem's minimum where m is at least the answer's rank; a smaller m leaves the slope a singular value above
lam, which a certificate shows. For given B all tasks are one system of m unknowns, A = B'hB + lam I. With U eliminated
the Hessian in B is, with the slope S = V h − r,

    K δB = h δB U'U + lam δB − C*(A⁻¹ C δB),    C δB = S δB + U (δB' h B).                            (K)

Where U'U is diagonal its first two terms are, and are what precedes the third in conjugate gradients. A product costs
O(T p m), no decomposition of anything of the size of V is made, and convergence is quadratic where ADMM, which finds
the rank, is linear. Columns that the answer does not need shrink to zero as fast.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.diagonal import Diagonal

Array = NDArray[np.float64]
STEPS, HALVINGS, CG_LIMIT = 12, 8, 60
# Of the largest slope: a gradient that is worth a certificate, and none. The first is to fall to so much of the last.
SHOWN, SETTLED, HELPED = 1e-7, 1e-12, 0.3
# Of the gradient: what conjugate gradients leave of it, at the most and at the least. Of J: as no gain.
FORCING, FINEST, GAIN = 0.1, 1e-3, 1e-15


def newton_trace(q: Diagonal, V: Array, rank: int, lam: float) -> Iterator[Array]:
    """V after Newton's steps in as many factors, where its gradient promises something; J never rises."""
    h = (q.e + q.ridge)[:, None]
    value, B, U = _tasks(q.r, h, _factor(V, rank), lam)
    size = float(np.linalg.norm(q.r.T @ U))
    shown, last = False, np.inf
    for _ in range(STEPS):
        W = U @ B.T
        S = W * h.T - q.r
        gradient = S.T @ U + lam * B
        miss = float(np.linalg.norm(gradient)) / size
        if shown and not miss <= HELPED * last:
            break
        shown, last = miss <= SHOWN, miss
        if shown:
            yield W
        if not miss > SETTLED:
            break
        step = _direction(h, B, U, S, gradient, lam, max(FINEST, min(FORCING, miss)))
        length = 1.0
        for _ in range(HALVINGS):
            new = _tasks(q.r, h, B - length * step, lam)
            if new[0] <= value + GAIN * abs(value):
                break
            length /= 2
        else:
            break
        value, B, U = new
    if not shown:
        yield np.asarray(U @ B.T)


def _factor(V: Array, rank: int) -> Array:
    """B (p, rank) of balanced factors V = U B', through the smaller Gram matrix: it is a point to begin at."""
    tall = V.shape[0] > V.shape[1]
    e, Q = np.linalg.eigh(V.T @ V if tall else V @ V.T)
    root = np.sqrt(np.sqrt(e[-rank:]))
    return np.asarray(Q[:, -rank:] * root if tall else (V.T @ Q[:, -rank:]) / root)


def _tasks(r: Array, h: Array, B: Array, lam: float) -> tuple[float, Array, Array]:
    """(min over U of J, B and U turned so that U'U is diagonal)."""
    right = r @ B
    A = B.T @ (h * B)
    A[np.diag_indices_from(A)] += lam
    U = right @ np.linalg.inv(A)
    value = lam / 2 * float(np.vdot(B, B)) - float(np.vdot(right, U)) / 2
    Q = np.linalg.eigh(U.T @ U)[1]
    return value, B @ Q, U @ Q


def _direction(h: Array, B: Array, U: Array, S: Array, gradient: Array, lam: float, share: float) -> Array:
    """K⁻¹ gradient, to ``share`` of the gradient; as far as K bends up."""
    hB = h * B
    A = B.T @ hB
    A[np.diag_indices_from(A)] += lam
    inverse = np.linalg.inv(A)
    s = np.einsum("ta,ta->a", U, U)
    plain = h * s + lam

    def times(D: Array) -> Array:
        Z = (S @ D + U @ (D.T @ hB)) @ inverse
        return np.asarray(plain * D - S.T @ Z - hB @ (Z.T @ U))

    x = np.zeros_like(B)
    left, y = gradient, gradient / plain
    d, square = y, float(np.vdot(gradient, y))
    goal = share**2 * square
    for _ in range(CG_LIMIT):
        Kd = times(d)
        bend = float(np.vdot(d, Kd))
        if not bend > 0.0:
            return x if x.any() else d
        length = square / bend
        x = x + length * d
        left = left - length * Kd
        y = left / plain
        following = float(np.vdot(left, y))
        if following <= goal:
            break
        d = y + following / square * d
        square = following
    return x
