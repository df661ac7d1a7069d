"""The statistics of which Moments are made, from rows in memory: task by task, of one design, of sparse rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.centring import (
    block_rows,
    centred_twice,
    least_squares,
    less_means,
    nearly_centred,
    statistics_in_blocks,
    sums_in_blocks,
    two_sum,
)
from mtlref.sparserows import CentredRows, column_means
from mtlref.tasks import TaskData

Array = NDArray[np.float64]


def statistics(data: TaskData, centre: bool = True) -> dict[str, Array]:
    """mass, x_mean, y_mean, cxx, cxy, cyy, x_slip, y_slip as Moments hold them; centre : as in ``from_scaled``."""
    if data.sparse:
        return _of_sparse_rows(data)
    return _of_one_design(data) if data.shared and data.T > 1 else _of_each_task(data, centre)


def _of_each_task(data: TaskData, centre: bool) -> dict[str, Array]:
    T, p = data.T, data.p
    mass, y_mean, cyy = np.empty(T), np.empty(T), np.empty(T)
    x_mean, cxy, cxx = np.empty((T, p)), np.empty((T, p)), np.empty((T, p, p))
    x_slip, y_slip = np.empty((T, p)), np.empty(T)
    near = False
    for t in range(T):
        X, y = data.X[t], data.y[t]
        s = None if data.weights is None else data.weights[t]
        mass[t] = len(y) if s is None else s.sum()
        if s is None:
            x_mean[t], x_slip[t] = np.full(len(X), 1.0 / len(X)) @ X, 0.0
            # Where the last task's columns were, these may be: their squares are then those of the products.
            near = near or nearly_centred(X, x_mean[t])
            if near:
                np.matmul(X.T, X, out=cxx[t])
                near = bool((least_squares(X, x_mean[t]) <= np.diag(cxx[t])).all())
        if near and not centre:
            x_mean[t], y_mean[t], y_slip[t] = 0.0, 0.0, 0.0
            cxy[t], cyy[t] = y @ X, y @ y
            continue
        y_mean[t], y_slip[t], yc = centred_twice(y, s)
        cyy[t] = yc @ (yc if s is None else s * yc)
        if near:
            cxy[t] = less_means(X, yc, x_mean[t], cxx[t])
            continue
        x_mean[t], x_slip[t], Xc = centred_twice(X, s)
        sX = Xc if s is None else Xc * s[:, None]
        C = Xc.T @ sX
        cxx[t] = (C + C.T) / 2
        cxy[t] = sX.T @ yc
    return _named(mass, x_mean, y_mean, cxx, cxy, cyy, x_slip, y_slip)


def _of_one_design(data: TaskData) -> dict[str, Array]:
    X, Y = data.X[0], np.column_stack(data.y)
    s = None if data.weights is None else data.weights[0]
    y_mean, y_slip, Yc = centred_twice(Y, s)
    sY = Yc if s is None else Yc * s[:, None]
    cyy = np.einsum("it,it->t", Yc, sY)
    total = float(len(X)) if s is None else float(s.sum())
    x_mean = sums_in_blocks(X, s) / total
    if s is None and nearly_centred(X, x_mean):
        cxx, cxy, slip = statistics_in_blocks(X, sY, s, None, total)
        cxx -= total * x_mean[:, None] * x_mean
        cxy -= Yc.sum(axis=0)[:, None] * x_mean
    else:
        cxx, cxy, slip = statistics_in_blocks(X, sY, s, x_mean, total)
    x_mean, x_slip = two_sum(x_mean, slip)
    mass = np.full(data.T, total)
    return _named(mass, x_mean[None], y_mean, cxx[None], cxy, cyy, x_slip[None], y_slip)


def _of_sparse_rows(data: TaskData) -> dict[str, Array]:
    """The same by products of the sparse designs."""
    blocks = 1 if data.shared else data.T
    p, held = data.p, []
    cxx, x_mean, x_slip = np.empty((blocks, p, p)), np.empty((blocks, p)), np.zeros((blocks, p))
    for t in range(blocks):
        tasks = range(data.T) if data.shared else [t]
        s = None if data.weights is None else data.weights[t]
        design: Any = data.X[t]
        rows = CentredRows.of(design, s, True)
        y_mean, y_slip, Yc = centred_twice(np.column_stack([data.y[k] for k in tasks]), s)
        sY = Yc if s is None else Yc * s[:, None]
        cxx[t] = rows.gram(s)
        x_mean[t] = column_means(design, s)
        # What rounding took from the mean is seen in any row beside the same row centred.
        if rows.full.size:
            first = design[:1, rows.full].toarray()[0]
            x_slip[t, rows.full] = (first - x_mean[t, rows.full]) - rows.dense[0]
        mass = np.full(len(y_mean), float(len(Yc)) if s is None else s.sum())
        held.append((mass, y_mean, y_slip, (sY.T @ rows), np.einsum("it,it->t", Yc, sY)))
    mass, y_mean, y_slip, cxy, cyy = (np.concatenate(part) for part in zip(*held, strict=True))
    return _named(mass, x_mean, y_mean, cxx, cxy, cyy, x_slip, y_slip)


def _named(*arrays: Array) -> dict[str, Array]:
    return dict(
        zip(("mass", "x_mean", "y_mean", "cxx", "cxy", "cyy", "x_slip", "y_slip"), arrays, strict=True)
    )


def error_growth(data: TaskData) -> float:
    """γ: what Moments of dense rows hold of Σ_i s_i x_ij z_i errs by at most γ ‖√s x_j‖ ‖√s z‖, z a column of X or Y.

    A sum errs, in any order, by its number of terms times eps/2 of that; four times as much allows for the centring.
    """
    n = int(data.n.max())
    size = block_rows(data.p) if data.shared and data.T > 1 else n
    return 2 * (min(n, size) + -(-n // size) + 16) * float(np.finfo(float).eps)
