"""Accelerated projected gradients on the cone {(z, r): abs(z_q) <= r}, a row of Σ each, r on the diagonal.

Beck & Teboulle 2009 with the restarts of O'Donoghue & Candès 2015; each row has a step of its own, which leaves the
projection what it is. As ``run`` has iterates in W, Σ is handed over as it is, with intercepts that are not its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.optim.run import Iterate

Array = NDArray[np.float64]
CHECK_EVERY = 20


@dataclass(frozen=True)
class Rows:
    """The smooth loss of one task: votes A (n, T), targets y (n,), offset and the rows' factors c (n,)."""

    A: Array
    y: Array
    offset: float
    c: Array


def project(S: Array) -> Array:
    """The nearest Σ with abs(σ_tq) <= σ_tt in every row.

    Of a row (z, r) the level is the largest of (r + sum of the k largest abs(z)) / (k + 1) over k >= 0, or zero.
    """
    T = len(S)
    own = S.diagonal()
    others = np.abs(S[~np.eye(T, dtype=bool)].reshape(T, T - 1))
    sums = np.cumsum(-np.sort(-others, axis=1), axis=1)
    each = (own[:, None] + np.hstack([np.zeros((T, 1)), sums])) / np.arange(1, T + 1)
    level = np.maximum(each.max(axis=1), 0.0)
    out = np.clip(S, -level[:, None], level[:, None])
    np.fill_diagonal(out, level)
    return np.asarray(out)


def cone_fit(
    tasks: tuple[Rows, ...], loss: str, lam: float, lam_sym: float, start: Array | None
) -> Iterator[Iterate]:
    """Iterates for Σ_ti c_ti l(y_ti, offset_t + a_ti' σ_t) + lam/2 ‖Σ‖² + lam_sym/4 ‖Σ − Σ'‖² on the cone."""
    T = len(tasks)
    H = np.stack([t.A.T @ (t.c[:, None] * t.A) for t in tasks])
    r = np.stack([(t.c * (t.y - t.offset)) @ t.A for t in tasks])
    bend = np.linalg.eigvalsh(H)[:, -1] * (1.0 if loss == "squared" else 0.25)
    step = 1.0 / (bend + lam + 2 * lam_sym)[:, None]

    def gradient(S: Array) -> Array:
        if loss == "squared":
            data = np.matmul(H, S[:, :, None])[:, :, 0] - r
        else:
            data = np.stack(
                [
                    -(t.c * t.y * expit(-t.y * (t.offset + t.A @ s))) @ t.A
                    for t, s in zip(tasks, S, strict=True)
                ]
            )
        return np.asarray(data + lam * S + lam_sym * (S - S.T))

    S = np.zeros((T, T)) if start is None else project(start)
    Y, momentum = S, 1.0
    none = np.zeros(T)
    iteration = 0
    yield S, none
    while True:
        iteration += 1
        new = project(Y - step * gradient(Y))
        if float(np.vdot((Y - new) / step, new - S)) > 0:
            # The momentum points uphill.
            Y, momentum = S, 1.0
            new = project(S - step * gradient(S))
        ahead = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        Y = new + (momentum - 1) / ahead * (new - S)
        S, momentum = new, ahead
        yield (S, none) if iteration % CHECK_EVERY == 0 else None
