"""Logistic lassos of all tasks in few unknowns, side by side: Newton's method with a line search for each task.

    min over S (k, T), b (T,):   Σ_ti m_ti log(1 + exp(−y_ti (z_ti' s_t + b_t))) + mu ‖S‖_1,  z_ti the rows of Z (N, k)

Tasks share nothing, so that each has its own step, its own curvature (see ``proxnewton``) and its own end; those that
are done leave the arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.optim.fewlasso import lasso
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.rowsproblem import majorising_curvature

Array = NDArray[np.float64]
LIMIT = 100
# A task is done after a full step for which its model promised no more than this share of its value: what is left of it
# is about the square of that.
DONE = 1e-11
PROMISED, SHORT, LEAST, FACTOR, FLOOR = 1e-4, 0.25, 1e-2, 10.0, 1e-8
HALVINGS, LAST_HALVINGS = 3, 40


@dataclass(frozen=True, eq=False)
class CodeRows:
    """The rows of some tasks, one task's after another's: Z (N, k), labels y and masses m (N,), n (T,) rows each."""

    Z: Array
    y: Array
    m: Array
    n: NDArray[np.intp]

    @property
    def begins(self) -> NDArray[np.intp]:
        """(T,): where each task's rows begin."""
        return np.concatenate([[0], np.cumsum(self.n)[:-1]]).astype(np.intp)

    def of(self, tasks: NDArray[np.bool_]) -> CodeRows:
        """Those of some tasks."""
        rows = np.repeat(tasks, self.n)
        return CodeRows(self.Z[rows], self.y[rows], self.m[rows], self.n[tasks])


def better_start(
    rows: CodeRows, mu: float, start: tuple[Array, Array], other: tuple[Array, Array]
) -> tuple[Array, Array, float]:
    """(V, b, the objective there): for each task the start with the lower one."""
    one, two = _values(rows, mu, *start), _values(rows, mu, *other)
    lower = two < one
    V, b = np.where(lower[:, None], other[0], start[0]), np.where(lower, other[1], start[1])
    return V, b, float(np.minimum(one, two).sum())


def _values(rows: CodeRows, mu: float, V: Array, b: Array) -> Array:
    z = np.einsum("ij,ij->i", rows.Z, np.repeat(V, rows.n, axis=0)) + np.repeat(b, rows.n)
    loss = np.add.reduceat(rows.m * np.logaddexp(0.0, -rows.y * z), rows.begins)
    return np.asarray(loss + mu * np.abs(V).sum(axis=1))


def logistic_codes(rows: CodeRows, V: Array, b: Array, mu: float, fit_intercept: bool) -> tuple[Array, Array]:
    """(V (T, k), b (T,)) at the minimum, from those given."""
    V_all, b_all = V.copy(), b.copy()
    live = np.arange(len(V))
    V, b = V.copy(), b.copy()
    share = np.full(len(V), FLOOR)
    for _ in range(LIMIT):
        begins = rows.begins
        z = rows.y * (np.einsum("ij,ij->i", rows.Z, np.repeat(V, rows.n, axis=0)) + np.repeat(b, rows.n))
        own = mu * np.abs(V).sum(axis=1)
        value = np.add.reduceat(rows.m * np.logaddexp(0.0, -z), begins) + own
        q, offset, means, slope = _model(rows, z, V, share, begins, fit_intercept)
        dV = lasso(q, V, mu) - V
        db = offset - np.einsum("tj,tj->t", means, dV)
        dz = rows.y * (np.einsum("ij,ij->i", rows.Z, np.repeat(dV, rows.n, axis=0)) + np.repeat(db, rows.n))
        target = mu * np.abs(V + dV).sum(axis=1)
        promised = np.minimum(np.add.reduceat(slope * rows.y * dz, begins) + target - own, 0.0)
        step, found = np.ones(len(V)), np.zeros(len(V), dtype=np.bool_)
        most = np.where(share < 1, HALVINGS, LAST_HALVINGS)
        for k in range(LAST_HALVINGS):
            at = np.logaddexp(0.0, -(z + np.repeat(step, rows.n) * dz))
            new = np.add.reduceat(rows.m * at, begins) + mu * np.abs(V + step[:, None] * dV).sum(axis=1)
            found = new <= value + PROMISED * step * promised + 1e-15 * np.abs(value)
            trying = ~found & (k + 1 < most)
            if not trying.any():
                break
            step[trying] /= 2
        V += np.where(found, step, 0.0)[:, None] * dV
        b += np.where(found, step, 0.0) * db
        lost = ~found & (share == 1)
        done = lost | (found & (step == 1) & (-promised <= DONE * np.abs(value)))
        raised = np.where(step <= SHORT, np.minimum(np.maximum(FACTOR * share, LEAST), 1.0), share)
        lowered = np.where(share > LEAST, share / FACTOR, FLOOR)
        share = np.where(found, np.where(step == 1, lowered, raised), 1.0)
        if done.any():
            V_all[live[done]], b_all[live[done]] = V[done], b[done]
            keep = ~done
            if not keep.any():
                return V_all, b_all
            rows, live, V, b, share = rows.of(keep), live[keep], V[keep], b[keep], share[keep]
    V_all[live], b_all[live] = V, b
    return V_all, b_all


def _model(
    rows: CodeRows, z: Array, V: Array, share: Array, begins: NDArray[np.intp], fit_intercept: bool
) -> tuple[Quadratic, Array, Array, Array]:
    """(the second-order model of each task's loss, offset (T,) and means (T, k) of its intercept's step, the slopes)

    at z = y (Z v + b).
    """
    away = expit(-z)
    bend = away * expit(z)
    bend = rows.m * (bend + np.repeat(share, rows.n) * (majorising_curvature(z) - bend))
    slope = -rows.m * rows.y * away
    offset, means, Zc = np.zeros(len(V)), np.zeros_like(V), rows.Z
    if fit_intercept:
        total = np.add.reduceat(bend, begins)
        total = np.where(total > 0, total, 1.0)
        means = np.add.reduceat(bend[:, None] * Zc, begins, axis=0) / total[:, None]
        offset = -np.add.reduceat(slope, begins) / total
        Zc = Zc - np.repeat(means, rows.n, axis=0)
    H = np.add.reduceat((bend[:, None] * Zc)[:, :, None] * Zc[:, None, :], begins, axis=0)
    r = np.matmul(H, V[:, :, None])[:, :, 0] - np.add.reduceat(slope[:, None] * Zc, begins, axis=0)
    return Quadratic(r, H), offset, means, slope
