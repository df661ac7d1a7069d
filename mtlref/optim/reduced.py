"""The Hessian of a quadratic in one factor of V = U B', the other eliminated: multiplied by, never formed.

B (p, m), U (T, m), S = [H_t v_t − r_t] (T, p) the slope, and A_t (m, m) the second derivative in u_t of what is
minimised over it. With Z (T, m) by what U falls as B moves,

    K δB = Σ_t H_t δv_t u_t' − S' Z + δB D,    δV = U δB' − Z B',    z_t = A_t⁻¹ (δB' s_t + B' H_t δB u_t),         (K)

D the diagonal of the penalty on B. A product costs one with each H_t, and no array larger than the H_t is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.conjugate import conjugate_gradients
from mtlref.optim.eliminated import wide
from mtlref.optim.quadratic import Quadratic

Array = NDArray[np.float64]
# Of the gradient: what conjugate gradients leave of it, at the most and at the least, and their steps. Of the largest
# entry of what precedes them: the smallest.
FORCING, FINEST, CG_LIMIT, FAINT = 0.1, 1e-4, 200, 1e-9


def columns(q: Quadratic, B: Array) -> Array:
    """(T or 1, p, m): H_t B."""
    if q.H is not None:
        out = wide(q.H, B, np.matmul)
    else:
        out = np.stack([A.T @ (A @ B) for A in q.A or ()])
    return np.asarray(out + q.ridge * B)


@dataclass(frozen=True, eq=False)
class Reduced:
    """(K) at a point; HB : ``columns(q, B)``; inverse (T or 1, m, m): A_t⁻¹, zero where u_t may not move."""

    q: Quadratic
    B: Array
    HB: Array
    U: Array
    slope: Array
    inverse: Array
    D: Array

    def falls(self, X: Array) -> Array:
        """(T, m): Z for δB = X (p, m)."""
        return _each(self.slope @ X + _each(self.U @ X.T, self.HB), self.inverse)

    def times(self, X: Array) -> Array:
        """(p, m): K X."""
        Z = self.falls(X)
        moved: Array = self.U @ X.T - Z @ self.B.T
        return np.asarray(self.q.times(moved).T @ self.U - self.slope.T @ Z + X * self.D)  # (K)

    def step(self, gradient: Array, scale: float) -> Array:
        """−K⁻¹ gradient as far as K bends up, the more exactly the smaller the gradient is beside ``scale``.

        Preceded by the diagonal of what (K) is without Z, near which it is where U'U is diagonal.
        """
        size = np.broadcast_to(self.q.diagonal, (len(self.U), len(self.B))).T @ np.square(self.U) + self.D
        size = np.maximum(size, FAINT * size.max())
        length = float(np.linalg.norm(gradient))
        goal = length * max(FINEST, min(FORCING, float(np.sqrt(length / scale))))
        found = conjugate_gradients(
            self.times, lambda X: X / size, np.zeros_like(self.B), gradient, goal, CG_LIMIT
        )
        return -(found if found.any() else gradient / size)


def _each(Y: Array, M: Array) -> Array:
    """(T, k): y_t' M_t; Y (T, m), M (T or 1, m, k)."""
    return np.asarray(Y @ M[0] if len(M) == 1 else np.matmul(Y[:, None, :], M)[:, 0])
