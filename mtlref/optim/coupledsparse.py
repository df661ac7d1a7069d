"""Loss plus tr(V' M V)/2 plus lam ‖V‖_1, tasks coupled by M: Newton on what is not zero, ADMM where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.admm import RELAXATION
from mtlref.optim.conjugate import conjugate_gradients
from mtlref.optim.coupled import Solver, graph_solver, mean_at_levels
from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.sparsegraph import common_moves
from mtlref.optim.spectral import natural_rho

Array = NDArray[np.float64]
Start = tuple[Array, Array]
ROUND = 25
# A round after each change of rho is longer, so that the changes come to an end; a smaller one is not worth a factor.
LONGER = 1.1
NEAR = 1.5
NEWTON_ROUND = 20
INNER_LIMIT = 60
# Newton's systems of up to so many unknowns are factored; others are solved by products, to this share of what is left.
DENSE = 300
CG_ACCURACY = 1e-3
CG_LIMIT = 500
SIZES = (1.0, 0.5, 0.1)
ROUNDING = 1e-14
# Of the curvature: what a preconditioner has where there is none.
NEARLY_NONE = 1e-9
# Times the mean curvature.
DAMPING = 1e-2


def sparse_coupled_fit(problem: Problem, start: Start | None, M: Any, lam: float) -> Iterator[Iterate]:
    """Iterates for L(W, b) + tr(W M W')/2 + lam ‖W‖_1."""
    if problem.loss == "squared":
        V0 = np.zeros((problem.T, problem.p)) if start is None else start[0].T
        for V, _ in _quadratic(problem.quadratic, M, lam, V0):
            yield V.T, None
        return

    def inner(q: Quadratic, V: Array) -> Array:
        for k, (V, settled) in enumerate(_quadratic(q, M, lam, V)):
            if settled or k >= INNER_LIMIT:
                break
        return V

    def penalty(V: Array) -> float:
        return float(np.vdot(V, M @ V)) / 2 + lam * float(np.abs(V).sum())

    yield from prox_newton(problem, penalty, inner, start)


def _quadratic(q: Quadratic, M: Any, lam: float, V: Array) -> Iterator[tuple[Array, bool]]:
    """Yields (V, settled)."""
    system = _System.of(q, M)
    settled_at = 1e-12 + 32 * np.finfo(float).eps * float(np.abs(q.r).max()) / lam
    rho, steps = natural_rho(q), float(ROUND)
    solve, Z, U = None, V, V
    while True:
        for _ in range(NEWTON_ROUND):
            found = system.newton(lam, V)
            if found is None:
                break
            V = found
            miss = system.miss(lam, V)
            yield V, bool(miss <= settled_at)
            if miss <= settled_at:
                break
        if solve is None:
            solve, Z, U = graph_solver(q.with_ridge(rho), M), V, system.pull(V) / rho
        # Between rounds ADMM keeps its own point: begun anew from V at each, it can go round for ever.
        primal, dual = 0.0, 0.0
        for _ in range(int(steps)):
            X = solve(q.r + rho * (Z - U))
            relaxed = RELAXATION * X + (1 - RELAXATION) * Z
            old = Z
            Z = np.sign(relaxed + U) * np.maximum(np.abs(relaxed + U) - lam / rho, 0.0)
            U = U + relaxed - Z
            primal, dual = float(np.linalg.norm(X - Z)), rho * float(np.linalg.norm(Z - old))
        V = Z
        yield V, bool(system.miss(lam, V) <= settled_at)
        size, force = float(np.linalg.norm(V)), rho * float(np.linalg.norm(U))
        if primal > 0 and dual > 0 and size > 0 and force > 0:
            change = float(np.clip(np.sqrt((primal / size) / (dual / force)), 0.1, 10.0))
            if not 1 / NEAR <= change <= NEAR:
                rho, U, steps = rho * change, U / change, steps * LONGER
                solve = graph_solver(q.with_ridge(rho), M)


@dataclass(frozen=True)
class _System:
    """q(V) + tr(V' M V)/2; together : about its inverse on what tasks share, beside which each has its own block."""

    q: Quadratic
    M: Any
    together: Solver
    least: float

    @classmethod
    def of(cls, q: Quadratic, M: Any) -> _System:
        if not isinstance(M, np.ndarray):
            return cls(q, M, *common_moves(q, M))
        level, Q = np.linalg.eigh(M)
        return cls(q, M, *mean_at_levels(q, np.maximum(level, 0.0), Q))

    def times(self, V: Array) -> Array:
        """The Hessian's product."""
        return np.asarray(self.q.times(V) + self.M @ V)

    def pull(self, V: Array) -> Array:
        """Minus the gradient."""
        return np.asarray(self.q.r - self.times(V))

    def miss(self, lam: float, V: Array) -> float:
        """How far V is from the conditions for lam ‖V‖_1, relative to lam."""
        g = self.pull(V)
        off = np.where(V != 0, np.abs(g - lam * np.sign(V)), np.maximum(np.abs(g) - lam, 0.0))
        return float(off.max()) / lam

    def newton(self, lam: float, V: Array) -> Array | None:
        """V after a Newton step on the entries that are not zero and those that should not be, all tasks at once.

        Entries that change their sign become zero. None where the step, shortened, lowers the objective nowhere.
        """
        g = self.pull(V)
        sign = np.where(V != 0, np.sign(V), np.where(np.abs(g) > lam, np.sign(g), 0.0))
        on = sign != 0
        if not on.any():
            return None
        right = np.where(on, g - lam * sign, 0.0)
        # Fewer rows than entries leave some directions to the damping, which ends with what is left of the conditions.
        damping = DAMPING * self.q.curvatures[1] * min(1.0, self.miss(lam, V))
        step = (self._dense if on.sum() <= DENSE else self._by_products)(on, right, damping)
        if step is None or not np.isfinite(step).all():
            return None
        before = self._value(lam, V, g)
        for size in SIZES:
            trial = V + size * step
            trial = np.where(np.sign(trial) == sign, trial, 0.0)
            if self._value(lam, trial, self.pull(trial)) < before - ROUNDING * abs(before):
                return trial
        # Where rounding hides what the objective falls by, the conditions tell.
        trial = V + step
        trial = np.where(np.sign(trial) == sign, trial, 0.0)
        return trial if self.miss(lam, trial) < 0.5 * self.miss(lam, V) else None

    def _value(self, lam: float, V: Array, g: Array) -> float:
        """The objective, with g = ``pull(V)``: V'(HV)/2 − r'V = −V'(g + r)/2."""
        return lam * float(np.abs(V).sum()) - float(np.vdot(V, g + self.q.r)) / 2

    def _by_products(self, on: Array, right: Array, damping: float) -> Array:
        own = self.M.diagonal() + damping + NEARLY_NONE * float(self.q.diagonal.max())

        def times(X: Array) -> Array:
            return np.where(on, self.times(X) + damping * X, 0.0)

        def precondition(R: Array) -> Array:
            return np.where(on, self.q.solve_shifted(R, own) + self.together(R), 0.0)

        target = CG_ACCURACY * float(np.linalg.norm(right))
        zero = np.zeros_like(right)
        return conjugate_gradients(times, precondition, zero, right, target, CG_LIMIT, self.least)

    def _dense(self, on: Array, right: Array, damping: float) -> Array | None:
        q = self.q
        t, j = np.nonzero(on)
        features, place = np.unique(j, return_inverse=True)
        part = q.restrict(features).H
        assert part is not None
        pairs = (
            self.M[t[:, None], t[None, :]] if isinstance(self.M, np.ndarray) else self.M[t][:, t].toarray()
        )
        K = np.where(j[:, None] == j[None, :], pairs, 0.0)
        block = np.zeros_like(t) if len(part) == 1 else t
        K += np.where(t[:, None] == t[None, :], part[block[:, None], place[:, None], place[None, :]], 0.0)
        K[np.diag_indices(len(t))] += damping + 1e-13 * float(np.diag(K).max())
        try:
            solution = np.linalg.solve(K, right[on])
        except np.linalg.LinAlgError:
            return None
        step = np.zeros_like(right)
        step[on] = solution
        return step
