"""Where L goes next in W = L S: Newton's step with the codes eliminated, and the minimiser for the codes at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mtlref.linalg.products import product
from mtlref.optim.conjugate import conjugate_gradients
from mtlref.optim.eliminated import FLAT, bent_solve, curvature, solve
from mtlref.optim.factorpair import Factors
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.reduced import Reduced, columns

Array = NDArray[np.float64]

# Up to so many entries of L Hessians are formed; beyond, conjugate gradients multiply by them.
DENSE = 200
CG_LIMIT = 200
CG_ACCURACY = 1e-9


@dataclass(frozen=True, eq=False)
class Point:
    """Factors with the best S and b for L; value F up to a constant; model: makes q."""

    factors: Factors
    b: Array | None
    value: float
    model: Callable[[], tuple[Quadratic, Array | None]]

    @cached_property
    def _modelled(self) -> tuple[Quadratic, Array | None]:
        return self.model()

    @property
    def q(self) -> Quadratic:
        """The loss's second-order model in V = W'; made where a step begins, not wherever one is tried."""
        return self._modelled[0]

    @property
    def slopes(self) -> Array:
        """(T, p): by how much b falls with each entry of V."""
        found = self._modelled[1]
        assert found is not None
        return found

    @cached_property
    def gradient(self) -> Array:
        """(T, p): of the loss in V."""
        return self.q.times(self.factors.W.T) - self.q.r

    @property
    def iterate(self) -> tuple[Factors, Array | None]:
        """What the loop certifies."""
        return self.factors, self.b


def inner(q: Quadratic, L: Array) -> Array:
    """(T, k, k) or (1, k, k): L' H_t L."""
    if q.H is not None:
        return np.asarray(np.matmul(L.T, np.matmul(q.H, L)))
    assert q.A is not None
    return np.stack([(A @ L).T @ (A @ L) for A in q.A])


def best_components(here: Point, lam: float) -> Array:
    """(p, k): argmin over L of the quadratic model Σ_t q_t(L s_t) + lam ‖L‖²."""
    L, S = here.factors
    slope = here.gradient.T @ S.T + 2 * lam * L
    live = S.any(axis=1)
    target = np.zeros_like(L)
    if not live.any():
        return target
    if L.size <= DENSE:
        assert here.q.H is not None
        K = curvature(here.q.H, S[live])
        K[np.diag_indices_from(K)] += 2 * lam
        target[:, live] = L[:, live] - solve(K, slope[:, live])
        return target
    target[:, live] = L[:, live] - _iterated(here.q, S[live], lam, slope[:, live])
    return target


def _iterated(q: Quadratic, S: Array, lam: float, B: Array) -> Array:
    """X with Σ_t H_t X s_t s_t' + 2 lam X = B, preconditioned by the mean diagonal of H_t."""
    level = np.broadcast_to(q.diagonal, (q.T, q.p)).mean(axis=0)
    cure = np.linalg.inv(level[:, None, None] * (S @ S.T) + 2 * lam * np.eye(len(S)))
    return conjugate_gradients(
        lambda X: np.asarray(q.times((X @ S).T).T @ S.T + 2 * lam * X),
        lambda R: np.einsum("jab,jb->ja", cure, R),
        np.zeros_like(B),
        B,
        CG_ACCURACY * float(np.linalg.norm(B)),
        CG_LIMIT,
    )


def newton_step(here: Point, live: NDArray[np.bool_], slope: Array, lam: float) -> tuple[Array, Array]:
    """(Newton's step (p, a) for the components in use, how their codes (a, T) follow it to first order)."""
    if here.factors.L.size <= DENSE and here.q.H is not None:
        hessian, taken = _reduced_hessian(here, live, lam)
        step = -bent_solve(hessian, slope)
        return step, -(taken @ step.ravel()).T
    L, S = here.factors.L[:, live], here.factors.S[live]
    on, HL = (S != 0).T, columns(here.q, L)
    inverse = np.linalg.inv(_among(on, L.T @ HL)) * (on[:, :, None] & on[:, None, :])
    reduced = Reduced(here.q, L, HL, S.T, here.gradient, inverse, np.full(len(S), 2 * lam))
    step = reduced.step(slope, float(np.linalg.norm(here.q.r.T @ S.T)))
    return step, -reduced.falls(step).T


def _among(on: NDArray[np.bool_], M: Array) -> Array:
    """(T, k, k): M_t (T or 1, k, k) on the entries in use (T, k), held where it is flat; one for the others."""
    M = M * (on[:, :, None] & on[:, None, :])
    diagonal = np.arange(on.shape[1])
    largest = M[:, diagonal, diagonal].max(axis=1, initial=0.0)
    M[:, diagonal, diagonal] += np.where(on, FLAT * largest[:, None], 1.0)
    return np.asarray(M)


def _reduced_hessian(here: Point, live: NDArray[np.bool_], lam: float) -> tuple[Array, Array]:
    """F's Hessian in L less what the codes take up: K − Σ_t C_t (L_A' H_t L_A)⁻¹ C_t' over the active entries A of s_t.

    And (L_A' H_t L_A)⁻¹ C_t' (T, k, p k), which says how the codes follow.

    C_t (p k, k): the derivative of the slope g_t s_t' in s_t, column a: (H_t l_a) s_t' + g_t e_a'.
    """
    L, S = here.factors.L[:, live], here.factors.S[live]
    q, k, T = here.q, int(live.sum()), here.factors.S.shape[1]
    assert q.H is not None
    K = curvature(q.H, S)
    K[np.diag_indices_from(K)] += 2 * lam
    on = (S != 0).T
    HL = np.broadcast_to(np.matmul(q.H, L), (T, q.p, k))
    M = _among(on, np.matmul(L.T, HL))
    diagonal = np.arange(k)
    C = np.einsum("tia,bt->tiba", HL, S)
    C[:, :, diagonal, diagonal] += here.gradient[:, :, None]
    C = (C * on[:, None, None, :]).reshape(T, q.p * k, k)
    taken = np.asarray(np.linalg.solve(M, C.transpose(0, 2, 1)))
    rows = C.transpose(0, 2, 1).reshape(T * k, q.p * k)
    return K - product(rows.T, taken.reshape(rows.shape)), taken
