"""Newton's method on a quadratic plus lam Σ_{i > free} σ_i(V), in factors of V: the ``free`` largest are not penalised.

V = U B' (T, p) with B (p, m), U (T, m) and D = diag(0 for the first ``free`` columns, lam for the rest). As
lam Σ_{i > free} σ_i(V) = min (tr B D B' + tr U D U') / 2 over such factors of at least V's rank,

    J(B, U) = Σ_t (u_t' B' H_t B u_t / 2 − r_t' B u_t) + (tr B D B' + tr U D U') / 2

has that sum's local minima. For given B each task is a system of m unknowns, A_t = B' H_t B + D; Newton's steps for B
are those of J with U eliminated (``reduced``), as far as it bends up. The rank grows while the slope has a singular
value above lam.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.quadratic import Quadratic
from mtlref.optim.reduced import Reduced, columns

Array = NDArray[np.float64]
STEPS, GROWTHS, HALVINGS, PASSES = 15, 30, 12, 8
# Of the largest slope, of J, of V: what counts as nothing, as no gain and as no change; of σ_1: as no singular value.
SETTLED, GAIN, STILL, ABSENT = 1e-13, 1e-15, 1e-9, 1e-10
# eps of the passes, relative to the largest curvature.
FIRST, LAST = 1e-8, 1e-13


def partial_trace(q: Quadratic, V: Array, free: int, lam: float) -> Array | None:
    """A local minimum of q(V) + lam Σ_{i > free} σ_i near V. None where a step is not defined.

    Where q has flat directions nothing holds what is free, so the way there is a proximal point method: each pass
    adds eps/2 ‖V − last V‖², eps falling.
    """
    top = float(q.diagonal.max())
    eps = FIRST
    for _ in range(PASSES):
        last = V
        found = _minimum(q.with_ridge(eps * top).pulled(eps * top * last), last, free, lam)
        if found is None:
            return None
        V = found
        if not float(np.linalg.norm(V - last)) > STILL * float(np.linalg.norm(V)):
            break
        eps = max(eps / 10, LAST)
    return V


def _minimum(q: Quadratic, V: Array, free: int, lam: float) -> Array | None:
    B, U = _split(V, free)
    for _ in range(GROWTHS):
        found = _settle(q, B, U, free, lam)
        if found is None:
            return None
        B, U = found
        grown = _grown(q, B, U, lam)
        if grown is None:
            break
        B, U = grown
    return np.asarray(U @ B.T)


def _split(V: Array, free: int) -> tuple[Array, Array]:
    """Factors of V: orthonormal in B for those that are free, balanced for those that are not."""
    left, sigma, right = np.linalg.svd(V, full_matrices=False)
    m = max(free, int((sigma > ABSENT * sigma[0]).sum()))
    root = np.sqrt(sigma[:m])
    root[:free] = 1.0
    U = left[:, :m] * sigma[:m] / root
    return right[:m].T * root, U


def _settle(q: Quadratic, B: Array, U: Array, free: int, lam: float) -> tuple[Array, Array] | None:
    """The factors after Newton's steps, until the slope is rounding or J falls no more."""
    if not B.size:
        return B, U
    B = _orthonormal(B, free)
    here = _tasks(q, B, free, lam)
    if here is None:
        return None
    value, U = here
    for _ in range(STEPS):
        slope = q.times(U @ B.T) - q.r
        gradient = slope.T @ U
        size = float(np.abs(q.r.T @ U).max())
        gradient[:, free:] += lam * B[:, free:]
        if not float(np.abs(gradient).max()) > SETTLED * size:
            break
        step = _direction(q, B, U, slope, gradient, free, lam)
        descent = float(np.vdot(gradient, step))
        length = 1.0
        for _ in range(HALVINGS):
            moved = _orthonormal(B + length * step, free)
            new = _tasks(q, moved, free, lam)
            if new is not None and new[0] <= value + 1e-4 * length * descent:
                break
            length /= 4
        else:
            break
        assert new is not None
        gain = value - new[0]
        B, (value, U) = moved, new
        if not gain > GAIN * abs(value):
            break
    return B, U


def _orthonormal(B: Array, free: int) -> Array:
    """The free columns made orthonormal, which changes none of their products with the best U."""
    if not free:
        return B
    return np.column_stack([np.linalg.qr(B[:, :free])[0], B[:, free:]])


def _inner(B: Array, HB: Array, free: int, lam: float) -> Array:
    """(T or 1, m, m): A_t; HB (T or 1, p, m)."""
    A = B.T @ HB
    penalised = np.arange(free, B.shape[1])
    A[:, penalised, penalised] += lam
    return np.asarray(A)


def _tasks(q: Quadratic, B: Array, free: int, lam: float) -> tuple[float, Array] | None:
    """(min over U of J, the U)."""
    right = q.r @ B
    A = _inner(B, columns(q, B), free, lam)
    try:
        U = right @ np.linalg.inv(A[0]) if len(A) == 1 else np.linalg.solve(A, right[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return None
    value = lam / 2 * float(np.vdot(B[:, free:], B[:, free:])) - float(np.vdot(right, U)) / 2
    return (value, np.asarray(U)) if np.isfinite(U).all() else None


def _direction(
    q: Quadratic, B: Array, U: Array, slope: Array, gradient: Array, free: int, lam: float
) -> Array:
    """Newton's step for B, in columns turned so that U'U is diagonal for those that are free and for the others."""
    m = B.shape[1]
    Q = np.zeros((m, m))
    for part in (slice(free), slice(free, m)):
        Q[part, part] = np.linalg.eigh(U[:, part].T @ U[:, part])[1]
    B, D = B @ Q, np.where(np.arange(m) < free, 0.0, lam)
    HB = columns(q, B)
    inverse = np.asarray(np.linalg.inv(_inner(B, HB, free, lam)))
    reduced = Reduced(q, B, HB, U @ Q, slope, inverse, D)
    return reduced.step(gradient @ Q, float(np.linalg.norm(q.r.T @ U))) @ Q.T


def _grown(q: Quadratic, B: Array, U: Array, lam: float) -> tuple[Array, Array] | None:
    """The factors with one more column, where the slope outside V has a singular value above lam."""
    V = U @ B.T
    slope = q.r - q.times(V)
    if B.shape[1] >= min(V.shape):
        return None
    # Within V's own spaces the singular values of the slope are lam or zero.
    Ql, Qr = np.linalg.qr(U)[0], np.linalg.qr(B)[0]
    outside = slope - Ql @ (Ql.T @ slope)
    outside -= (outside @ Qr) @ Qr.T
    left, sigma, right = np.linalg.svd(outside, full_matrices=False)
    if not sigma[0] > lam * (1 + 1e-9):
        return None
    u, b = left[:, 0], right[0]
    bend = float(
        np.square(u) @ np.broadcast_to(_inner(b[:, None], columns(q, b[:, None]), 1, lam).ravel(), (len(u),))
    )
    size = np.sqrt((sigma[0] - lam) / bend) if bend > 0 else 1.0
    return np.column_stack([B, size * b]), np.column_stack([U, size * u])
