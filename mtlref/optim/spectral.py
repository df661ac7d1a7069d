"""Quadratic or logistic loss plus a function of the singular values: ADMM and how it ends, prox-Newton around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.admm import admm
from mtlref.optim.diagonal import Diagonal
from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.smooth import in_row_space
from mtlref.optim.tracenewton import newton_trace

Array = NDArray[np.float64]
Start = tuple[Array, Array]
CHECK_EVERY = 50
# Residuals above this promise nothing that a certificate could show; where the first one did not, those are to come to
# so many times the gap that is asked for, and from then on to fall to a share from one to the next.
PROMISING, ENOUGH, FALLEN = 1e-4, 4.0, 0.1
# Times the mean curvature: the first iterations move far, and a rho that is too small costs more of them.
FROM_NOTHING = 2.0
INNER_LIMIT = 1000
# Iterations of ADMM before Newton's method is tried, and by how much their number grows each time.
FIRST_BURST, BURSTS_GROW = 3, 8
# Newton's steps are cheap for a rank of so much of all; for others they are where so little of the residual is left.
FEW, FINE = 0.25, 2e-3
SETTLED = 1e-13


class SpectralPenalty(Protocol):
    """A function of the singular values alone, whatever their order; convex, where ADMM is to find a minimum."""

    def value(self, sigma: Array) -> float:
        """The penalty; sigma (min(p, T),)."""

    def prox(self, sigma: Array, step: float) -> Array:
        """argmin_s step · value(s) + ‖s − sigma‖²/2, largest first as ``sigma`` is."""

    def first_rho(self, q: Quadratic | Diagonal, V: Array) -> float:
        """ADMM's penalty parameter near an answer V."""

    def ending(self, q: Diagonal, V: Array, rank: int) -> Iterator[Array] | None:
        """Points from V on that converge faster than ADMM does, once the rank is known; None: there are none."""


@dataclass(frozen=True)
class TraceNormTerm:
    """lam Σ_i σ_i."""

    lam: float

    def value(self, sigma: Array) -> float:
        """lam Σ_i σ_i."""
        return self.lam * float(sigma.sum())

    def prox(self, sigma: Array, step: float) -> Array:
        """Soft thresholding."""
        return np.maximum(sigma - step * self.lam, 0.0)

    def first_rho(self, q: Quadratic | Diagonal, V: Array) -> float:
        """Where the threshold lam / rho is about the mean singular value.

        The constant is what residual balancing settled at along paths on real data, within a factor of 1.5.
        """
        if not V.any():
            return FROM_NOTHING * natural_rho(q)
        sigma = np.linalg.svd(V, compute_uv=False)
        return 1.6 * self.lam / float(sigma[sigma > 1e-9 * sigma[0]].mean())

    def ending(self, q: Diagonal, V: Array, rank: int) -> Iterator[Array] | None:
        """Newton's method in factors of V."""
        return newton_trace(q, V, rank, self.lam) if rank else None


@dataclass(frozen=True)
class PartialTraceTerm(TraceNormTerm):
    """lam Σ_{i > free} σ_i: not convex; ADMM finds a stationary point at best."""

    free: int = 0

    def value(self, sigma: Array) -> float:
        """lam times the sum of all but the ``free`` largest."""
        return self.lam * float(sigma[self.free :].sum())

    def prox(self, sigma: Array, step: float) -> Array:
        """Soft thresholding of all but the ``free`` largest."""
        return np.concatenate([sigma[: self.free], super().prox(sigma[self.free :], step)])

    def first_rho(self, q: Quadratic | Diagonal, V: Array) -> float:
        """Well above the mean curvature: what is not convex settles where the quadratic term outweighs it."""
        return 3.0 * natural_rho(q)

    def ending(self, q: Diagonal, V: Array, rank: int) -> None:
        """None: Newton's method for these is ``spectral_leap``."""


def spectral_fit(
    problem: Problem, start: Start | None, penalty: SpectralPenalty, ridge: float, pull: Array | None = None
) -> Iterator[Iterate]:
    """Iterates for L(W, b) + penalty(σ(W)) + ridge/2 ‖W‖² − <pull, V>; pull (T, p), none is zero."""

    if problem.loss == "squared":
        q = problem.quadratic.with_ridge(ridge).pulled(pull)
        V0 = np.zeros((problem.T, problem.p)) if start is None else start[0].T
        yield from _quadratic(q, penalty, V0, problem.tol)
        return

    def value(V: Array) -> float:
        total = with_ridge(V, penalty, ridge)
        return total if pull is None else total - float(np.vdot(pull, V))

    def inner(q: Quadratic, V: Array) -> Array:
        return by_admm(q.with_ridge(ridge).pulled(pull), V, penalty)

    yield from prox_newton(problem, value, inner, start)


