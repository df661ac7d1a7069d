"""Dual points in floating point, near the best one if W is near an optimum: guesses, of which nothing is believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit import logistic_intercepts
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Prepared
from mtlref.losses import LOSSES
from mtlref.tasks import TaskData
from mtlref.verify.rigorous.feasible import blocks_of, concatenated, interior, projected
from mtlref.verify.rigorous.interval import Exact, power
from mtlref.verify.rigorous.loss import Rows
from mtlref.verify.rigorous.penalty import Penalty

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Guess:
    """θ (N,); room (N,): how much each entry may change; groups (T,): over which G is to sum to zero, or None."""

    theta: Exact
    room: Array
    groups: Index | None


@dataclass(frozen=True, eq=False)
class Guesses:
    """The θ of (K) at W, for the scaled data of ``Prepared``; its y is in units of 2^exponent.

    All (N,): y; share, c_t s_ti; reach, the predictions X w (logistic) or what they miss, y − X w (squared), rounded
    once from the exact ones and less a constant over each of the ``blocks``, so that large means cost no digits.
    """

    loss: str
    data: TaskData
    y: Array
    share: Array
    reach: Array
    blocks: Sequence[Index]
    pooled: bool
    exponent: int

    @classmethod
    def of(cls, estimator: LinearModel, ready: Prepared, rows: Sequence[Rows], W: Exact) -> Guesses:
        """From W (p, T) and the rows in the user's units."""
        data, fit = ready.data, ready.fit
        assert isinstance(data, TaskData)
        s = 1.0 if data.weights is None else np.concatenate(data.weights)
        pooled = estimator.pooled_intercept
        blocks = blocks_of(data.n, estimator.fit_intercept, pooled)
        z = concatenated([task.X @ W[:, t] for t, task in enumerate(rows)])
        exact = concatenated([task.y for task in rows]) - z if fit.loss == "squared" else z
        ints = exact.ints.copy()
        for block in blocks:
            ints[block] -= ints[block[0]]
        # Cut, so that squares do not overflow where W is absurd: any guess will do there.
        reach = np.clip(Exact(ints, exact.scale).times(power(-ready.ey)).floats(), -1e150, 1e150)
        share = np.asarray(np.repeat(fit.c, data.n) * s)
        return cls(fit.loss, data, np.concatenate(data.y), share, reach, blocks, pooled, ready.ey)

    def near(self, penalty: Penalty) -> Iterator[Guess]:
        """θ and its multiple of the largest value; where (F) asks for it, moved to where G sums to zero."""
        theta, room = self._point(self.reach)
        groups = penalty.groups()
        if groups is not None:
            yield self._guess(self._moved(theta, room, groups), room, groups)
            return
        yield self._guess(theta, room)
        if self.loss == "squared":
            yield self._guess(self._peak(theta, penalty.separable) * theta, room)

    def inside(self, penalty: Penalty) -> Iterator[Guess]:
        """Points with more room than θ, for the logistic loss, where exact feasibility took θ out of its domain."""
        if self.loss == "squared":
            return
        theta, room = self._point(self.reach)
        groups = penalty.groups()
        if groups is None:
            anchor, _ = self._point(np.zeros_like(self.reach))  # θ at W = 0
        else:
            theta = self._moved(theta, room, groups)
            anchor = np.zeros_like(theta)
            for members, where, blocks in self._groups(groups):
                X = np.concatenate([self.data.X[t] for t in members])
                anchor[where] = interior(X, self.y[where], self.share[where], blocks)
                if not anchor[where].any():  # 0 is all there is
                    theta[where] = 0.0
        for part in (2.0**-40, 2.0**-20, 2.0**-10, 2.0**-5, 0.5, 1.0):
            mixed = (1 - part) * theta + part * anchor
            yield self._guess(
                mixed, np.maximum(np.minimum(np.abs(mixed), self.share - np.abs(mixed)), 0.0), groups
            )

    def free(self) -> Guess:
        """A point with G = 0, at which the dual value bounds min L."""
        T = self.data.T
        groups = np.zeros(T, dtype=np.intp) if self.pooled else np.arange(T)
        theta, room = self._point(self.reach)
        return self._guess(self._moved(theta, room, groups), room, groups)

    def _guess(self, theta: Array, room: Array, groups: Index | None = None) -> Guess:
        finite = np.where(np.isfinite(theta), theta, 0.0)
        return Guess(Exact.of(finite).times(power(self.exponent)), room, groups)

    def _point(self, reach: Array) -> tuple[Array, Array]:
        """θ and its room, c s l'', with the best intercepts."""
        share, y = self.share, self.y
        if self.loss == "squared":
            off = reach.copy()
            for block in self.blocks:
                off[block] -= share[block] @ off[block] / share[block].sum()
            return share * off, share
        z = reach.copy()
        for block in self.blocks:
            first = np.zeros(1, dtype=np.intp)
            z[block] += logistic_intercepts(y[block], z[block], share[block], first)
        loss = LOSSES[self.loss]
        largest = share * (1 - 2.0**-50)  # strictly within the conjugate's domain
        return np.clip(-share * loss.grad(y, z), -largest, largest), share * loss.hess(y, z)

    def _peak(self, theta: Array, each: bool) -> Array:
        """(N,): the multiple at which Σ θ y − Σ θ² / (2 c s) is largest, of all rows or of each task."""
        y = self.y.copy()
        for block in self.blocks:  # allowed by (F)
            y[block] -= self.share[block] @ y[block] / self.share[block].sum()
        starts = np.cumsum(self.data.n) - self.data.n
        size = float(np.abs(theta).max()) or 1.0  # its squares may overflow
        unit = theta / size
        squares = np.divide(unit**2, self.share, out=np.zeros_like(theta), where=self.share > 0)
        up, down = np.add.reduceat(unit * y, starts), np.add.reduceat(squares, starts)
        if not each:
            up, down = np.full_like(up, up.sum()), np.full_like(down, down.sum())
        best = np.divide(up, down, out=np.zeros_like(up), where=down > 0)
        return np.repeat(np.maximum(best, 0.0) / size, self.data.n)

    def _groups(self, groups: Index) -> Iterator[tuple[Index, Index, list[Index]]]:
        """Of each group its tasks, its rows, and its blocks of rows counted within it."""
        starts = np.cumsum(self.data.n) - self.data.n
        for g in range(int(groups.max()) + 1):
            members = np.flatnonzero(groups == g)
            where = np.concatenate([starts[t] + np.arange(self.data.n[t]) for t in members])
            place = np.full(len(self.y), -1, dtype=np.intp)
            place[where] = np.arange(len(where))
            yield members, where, [place[block] for block in self.blocks if place[block[0]] >= 0]

    def _moved(self, theta: Array, room: Array, groups: Index) -> Array:
        """θ moved to where G sums to zero over each group of tasks, to rounding."""
        moved = theta.copy()
        for members, where, blocks in self._groups(groups):
            X = np.concatenate([self.data.X[t] for t in members])
            moved[where] = projected(X, theta[where], room[where], blocks)
        return moved
