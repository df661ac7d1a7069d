"""Quadratic plus row norms where each task has a quadratic of its own: the problem of ``rowproblem``, task by task.

    min over V (T, k):   Σ_t v_t' H_t v_t / 2 − <r, V> + Σ_j threshold_j ‖V[:, j]‖

Newton's method on the rows that are not zero: with d_j = threshold_j / ‖v_j‖, K_t = H_t + diag(d) and
s_tj = √d_j v_tj / ‖v_j‖, the Hessian is blockdiag(K_t) minus one rank-one term a row: the system of ``rowsystem``. Its
steps are as dear as many of FISTA's, which go on for as long as they gain more in that time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.rowminima import column_norms, row_minima, row_minimum
from mtlref.optim.rowproblem import BURST, CLOSE, NEAR, NEWTON_LIMIT, RowProblem
from mtlref.optim.rowsystem import row_solver
from mtlref.optim.stacks import principal

Array = NDArray[np.float64]
Features = NDArray[np.intp]
Solver = Callable[[Array], Array]
Held = tuple[Features, Solver]
POWERS = 2
# A product waits for memory where factors do not: it takes as long as so many of their multiplications.
WAITS = 6.0
# Newton's steps that cost no more than so many products are tried from wherever a start is.
CHEAP = 10.0
# What remains to be done when bursts and steps are compared: so many digits, or two steps.
DIGITS, STEPS = 5.0, 2.0
DAMPINGS = (0.0, 1e-8, 1e-5, 1e-2, 3.0)
FAR, FELT = 30.0, 1e-2
HALVINGS, HALF = 4, 0.5
# Rows that a step moves by more than this share of their size are settled one after the other, if they are few.
TURN, MOST_TURNED = 0.3, 12
# A step that lowers the objective by this share of it gets on, whatever the conditions say.
FALL = 1e-6
STALLED = 3
# A step with the factors of an earlier one is to leave no more than this share of the miss.
AGAIN, FRESH = 0.1, 0.1


@dataclass(frozen=True, eq=False)
class Linearised:
    """Newton's equations at a point: (N) with ``descent`` on the active rows; all others take ``leaving`` (T, k)."""

    active: Features
    d: Array
    unit: Array
    descent: Array
    leaving: Array

    def step(self, solve: Solver) -> Array:
        """(T, k)."""
        out = self.leaving.copy()
        out[:, self.active] = solve(self.descent)
        return out


