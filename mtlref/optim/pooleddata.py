"""One task made of the rows of all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mtlref.moments import Moments
from mtlref.sparserows import stacked
from mtlref.tasks import TaskData

Array = NDArray[np.float64]


def pooled_moments(data: Moments, c: Array) -> Moments:
    """The moments of the rows of all tasks, each weighted by its c_t (T,)."""
    own = data.per_task()
    share = c * own.mass
    total = share.sum()
    x_mean, y_mean = share @ own.x_mean / total, share @ own.y_mean / total
    dx, dy = own.x_mean - x_mean, own.y_mean - y_mean
    return replace(
        own,
        names=("all",),
        mass=np.array([total]),
        count=np.array([own.N]),
        x_mean=x_mean[None],
        y_mean=np.array([y_mean]),
        cxx=(np.einsum("t,tij->ij", c, own.cxx) + (share[:, None] * dx).T @ dx)[None],
        cxy=(c @ own.cxy + (share * dy) @ dx)[None],
        cyy=np.array([c @ own.cyy + share @ dy**2]),
        x_slip=0.0,
        y_slip=0.0,
    )


def pooled_rows(data: TaskData, masses: tuple[Array, ...], loss: str) -> TaskData:
    """The rows of all tasks with weights ``masses``, (n_t,) each.

    Of one design each row once with the mean target, or with the logistic loss once a class.
    """
    if not data.shared:
        return TaskData.from_list(
            [stacked(data.X)], [np.concatenate(data.y)], weights=[np.concatenate(masses)]
        )
    Y, mass = np.column_stack(data.y), np.column_stack(masses)
    if loss == "squared":
        total = mass.sum(axis=1)
        mean = np.divide((mass * Y).sum(axis=1), total, out=np.zeros(len(Y)), where=total > 0)
        return TaskData.from_list([data.X[0]], [mean], weights=[total])
    up, down = (mass * (Y > 0)).sum(axis=1), (mass * (Y < 0)).sum(axis=1)
    signs = np.repeat([1.0, -1.0], len(Y))
    return TaskData.from_list([stacked([data.X[0]] * 2)], [signs], weights=[np.concatenate([up, down])])
