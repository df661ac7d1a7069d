"""Quadratic or logistic loss plus lam/2 (Σ_i σ_i(W))² + ridge/2 ‖W‖², or plus lam/2 (Σ_j ‖W[j,:]‖)²."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.admm import admm
from mtlref.optim.factors import newton_in_factors
from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.rowminima import column_norms
from mtlref.optim.run import Iterate
from mtlref.optim.spectral import CHECK_EVERY, INNER_LIMIT, SETTLED, natural_rho, prox_singular

Array = NDArray[np.float64]
Start = tuple[Array, Array]
# Directions that a first guess counts on; the answer's own number follows from it within a few iterations.
GUESSED_RANK = 4
# Iterations of ADMM before Newton's method, from nothing and from the answer for another lam.
FIRST_BURST, WARM_BURST, BURSTS_GROW = 10, 5, 1.5
# Newton's method in factors takes this many unknowns and this many multiplications a step, and no more.
MOST_UNKNOWNS, MOST_WORK = 450, 2e9
# Singular values below this share of the largest are none.
SMALL = 1e-9
SETTLED_INSIDE = 1e-12


def prox_squared_sum(sizes: Array, weight: float) -> Array:
    """argmin_s weight/2 (Σ_i s_i)² + ‖s − sizes‖²/2 over s >= 0; sizes >= 0, largest first.

    The k largest are cut by weight times their new sum, which is Σ_{i<=k} sizes_i / (1 + k weight); k is where that cut
    is largest.
    """
    k = np.arange(1, len(sizes) + 1)
    sums = np.cumsum(sizes) / (1.0 + k * weight)
    best = int(np.argmax(sums * weight))
    kept = sizes[: best + 1]
    out = np.zeros_like(sizes)
    # Written about their mean, so that a large weight takes no digits.
    out[: best + 1] = np.maximum(sums[best] / (best + 1) + (kept - kept.mean()), 0.0)
    return out


@dataclass(frozen=True)
class SquaredTraceNormTerm:
    """lam/2 (Σ_i σ_i)²."""

    lam: float

    def value(self, sigma: Array) -> float:
        """lam/2 (Σ_i σ_i)²."""
        return self.lam / 2 * float(sigma.sum()) ** 2

    def prox(self, sigma: Array, step: float) -> Array:
        """Soft thresholding at step · lam times the sum of what it leaves."""
        return prox_squared_sum(sigma, step * self.lam)

    def first_rho(self, q: Quadratic, V: Array) -> float:
        """As for the trace norm with the weight lam ‖V‖_*: its threshold is about the mean singular value."""
        sigma = np.asarray(np.linalg.svd(V, compute_uv=False))
        return _rho(self.lam, sigma) if sigma[0] > 0 else natural_rho(q)


def _rho(lam: float, sizes: Array) -> float:
    """1.6 lam Σ σ / (mean of σ over its own weight): 1.6 lam for one direction, 1.6 lam k for k equal ones."""
    unit = sizes / sizes.max()
    return 1.6 * lam * float(unit.sum()) ** 2 / float(unit @ unit)


def squared_trace_norm_fit(
    problem: Problem, start: Start | None, lam: float, ridge: float
) -> Iterator[Iterate]:
    """Iterates for L(W, b) + lam/2 ‖W‖_*² + ridge/2 ‖W‖²."""
    if problem.loss == "squared":
        q = problem.quadratic.with_ridge(ridge)
        cold = start is None or not start[0].any()
        V0 = _guess(q, lam).T if cold else start[0].T  # type: ignore[index]
        for V, _, ready in points(q, V0, lam, FIRST_BURST if cold else WARM_BURST):
            yield (V.T, None) if ready else None

    def inner(q: Quadratic, V: Array) -> Array:
        V = V if V.any() else _guess(q.with_ridge(ridge), lam).T
        for k, (V, change, _) in enumerate(points(q.with_ridge(ridge), V, lam, WARM_BURST)):
            if change <= SETTLED_INSIDE or k >= INNER_LIMIT:
                break
        return V

    def value(V: Array) -> float:
        sigma = np.linalg.svd(V, compute_uv=False)
        return lam / 2 * float(sigma.sum()) ** 2 + ridge / 2 * float(sigma @ sigma)

    yield from prox_newton(problem, value, inner, start)


def points(q: Quadratic, V: Array, lam: float, burst: int) -> Iterator[tuple[Array, float, bool]]:
    """(V, residual, whether it is worth a certificate): ADMM finds the rank, Newton's method in factors the rest.

    Where the factors are too many ADMM goes on alone. Bursts of it grow, so that it is sped up where Newton's method
    starts from a rank that is too low.
    """
    term = SquaredTraceNormTerm(lam)
    rho = term.first_rho(q, V)
    H: Array | None = None
    alone = False
    while True:
        residual = np.inf
        run = admm(q, lambda Z, step: prox_singular(Z, lambda s: term.prox(s, step)), V, rho)
        # One more than the burst, so that the last change of rho is known.
        for k, (V, rho, residual) in enumerate(run, 1):
            if k > burst and not alone:
                break
            yield V, residual, alone and k % CHECK_EVERY == 0
        U, sigma, Bt = np.linalg.svd(V, full_matrices=False)
        rank = int((sigma > SMALL * sigma[0]).sum())
        alone = q.p * rank > MOST_UNKNOWNS or len(U) * rank * (q.p * rank) ** 2 > MOST_WORK
        if rank and not alone:
            if H is None:
                H = _dense(q)
            V = newton_in_factors(q, H, Bt[:rank].T * np.sqrt(sigma[:rank]), lam)
        yield V, residual, True
        burst = int(burst * BURSTS_GROW) if burst >= FIRST_BURST else FIRST_BURST


def _dense(q: Quadratic) -> Array:
    H = q.H if q.H is not None else q.restrict(np.arange(q.p)).H
    assert H is not None
    return np.asarray(H + q.ridge * np.eye(q.p)) if q.ridge else H


def _guess(q: Quadratic, lam: float) -> Array:
    """(p, T): each task's ridge answer, as if the tasks' features were a few equally good ones."""
    return np.ascontiguousarray(q.solve_shifted(q.r, GUESSED_RANK * lam).T)


def squared_row_norm_fit(problem: Problem, start: Start | None, lam: float) -> Iterator[Iterate]:
    """Iterates for L(W, b) + lam/2 (Σ_j ‖W[j,:]‖)²: ADMM, prox-Newton around it for the logistic loss."""

    def prox(V: Array, step: float) -> Array:
        norms = column_norms(V)
        order = np.argsort(-norms, kind="stable")
        new = np.empty_like(norms)
        new[order] = prox_squared_sum(norms[order], step * lam)
        return np.asarray(V * np.divide(new, norms, out=np.zeros_like(new), where=norms > 0))

    def first_rho(q: Quadratic, V: Array) -> float:
        norms = np.linalg.norm(V, axis=0)
        return _rho(lam, norms) if norms.any() else natural_rho(q)

    if problem.loss == "squared":
        q = problem.quadratic
        V0 = _guess(q, lam).T if start is None else start[0].T
        for k, (V, _, _) in enumerate(admm(q, prox, V0, first_rho(q, V0)), 1):
            yield (V.T, None) if k % CHECK_EVERY == 0 else None

    def inner(q: Quadratic, V: Array) -> Array:
        for k, (V, _, change) in enumerate(admm(q, prox, V, first_rho(q, V))):
            if change <= SETTLED or k >= INNER_LIMIT:
                break
        return V

    def value(V: Array) -> float:
        return lam / 2 * float(np.linalg.norm(V, axis=0).sum()) ** 2

    yield from prox_newton(problem, value, inner, start)