class RaggedProblem(RowProblem):
    """r (T, k), thresholds lam, and H (T, k, k), or A (T, n, k) with H_t = A_t'A_t; ``ridge`` is added to diagonals.

    V, r and the thresholds are in the coordinates s_j v_tj, s (k,), in which the mean over the tasks of each diagonal
    entry is one; H and A stay as they were given.
    """

    def __init__(
        self, r: Array, lam: float, *, H: Array | None = None, A: Array | None = None, ridge: float = 0.0
    ) -> None:
        if H is not None:
            diagonal = np.einsum("tjj->tj", H) + ridge
        else:
            assert A is not None
            diagonal = np.einsum("tij,tij->tj", A, A) + ridge
        s = np.sqrt(diagonal.mean(axis=0))
        s[s == 0] = 1.0
        super().__init__(r / s, lam / s, H, A, ridge / s**2)
        self.s, self.diagonal = s, diagonal / s**2
        self._last: tuple[Array | None, Array] = None, s

    @property
    def wide(self) -> bool:
        """Newton's steps are never for the end alone."""
        return False

    def near(self, creeping: bool) -> float:
        """The miss below which Newton's method is tried: where its steps are dear, FISTA goes on while it gains."""
        return np.inf if self._products(len(self.s)) <= CHEAP else NEAR if creeping else CLOSE

    def brisk(self, V: Array) -> float:
        """A burst of FISTA that leaves no more than this share of the miss is better than Newton's next step at V."""
        return float(10.0 ** (-DIGITS * BURST / (STEPS * self._products(int(V.any(axis=0).sum())))))

    def _products(self, active: int) -> float:
        """How many products with H take as long as a step of Newton's method on so many rows."""
        k = len(self.s)
        rows = k if self.A is None else 2 * self.A.shape[1]
        thin = active if self.A is None else min(active, rows / 2)
        return 1.0 + 1.5 * active * active * thin / (WAITS * rows * k)

    def times(self, V: Array) -> Array:
        """(T, k): rows H_t v_t. That of the last V is kept: from one method to the next it is asked for again."""
        if V is self._last[0]:
            return self._last[1]
        x = V / self.s
        if self.H is not None:
            out = np.matmul(x[:, None, :], self.H)[
                :, 0
            ]  # rows times a matrix: faster than the other way round
        else:
            assert self.A is not None
            out = np.matmul(np.matmul(self.A, x[:, :, None]).transpose(0, 2, 1), self.A)[:, 0]
        out /= self.s
        if np.any(self.ridge):
            out += self.ridge * V
        self._last = V, np.asarray(out)
        return self._last[1]

    def largest(self) -> float:
        """A first guess of the largest eigenvalue of any H_t."""
        v = np.ones(self.r.shape)
        size = np.zeros(len(v))
        for _ in range(POWERS):
            v = self.times(v)
            size = np.sqrt(np.einsum("tj,tj->t", v, v))
            v = v / np.where(size > 0, size, 1.0)[:, None]
        return float(size.max())

    def step(
        self, active: Features, d: Array, unit: Array, damping: float, descent: Array, share: float
    ) -> Array | None:
        """(T, a): the x of (N) on some rows."""
        if active.size == 0:
            return descent
        solve = self._solver(active, d, unit, damping)
        return None if solve is None else solve(descent)

    def _solver(self, active: Features, d: Array, unit: Array, damping: float) -> Solver | None:
        """descent -> x of (N), both (T, a); in the coordinates of H, which need not be scaled then."""
        s = np.take(self.s, active)
        square = s * s
        further = (damping + np.broadcast_to(self.ridge, self.s.shape)[active]) * square
        if self.H is not None:
            solve = row_solver(principal(self.H, active), d * square, further, unit)
        else:
            assert self.A is not None
            solve = row_solver(None, d * square, further, unit, np.take(self.A, active, axis=2, mode="clip"))
        return None if solve is None else lambda descent: s * solve(s * descent)

    def newton(self, V: Array, miss: float, floor: float) -> Iterator[tuple[Array, float]]:
        """Newton's steps with a line search; ends where the conditions stop improving.

        A step whose factors are there costs next to nothing: while the rows stay the same and the last ones gain much,
        they are used again.
        """
        HV = self.times(V)
        value = self.value(V, HV)
        best, stalled, fell = np.inf, 0, False
        held: Held | None = None
        steps, gained = 0, 1.0
        while steps < NEWTON_LIMIT:
            if miss >= HALF * best and not fell:
                stalled += 1
                if stalled >= STALLED:
                    return
            best = min(best, miss)
            linear = self._linearised(V, self.r - HV)
            found = None
            # What a step left of the miss says how much its factors have aged by it.
            if held is not None and gained <= FRESH and np.array_equal(held[0], linear.active):
                found = self._again(held[1], linear, V, max(AGAIN * miss, floor), value)
            if found is None:
                steps += 1
                found, held = self._descend(linear, V, HV, miss, value)
            if found is None:
                return
            before = value
            gained = found[2] / miss
            V, HV, miss, value = found
            fell = value < before - FALL * abs(before)
            yield V, miss
            if miss <= floor:
                return

    def _again(
        self, solve: Solver, linear: Linearised, V: Array, goal: float, value: float
    ) -> tuple[Array, Array, float, float] | None:
        """The full step with factors from before; None where it misses by more than ``goal``."""
        trial = V + linear.step(solve)
        HT = self.times(trial)
        left, new = self.miss(trial, self.r - HT), self.value(trial, HT)
        return (trial, HT, left, new) if left <= goal and new <= value + 1e-14 * abs(value) else None

    def _descend(
        self, linear: Linearised, V: Array, HV: Array, miss: float, value: float
    ) -> tuple[tuple[Array, Array, float, float] | None, Held | None]:
        """(V, HV, miss, value) after a line search along the first step that descends, None where none does; and the
        factors, where they gave a full step."""
        allowed = value + 1e-14 * abs(value)
        for solve, step in self._sane_steps(linear, V, self.r - HV):
            size = 1.0
            for k in range(HALVINGS + 1):
                # The full step first as it is, then with what is small settled exactly: most often that is not needed.
                trial = self._settled(V, step) if k == 1 else V + size * step
                size = 1.0 / 2**k
                HT = self.times(trial)
                new = self.value(trial, HT)
                left = self.miss(trial, self.r - HT)
                # A rise is allowed for better conditions, but not above the value at zero: far out they say nothing.
                better = left <= HALF * miss
                if (new <= allowed and (k >= 1 or better)) or (k == 1 and better and new <= max(value, 0.0)):
                    return (trial, HT, left, new), None if k or solve is None else (linear.active, solve)
        return None, None

    def _sane_steps(self, linear: Linearised, V: Array, g: Array) -> Iterator[tuple[Solver | None, Array]]:
        """Newton's step, and damped ones for where it leaves all proportion or leads nowhere; the solver of each.

        Fewer rows than active features make H singular; so do columns that are each other's mirror image, of which
        only some are active.
        """
        if linear.active.size == 0:
            yield None, -V
            return
        reach = FAR * (float(np.linalg.norm(V)) + float(np.linalg.norm(g)))
        least = 0.0
        for damping in DAMPINGS:
            if damping < least:
                continue
            solve = self._solver(linear.active, linear.d, linear.unit, damping)
            step = None if solve is None else linear.step(solve)
            if step is not None and float(np.linalg.norm(step)) <= reach:  # also not where it is not a number
                yield solve, step
                least = FELT  # a step in proportion is the same under less

    def _linearised(self, V: Array, g: Array) -> Linearised:
        """The semismooth equations v_j = argmin over row j at V: rows enter and leave with their step.

        Near the answer it is Newton's on the active rows; far from it the directions û_j of the rows' own minima v°_j,
        which hold the gradient, are better than those of v_j.
        """
        near = row_minima(self.diagonal * V + g, self.diagonal, self.threshold, column_norms(V))
        norms = column_norms(near)
        active = np.flatnonzero(norms > 0)
        norms = norms[active]
        unit, here = np.take(near, active, axis=1) / norms, np.take(V, active, axis=1)
        threshold = self.threshold[active]
        d = threshold / norms
        # The gradient of the norm about the row's own minimum v°: û + (I − û û')(v − v°) / ‖v°‖, (I − û û') v° = 0.
        away = here - np.einsum("tj,tj->j", unit, here) * unit
        descent = np.take(g, active, axis=1) - threshold * unit - d * away
        leaving = -V
        leaving[:, active] = 0.0
        if leaving.any():
            descent -= np.take(self.times(leaving), active, axis=1)
        return Linearised(active, d, unit, descent, leaving)

    def _settled(self, V: Array, step: Array) -> Array:
        """V + step, but rows that the step turns around are then minimised over exactly, one after the other.

        Newton's model of ‖v_j‖ holds for steps that are small beside v_j; where correlated features leave a row small,
        it does not, and a line search would hold all other rows back with it. The loop is over those few rows only.
        """
        turned = np.flatnonzero(column_norms(step) > TURN * column_norms(V))
        trial = V + step
        if turned.size == 0 or turned.size > MOST_TURNED:
            return trial
        bend = self.diagonal[:, turned]
        g = (self.r - self.times(trial))[:, turned]
        trial = trial.copy()  # what was multiplied stays as it is
        s = self.s[turned]
        if self.H is not None:
            inner = principal(self.H, turned)
        else:
            assert self.A is not None
            columns = np.take(self.A, turned, axis=2)
            inner = np.matmul(columns.transpose(0, 2, 1), columns)
        inner = inner / (s[:, None] * s)
        ends = np.arange(len(turned))
        inner[:, ends, ends] = bend
        for _ in range(2):
            for k, j in enumerate(turned):
                old = trial[:, j]
                c, size = g[:, k] + bend[:, k] * old, math.sqrt(old @ old)
                new = row_minimum(c, bend[:, k], float(self.threshold[j]), size)
                g -= inner[:, :, k] * (new - old)[:, None]
                trial[:, j] = new
        return trial
