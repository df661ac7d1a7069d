"""Lassos of all tasks in few unknowns: sweeps over the coordinates and Newton's steps, to rounding."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.quadratic import Quadratic
from mtlref.optim.sparse import Entries, sparse_quadratic

Array = NDArray[np.float64]
INNER_LIMIT = 120
SETTLED = 1e-13
# Conditions met to this share of mu, after all rounds, are as good as rounding lets them be.
NEARLY = 1e-9
EPS = float(np.finfo(float).eps)
# Rounds before the solver for many unknowns takes over.
ROUNDS = 40


def lasso(q: Quadratic, V: Array, mu: float) -> Array:
    """argmin q(V) + mu ‖V‖_1, to rounding; V (T, k) with few k.

    A sweep over the coordinates, which lets entries enter zero and leave it, then Newton's step on those that are not
    zero, cut at each task's first change of sign. Tasks do not wait for each other; what is left after some rounds
    goes to the solver for many features.
    """
    assert q.H is not None
    V = np.where(q.diagonal > 0, V, 0.0)
    live = np.arange(q.T)  # the tasks that are not settled, and what belongs to them
    H, r = np.broadcast_to(q.H, (q.T, q.p, q.p)), q.r
    for _ in range(ROUNDS):
        v = V[live]
        g = r - _times(H, v)
        miss = np.where(v != 0, np.abs(g - mu * np.sign(v)), np.maximum(np.abs(g) - mu, 0.0)).max(axis=1)
        reach = (np.abs(r) + _times(np.abs(H), np.abs(v))).max(axis=1)
        open_ = miss > SETTLED * mu + 32 * EPS * reach
        if not open_.any():
            return V
        live, H, r, v, g = live[open_], H[open_], r[open_], v[open_], g[open_]
        bend = np.einsum("tkk->tk", H)
        for k in range(q.p):  # coordinates are minimised over one after the other, all tasks at once
            c = g[:, k] + bend[:, k] * v[:, k]
            goal = np.sign(c) * np.maximum(np.abs(c) - mu, 0.0)
            goal = np.divide(goal, bend[:, k], out=np.zeros_like(goal), where=bend[:, k] > 0)
            g -= H[:, :, k] * (goal - v[:, k])[:, None]
            v[:, k] = goal
        V[live] = _newton_entries(H, v, r - _times(H, v), mu, bend)
    if not (miss > NEARLY * mu).any():
        return V
    for V, certify in itertools.islice(sparse_quadratic(q, Entries, mu, V), INNER_LIMIT):
        if certify and Entries(np.full(V.shape, mu)).residual(V, q.r - q.times(V)) <= SETTLED:
            break
    return V


def _times(H: Array, V: Array) -> Array:
    return np.asarray(np.matmul(H, V[:, :, None])[:, :, 0])


def _newton_entries(H: Array, V: Array, g: Array, mu: float, bend: Array) -> Array:
    """V after Newton's step on its entries that are not zero, each task's cut where an entry becomes zero."""
    on = V != 0
    K = H * (on[:, :, None] & on[:, None, :])
    diagonal = np.arange(V.shape[1])
    K[:, diagonal, diagonal] += np.where(on, 1e-13 * bend, 1.0)
    descent = np.where(on, g - mu * np.sign(V), 0.0)
    try:
        step = np.linalg.solve(K, descent[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return V
    crossing = on & (np.sign(V + step) != np.sign(V)) & (step != 0)
    share = np.divide(-V, step, out=np.full_like(V, np.inf), where=crossing)
    first = np.minimum(share.min(axis=1, initial=np.inf), 1.0)[:, None]
    moved = np.where(crossing & (share <= first), 0.0, V + first * step)
    # Where H is singular to rounding the step says nothing.
    return np.where(np.isfinite(moved).all(axis=1, keepdims=True), moved, V)
