"""Quadratic plus row norms over one design: accelerated gradients until Newton's method takes over.

    min over V (T, k):   tr(V H V')/2 − <r, V> + Σ_j threshold_j ‖V[:, j]‖,   H with about a unit diagonal

Far from the answer: FISTA with restarts (Beck & Teboulle 2009; O'Donoghue & Candès 2015) and a checked step size.
Near it: the semismooth Newton method on V = prox(V + g), g = r − V H. Between, where features are so correlated that
the first creeps and the second fails: the proximal point method, each of its steps by Newton's method with a line
search on its dual, which is smooth (Li, Sun & Toh 2018, A highly efficient semismooth Newton augmented Lagrangian
method for solving lasso problems). All Newton steps are the one system (N) of ``rownewton``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.linalg.products import gram, inner, product
from mtlref.optim.rowminima import column_norms
from mtlref.optim.rownewton import row_step, times_symmetric, wide_row_step

Array = NDArray[np.float64]
# Iterations of FISTA between two looks at how far it is, and the share that a look must have gained.
BURST, GAINED = 10, 0.5
SLOW, SLOW_WIDE = 3, 12
# Newton's method is tried where the conditions hold to NEAR, share of the threshold, or FAR behind proximal steps; it
# is tried again where they hold to AGAIN of what it failed at.  FISTA goes on to CLOSE.
NEAR, FAR, AGAIN, CLOSE = 0.2, 0.5, 0.3, 3e-3
# Where rows outnumber those of A, Newton's steps cost as much as hundreds of FISTA, and are for the end alone.
NEAR_WIDE = 3e-4
# Newton's systems are solved to this share of the miss where that takes iterations: convergence stays superlinear.
FORCING, FORCING_PROXIMAL = 0.1, 1e-6
NEWTON_LIMIT, HELPED = 12, 0.5
INNER_LIMIT, INNER_SHARE = 25, 0.1
STALE = 8
FIRST_SIGMA, MOST_SIGMA = 10.0, 1e8
DAMPINGS = (0.0, 1e-10)
EPS, TINY = float(np.finfo(float).eps), float(np.finfo(float).tiny)


@dataclass(frozen=True, eq=False)
class RowProblem:
    """r (T, k), threshold (k,), and H (k, k), or A (n, k) with H = A'A + diag(ridge)."""

    r: Array
    threshold: Array
    H: Array | None = None
    A: Array | None = None
    ridge: Array | float = 0.0

    @property
    def wide(self) -> bool:
        """Whether Newton's steps cost as much as hundreds of FISTA."""
        return self.H is None

    def near(self, creeping: bool) -> float:
        """The miss below which Newton's method is tried; creeping : FISTA gains little."""
        return NEAR_WIDE if self.wide else NEAR

    def value(self, V: Array, HV: Array) -> float:
        """The objective."""
        norms = column_norms(V)
        return inner(V, HV) / 2 - inner(self.r, V) + float(self.threshold @ norms)

    def brisk(self, V: Array) -> float:
        """A burst of FISTA that leaves no more than this share of the miss is better than Newton's next step at V."""
        return 0.0

    def newton(self, V: Array, miss: float, floor: float) -> Iterator[tuple[Array, float]]:
        """Yields (V, miss) after each of Newton's steps; ends at ``floor``, or where they help no more."""
        yield from _newton(self, V, miss, floor)

    def largest(self) -> float:
        """A first guess of the largest eigenvalue of H."""
        v = np.ones((1, len(self.threshold)))
        for _ in range(6):
            v = self.times(v)
            size = float(np.linalg.norm(v))
            v /= size or 1.0
        return size

    def times(self, V: Array) -> Array:
        """(T, k): V H."""
        if self.H is not None:
            return times_symmetric(V, self.H)
        assert self.A is not None
        on = np.flatnonzero(V.any(axis=0))
        if 2 * on.size < V.shape[1]:
            through = product(np.take(V, on, axis=1), np.take(self.A, on, axis=1).T)
        else:
            through = product(V, self.A.T)
        return np.asarray(product(through, self.A) + self.ridge * V)

    def shrink(self, U: Array, step: float) -> tuple[Array, Array, Array]:
        """(prox of step · penalty at U, ‖U_j‖, ‖prox_j‖)."""
        norms = column_norms(U)
        kept = np.maximum(norms - step * self.threshold, 0.0)
        return U * (kept / np.maximum(norms, TINY)), norms, kept  # where a norm is zero, so is what is kept

    def miss(self, V: Array, g: Array) -> float:
        """How far g = r − V H is from the penalty's subdifferential at V, relative to the thresholds."""
        norms = column_norms(V)
        apart = g - V * np.divide(self.threshold, norms, out=np.zeros_like(norms), where=norms > 0)
        lost = column_norms(apart)
        return float(
            (np.where(norms > 0, lost, np.maximum(lost - self.threshold, 0.0)) / self.threshold).max()
        )

    def step(
        self, active: NDArray[np.intp], d: Array, unit: Array, damping: float, descent: Array, share: float
    ) -> Array | None:
        """The system (N) on some rows; to ``share`` where it is solved by iterations."""
        if active.size == 0:
            return descent
        if self.H is not None:
            H = self.H
            if active.size < len(H):
                H = np.take(np.take(H, active, axis=0), active, axis=1)
            return row_step(H, d, unit, damping, descent)
        assert self.A is not None
        A = np.take(self.A, active, axis=1)
        ridge = np.broadcast_to(self.ridge, self.threshold.shape)[active]
        if active.size > len(A):
            return wide_row_step(A, d, unit, damping + ridge, descent, share)
        return row_step(gram(A) + np.diag(ridge), d, unit, damping, descent)

    def settled_at(self) -> float:
        """The miss below which rounding is all that is left."""
        return 1e-13 + 64 * EPS * float(np.abs(self.r).max() / self.threshold.min())