def with_ridge(V: Array, penalty: SpectralPenalty, ridge: float) -> float:
    """penalty(σ(V)) + ridge/2 ‖V‖²."""
    return penalty.value(np.asarray(np.linalg.svd(V, compute_uv=False))) + ridge / 2 * float(np.vdot(V, V))


def by_admm(q: Quadratic, V: Array, penalty: SpectralPenalty) -> Array:
    """argmin q + penalty to rounding, or as far as INNER_LIMIT steps from V go."""

    for k, (V, _, change) in enumerate(admm(q, _Shrink(penalty), V, penalty.first_rho(q, V))):
        if change <= SETTLED or k >= INNER_LIMIT:
            break
    return V


def spectral_in_row_space(
    problem: Problem, start: Start | None, penalty: SpectralPenalty, ridge: float
) -> Iterator[Iterate]:
    """``spectral_fit`` in the span of the rows where that is smaller than p; a shared design's eigenvectors span it."""
    if problem.loss == "squared" and problem.wide and not problem.sparse and problem.quadratic.shared:
        return spectral_fit(problem, start, penalty, ridge)
    return in_row_space(problem, start, lambda part, begin: spectral_fit(part, begin, penalty, ridge))


def _quadratic(q: Quadratic, penalty: SpectralPenalty, V: Array, tol: float) -> Iterator[Iterate]:
    """ADMM; for a shared design in its eigenvectors, where an iteration multiplies by no matrix of the features.

    There it finds the rank, and the penalty's own ``ending`` the rest, after bursts that grow: it goes on alone where
    it is left with a rank that is too low.
    """
    inside: Quadratic | Diagonal = q
    basis: Any = None
    if q.rotated is not None:
        inside, basis = q.rotated
    if basis is not None:
        V = V @ basis if V.any() else np.zeros_like(inside.r)
    rho = penalty.first_rho(inside, V)

    def back(V: Array) -> Iterate:
        return (V if basis is None else V @ basis.T).T, None

    wanted, total, burst = max(PROMISING, ENOUGH * tol), 0, FIRST_BURST
    while True:
        shrink, last = _Shrink(penalty), -1
        end: Iterator[Array] | None = None
        for k, (Z, rho, residual) in enumerate(admm(inside, shrink, V, rho), 1):
            total += 1
            near = shrink.rank <= FEW * min(Z.shape) or residual <= FINE
            if isinstance(inside, Diagonal) and k >= burst and shrink.rank == last and near:
                end = penalty.ending(inside, Z, shrink.rank)
                if end is not None:
                    break
            last = shrink.rank
            if residual <= wanted or total % CHECK_EVERY == 0:
                wanted = min(FALLEN * residual, ENOUGH * tol)
                yield back(Z)
            else:
                yield None
        for V in end or ():
            yield back(V)
        burst *= BURSTS_GROW


class _Shrink:
    """The prox of a penalty on singular values, and the rank that it left."""

    def __init__(self, penalty: SpectralPenalty) -> None:
        self.penalty, self.rank = penalty, 0

    def __call__(self, V: Array, step: float) -> Array:
        def apply(sigma: Array) -> Array:
            new = self.penalty.prox(sigma, step)
            self.rank = int(np.count_nonzero(new))
            return new

        return prox_singular(V, apply)


def natural_rho(q: Quadratic | Diagonal) -> float:
    """A first penalty parameter for ADMM, which adapts from there: the mean curvature where there is any."""
    return q.curvatures[1] or 1.0


def prox_singular(V: Array, prox: Callable[[Array], Array]) -> Array:
    """V with its singular values sigma replaced by prox(sigma).

    Through the smaller Gram matrix: what the prox does to the smallest value, as a factor, is done to all of V, and the
    rest to the others. The rounding there (√eps σ_1) touches only values that share that factor, as those that a
    threshold takes to zero; by SVD where others are as small as that.
    """
    flip = V.shape[0] > V.shape[1]
    A = V.T if flip else V
    e, Q = np.linalg.eigh(A @ A.T)
    s = np.sqrt(np.maximum(e[::-1], 0.0))
    new = prox(s)
    live = np.count_nonzero(s)  # the first
    if not live:
        return np.zeros_like(V)
    factor = new[:live] / s[:live]
    base = factor[-1]
    own = np.flatnonzero(factor != base)
    if own.size and s[own[-1]] < 1e-4 * s[0]:
        U, s, Vt = np.linalg.svd(V, full_matrices=False)
        return np.asarray((U * prox(s)) @ Vt)
    Q = Q[:, -1 - own]
    out = (Q * (factor[own] - base)) @ (Q.T @ A)
    if base:
        out += base * A
    return np.asarray(out.T if flip else out)
