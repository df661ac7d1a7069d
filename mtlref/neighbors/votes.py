"""What the rows near a row say, task by task: the votes that a local method weighs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
# Distances are held for so many pairs of rows at a time.
PAIRS = 4_000_000


@dataclass(frozen=True)
class Local:
    """The data of (P): per task votes A_t (n_t, T), targets y_t, offset b_t and c_t u_ti (n_t,); the loss by name."""

    A: tuple[Array, ...]
    y: tuple[Array, ...]
    b: Array
    c: tuple[Array, ...]
    loss: str

    def scores(self, S: Array) -> list[Array]:
        """b_t + A_t σ_t."""
        return [b + A @ s for A, s, b in zip(self.A, S, self.b, strict=True)]


@dataclass(frozen=True)
class Memory:
    """The rows that vote: X (N, p), their task's place (N,), and what they say, y (N,); T tasks."""

    X: Array
    task: NDArray[np.intp]
    y: Array
    T: int

    def nearest(self, rows: Array, k: int, itself: bool) -> tuple[NDArray[np.intp], Array]:
        """(places, squared distances), (m, k) each, of the k rows nearest to each of ``rows`` (m, p).

        itself : ``rows`` are those of the memory, and a row is not its own neighbour. Of rows at the same distance as
        the k-th the earlier ones are taken; a row's neighbours come in the order of the memory.
        """
        m, N = len(rows), len(self.X)
        places, squares = np.empty((m, k), dtype=np.intp), np.empty((m, k))
        size = max(1, PAIRS // N)
        norms = np.einsum("ij,ij->i", self.X, self.X)
        for a in range(0, m, size):
            part = rows[a : a + size]
            d = np.einsum("ij,ij->i", part, part)[:, None] + norms - 2 * part @ self.X.T
            d = np.maximum(d, 0.0)
            if itself:
                d[np.arange(len(part)), np.arange(a, a + len(part))] = np.inf
            kth = np.partition(d, k - 1, axis=1)[:, k - 1 : k]
            near, level = d < kth, d == kth
            chosen = near | (level & (level.cumsum(axis=1) <= k - near.sum(axis=1, keepdims=True)))
            where = np.nonzero(chosen)[1].reshape(len(part), k)
            places[a : a + size] = where
            squares[a : a + size] = np.take_along_axis(d, where, axis=1)
        return places, squares

    def votes(self, places: NDArray[np.intp], squares: Array, bandwidth: float) -> Array:
        """(m, T): a_iq = Σ of s_ij y_j over the neighbours j of task q.

        s_ij is exp(−d²_ij / (2 bandwidth²)), divided by its sum over the neighbours.
        """
        m = len(places)
        # The nearest one's exponent is taken off all: it cancels, and far rows do not underflow together.
        weight = np.exp((squares.min(axis=1, keepdims=True) - squares) / (2 * bandwidth**2))
        weight /= weight.sum(axis=1, keepdims=True)
        cell = np.arange(m)[:, None] * self.T + self.task[places]
        said = np.bincount(cell.ravel(), (weight * self.y[places]).ravel(), minlength=m * self.T)
        return np.asarray(said.reshape(m, self.T))


def constants(data: TaskData, loss: str, fit_intercept: bool) -> tuple[Array, Array]:
    """(m, b): the tasks' means, and the best constants under the loss; zeros without an intercept.

    Raises DataError for a task of one class, which has no finite constant under the logistic loss.
    """
    if not fit_intercept:
        return np.zeros(data.T), np.zeros(data.T)
    weights = data.weights or [None] * data.T
    means = np.array([np.average(v, weights=u) for v, u in zip(data.y, weights, strict=True)])
    if loss == "squared":
        return means, means
    for name, mean in zip(data.names, means, strict=True):
        if abs(mean) == 1:
            raise DataError(f"every task needs rows of both classes; task {name!r} has one only")
    return means, np.log1p(means) - np.log1p(-means)