def solve_rows(problem: RowProblem, V: Array, accuracy: float) -> Iterator[tuple[Array, float]]:
    """Yields (V, miss) from the best point so far; ends where miss <= accuracy or where no step lowers it any more."""
    floor = max(accuracy, problem.settled_at())
    best, lowest = V, problem.miss(V, problem.r - problem.times(V))
    yield best, lowest
    tried, stale = np.inf, 0
    sigma, centre = 0.0, V
    creeping = False
    while lowest > floor and stale < STALE:
        before = lowest
        near = max(FAR, problem.near(True)) if sigma else problem.near(creeping)
        if best.any() and lowest <= min(near, AGAIN * tried):
            for best, lowest in problem.newton(best, lowest, floor):
                if lowest > floor:
                    yield best, lowest
            tried = lowest
        elif not creeping:
            target = min(CLOSE, 0.1 * lowest)
            for V, miss in _fista(problem, best, target, lowest):
                if miss < lowest:
                    best, lowest = V, miss
                if lowest <= floor:
                    break
                if lowest <= target:
                    yield best, lowest
            creeping = lowest > target
        else:
            if sigma == 0.0:
                sigma, centre = _first_sigma(problem, best), best
            centre, miss, sigma = _proximal_point(problem, centre, sigma)
            if miss < lowest:
                best, lowest = centre, miss
        stale = 0 if lowest < 0.9 * before else stale + 1
        yield best, lowest


def _fista(problem: RowProblem, V: Array, target: float, first: float) -> Iterator[tuple[Array, float]]:
    """Yields (V, miss) after each burst; ends at ``target``, or where bursts gain too little; first : the miss of V."""
    # The loop raises what is too small; a unit diagonal makes one the least that it can be.
    bend = max(problem.largest(), 1.0)
    HV = problem.times(V)
    Y, HY, t = V, HV, 1.0
    seen, slow = np.inf, 0
    for k in range(1, 100000):
        while True:
            U = problem.r - HY
            U /= bend
            U += Y
            W, _, _ = problem.shrink(U, 1.0 / bend)
            HW = problem.times(W)
            move = W - Y
            curved, square = inner(move, HW - HY), inner(move, move)
            if curved <= bend * square * (1 + 1e-12) or square == 0.0:
                break
            bend = max(1.1 * curved / square, 1.1 * bend)
        ahead = W - V
        if inner(move, ahead) < 0:
            t = 1.0
        following = (1 + np.sqrt(1 + 4 * t * t)) / 2
        share = (t - 1) / following
        Y, HY = W + share * ahead, HW + share * (HW - HV)
        V, HV, t = W, HW, following
        if k % BURST == 0:
            miss = problem.miss(V, problem.r - HV)
            yield V, miss
            slow = 0 if miss <= GAINED * seen else slow + 1
            brisk = miss <= problem.brisk(V) * min(first, seen)
            seen = min(seen, miss)
            if (miss <= target and not brisk) or slow >= (SLOW_WIDE if problem.wide else SLOW):
                return


