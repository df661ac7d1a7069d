"""A graph of tasks from the data alone, for GraphRegularized where nobody has drawn one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.tasks import TaskData


def nearest_task_graph(tasks: TaskData, n_neighbors: int = 5) -> NDArray[np.float64]:
    """Symmetric 0/1 adjacency (T, T): two tasks are joined where one is among the nearest of the other.

    The distance is Euclidean, between the tasks' own ridge coefficients on features divided by their standard
    deviation over all rows, with a ridge as large as the mean variance of these features: each task's coefficients
    are shrunk about half way, which keeps tasks with few rows from being far from everybody by noise alone. Labels of
    two values count as -1 and +1. Only the rows given are looked at: pass training rows, not the test.

    Parameters
    ----------
    tasks : TaskData with T >= 2
    n_neighbors : int, 1 .. T - 1

    Raises
    ------
    DataError
        other numbers of tasks or neighbours, or labels of text with more than two values

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((30, 3)) for _ in range(4)]
    >>> w = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 5], [0, 0, 5.0]])
    >>> mt.data.nearest_task_graph(mt.TaskData.from_list(X, [x @ v for x, v in zip(X, w)]), n_neighbors=1)
    array([[0., 1., 0., 0.],
           [1., 0., 0., 0.],
           [0., 0., 0., 1.],
           [0., 0., 1., 0.]])
    """
    T = tasks.T
    if T < 2:
        raise DataError(f"a graph of tasks needs at least two of them; got {T}")
    if not 1 <= n_neighbors < T:
        raise DataError(f"n_neighbors must be from 1 to {T - 1} for {T} tasks; got {n_neighbors}")
    scale = np.vstack(tasks.X).std(axis=0)
    scale[scale == 0] = 1.0
    w = np.stack(
        [_ridge((x - x.mean(axis=0)) / scale, y) for x, y in zip(tasks.X, _numbers(tasks), strict=True)]
    )
    square = np.einsum("tj,tj->t", w, w)
    distance = square[:, None] + square[None, :] - 2 * w @ w.T
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :n_neighbors]
    graph = np.zeros((T, T))
    graph[np.arange(T)[:, None], nearest] = 1.0
    return np.maximum(graph, graph.T)


def _numbers(tasks: TaskData) -> list[NDArray[np.float64]]:
    values = np.unique(np.concatenate(tasks.y))
    if len(values) == 2:
        return [np.where(y == values[1], 1.0, -1.0) for y in tasks.y]
    if values.dtype.kind in "US":
        raise DataError(f"labels of text must take two values; got {len(values)}")
    return [np.asarray(y, dtype=float) for y in tasks.y]


def _ridge(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """argmin_w |y - mean(y) - x w|^2 / (2 n) + |w|^2 / 2, through whichever Gram matrix is smaller."""
    n, p = x.shape
    r = y - y.mean()
    if p <= n:
        return np.asarray(np.linalg.solve(x.T @ x / n + np.eye(p), x.T @ r / n))
    return np.asarray(x.T @ np.linalg.solve(x @ x.T / n + np.eye(n), r / n))
