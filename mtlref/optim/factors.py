"""Newton's method on a quadratic plus lam/2 ‖W‖_*², in the factors of a W of known rank.

V = U B' (T, p) with B (p, k), U (T, k), and lam/2 ‖V‖_*² = min lam/2 ‖B‖² ‖U‖² over such factors, so that

    J(B, U) = Σ_t (u_t' B' H_t B u_t / 2 − r_t' B u_t) + lam/2 ‖B‖² ‖U‖²

has the optimum of the problem where k is at least the answer's rank. For given B each task is a system of k unknowns;
with U eliminated, Newton's steps for B are exact, (p k)² systems. They need no decomposition of W, and converge
quadratically where ADMM, which finds the rank, is linear.
"""

from __future__ import annotations

from itertools import count

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.eliminated import curvature, wide
from mtlref.optim.quadratic import Quadratic

Array = NDArray[np.float64]
STEPS = 8
SETTLED = 1e-11
LAST_GAIN = 1e-14
HALVINGS = 12
# Turning B and scaling it change nothing: along these the Hessian is zero, and is held by this share of its diagonal.
GAUGE = 1e-12


def newton_in_factors(q: Quadratic, H: Array, B: Array, lam: float) -> Array:
    """V = U B' after at most STEPS steps from B; H (T or 1, p, p) are the matrices of q, ridge included."""
    value, U = _tasks(q, H, B, lam)
    for _ in range(STEPS):
        residual = q.r - q.times(U @ B.T)
        gradient = lam * float(np.vdot(U, U)) * B - residual.T @ U
        size = float(np.linalg.norm(residual.T @ U))
        if not float(np.linalg.norm(gradient)) > SETTLED * size:
            break
        step = _direction(H, B, U, residual, gradient, lam)
        if step is None:
            break
        length = 1.0
        # A gain that small is lost in the rounding of J: the step is the last one, and its gradient is what it mends.
        last = not -float(np.vdot(gradient, step)) > LAST_GAIN * abs(value)
        for _ in range(HALVINGS):
            new, U_new = _tasks(q, H, B + length * step, lam)
            if new < value or last:
                break
            length /= 2
        else:
            break
        B, U, value = B + length * step, U_new, new
        if last:
            break
    return np.asarray(U @ B.T)


def _tasks(q: Quadratic, H: Array, B: Array, lam: float) -> tuple[float, Array]:
    """(min over U of J, the U)."""
    right = q.r @ B
    A = B.T @ wide(H, B)
    A[:, np.arange(B.shape[1]), np.arange(B.shape[1])] += lam * float(np.vdot(B, B))
    U = right @ np.linalg.inv(A[0]) if len(A) == 1 else np.linalg.solve(A, right[:, :, None])[:, :, 0]
    return -float(np.vdot(right, U)) / 2, np.asarray(U)


def _direction(H: Array, B: Array, U: Array, residual: Array, gradient: Array, lam: float) -> Array | None:
    """−S⁻¹ gradient, S (p k, p k) the Hessian in B with U eliminated; None where no shift makes it definite."""
    p, k = B.shape
    T = len(U)
    HB = wide(H, B)
    A = B.T @ HB
    A[:, np.arange(k), np.arange(k)] += lam * float(np.vdot(B, B))
    # C_t δB = −δB' residual_t + B' H_t δB u_t + 2 lam <B, δB> u_t: how the gradient in u_t changes.
    C = np.einsum("tjc,ta->tcja", np.broadcast_to(HB, (T, p, k)), U)
    C += 2 * lam * U[:, :, None, None] * B
    c = np.arange(k)
    C[:, c, :, c] -= residual
    flat = C.reshape(T, k, p * k)
    solved = np.linalg.inv(A) @ flat
    S = curvature(H, U.T)
    S -= flat.reshape(T * k, p * k).T @ solved.reshape(T * k, p * k)
    S[np.diag_indices_from(S)] += lam * float(np.vdot(U, U))
    S = (S + S.T) / 2
    top = float(np.abs(np.diag(S)).max())
    for power in count():
        shift = GAUGE * 100.0**power * top
        if shift > top:
            return None
        held = S + shift * np.eye(p * k)
        try:
            np.linalg.cholesky(held)
        except np.linalg.LinAlgError:
            continue
        # NumPy has no solve by that factor; SciPy's would bring its own threads into a loop that is NumPy's.
        return np.asarray(-np.linalg.solve(held, gradient.ravel()).reshape(p, k))
    return None