def _newton(problem: RowProblem, V: Array, miss: float, floor: float) -> Iterator[tuple[Array, float]]:
    """Semismooth Newton steps of V = prox(V + g) while each lowers the miss by half; rows enter and leave with them."""
    HV = problem.times(V)
    for _ in range(NEWTON_LIMIT):
        U = V + problem.r - HV
        P, norms, kept = problem.shrink(U, 1.0)
        active = np.flatnonzero(kept > 0)
        change = P - V
        leaving = change.copy()
        leaving[:, active] = 0.0
        unit = np.take(U, active, axis=1) / norms[active]
        miss_a = np.take(change, active, axis=1)
        radial = np.einsum("tj,tj->j", unit, miss_a) * unit
        descent = radial + (norms[active] / kept[active]) * (miss_a - radial)
        if leaving.any():
            descent = descent - np.take(problem.times(leaving), active, axis=1)
        d = problem.threshold[active] / kept[active]
        for damping in DAMPINGS:
            x = problem.step(active, d, unit, damping, descent, FORCING * min(miss, 1.0))
            if x is not None:
                break
        else:
            return
        W = V + leaving
        W[:, active] += x
        HW = problem.times(W)
        new = problem.miss(W, problem.r - HW)
        if not new <= HELPED * miss:
            if new < miss:
                yield W, new
            return
        V, HV, miss = W, HW, new
        yield V, miss
        if miss <= floor:
            return


def _first_sigma(problem: RowProblem, V: Array) -> float:
    norms = column_norms(V)
    on = norms > 0
    return FIRST_SIGMA * float(np.median(norms[on] / problem.threshold[on])) if on.any() else 1.0


def _proximal_point(problem: RowProblem, centre: Array, sigma: float) -> tuple[Array, float, float]:
    """(V, miss, the next sigma): argmin of the objective plus ‖V − centre‖² / (2 sigma), about.

    Its dual is min over Z of tr(Z H Z')/2 + ‖prox(centre + sigma (r − Z H))‖² / (2 sigma), with V the prox at its end.
    """
    Z = centre
    HZ = problem.times(Z)
    steps = 0
    for steps in range(INNER_LIMIT + 1):
        U = centre + sigma * (problem.r - HZ)
        P, norms, kept = problem.shrink(U, sigma)
        D = P - Z
        HD = problem.times(D)
        slack = np.sqrt(max(inner(D, HD), 0.0))
        moved = float(np.linalg.norm(P - centre)) / np.sqrt(sigma)
        if steps == INNER_LIMIT or (steps and slack <= INNER_SHARE * moved) or slack == 0.0:
            break
        active = np.flatnonzero(kept > 0)
        unit = np.take(U, active, axis=1) / norms[active]
        d = problem.threshold[active] / kept[active]
        x = problem.step(active, d, unit, 1.0 / sigma, np.take(HD, active, axis=1), FORCING_PROXIMAL)
        if x is None:
            return centre, np.inf, sigma / 10
        E = D.copy()
        E[:, active] -= x
        HE = problem.times(E)
        value = inner(Z, HZ) / 2 + inner(P, P) / (2 * sigma)
        slope = -inner(D, HE)
        ZE, EE = inner(Z, HE), inner(E, HE)
        share, size = 1.0, value
        for _ in range(20):
            T, _, _ = problem.shrink(centre + sigma * (problem.r - HZ - share * HE), sigma)
            size = inner(Z, HZ) / 2 + share * ZE + share * share / 2 * EE
            size += inner(T, T) / (2 * sigma)
            if size <= value + 1e-4 * share * slope + 1e-14 * abs(value):
                break
            share /= 2
        Z, HZ = Z + share * E, HZ + share * HE
    miss = problem.miss(P, problem.r - problem.times(P))
    if steps >= INNER_LIMIT:
        return P, miss, sigma / 3
    return P, miss, min(sigma * (10.0 if steps <= 3 else 5.0 if steps <= 15 else 2.0), MOST_SIGMA)
