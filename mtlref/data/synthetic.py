"""Problems with a known truth: data drawn from coefficients that have the structure a penalty looks for.

All return (TaskData, W, b): the data, the true coefficients (p, T) and the true intercepts (T,).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtlref.errors import DataError
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
Problem = tuple[TaskData, Array, Array]


def make_joint_features(
    T: int = 10,
    p: int = 30,
    n: int | tuple[int, int] = 40,
    n_relevant: int = 5,
    *,
    noise: float = 1.0,
    loss: Literal["squared", "logistic"] = "squared",
    shared: bool = False,
    random_state: int | np.random.Generator | None = None,
) -> Problem:
    """Coefficients that are zero in all rows but ``n_relevant``, the same for all tasks: the case of JointFeature.

    Parameters
    ----------
    T : number of tasks
    p : number of features
    n : rows of each task, or (least, most): each task draws its own number
    n_relevant : rows of W that are not zero, 0 .. p
    noise : standard deviation of the targets around the model ("squared"); "logistic" draws labels -1 and +1 with
        probability 1 / (1 + exp(-z)), where noise divides z
    shared : one design for all tasks
    random_state : int, Generator or None

    Raises DataError for numbers out of range.

    Examples
    --------
    >>> import mtlref as mt
    >>> data, W, b = mt.data.make_joint_features(T=4, p=6, n=(5, 9), n_relevant=2, random_state=0)
    >>> data.T, data.p, int((W != 0).any(axis=1).sum())
    (4, 6, 2)
    """
    rng = np.random.default_rng(random_state)
    _within(n_relevant, "n_relevant", 0, p)
    W = np.zeros((p, T))
    rows = rng.choice(p, size=n_relevant, replace=False)
    W[rows] = rng.standard_normal((n_relevant, T))
    return _draw(W, n, noise, loss, shared, rng)


def make_low_rank(
    T: int = 10,
    p: int = 30,
    n: int | tuple[int, int] = 40,
    rank: int = 2,
    *,
    noise: float = 1.0,
    loss: Literal["squared", "logistic"] = "squared",
    shared: bool = False,
    random_state: int | np.random.Generator | None = None,
) -> Problem:
    """Coefficients W = U V' of the given rank: the case of TraceNorm. Parameters as in ``make_joint_features``.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data, W, b = mt.data.make_low_rank(T=6, p=8, rank=2, random_state=0)
    >>> int(np.linalg.matrix_rank(W))
    2
    """
    rng = np.random.default_rng(random_state)
    _within(rank, "rank", 0, min(p, T))
    W = rng.standard_normal((p, rank)) @ rng.standard_normal((rank, T)) / np.sqrt(max(rank, 1))
    return _draw(W, n, noise, loss, shared, rng)


def make_around_mean(
    T: int = 10,
    p: int = 30,
    n: int | tuple[int, int] = 40,
    spread: float = 0.3,
    *,
    noise: float = 1.0,
    loss: Literal["squared", "logistic"] = "squared",
    shared: bool = False,
    random_state: int | np.random.Generator | None = None,
) -> Problem:
    """Tasks scattered around one vector, w_t = w + spread e_t: the case of MeanRegularized.

    ``spread`` >= 0; 0 gives one model for all tasks, the case of Pooled. Others as in ``make_joint_features``.

    Examples
    --------
    >>> import mtlref as mt
    >>> data, W, b = mt.data.make_around_mean(T=3, p=4, spread=0.0, random_state=0)
    >>> bool((W == W[:, :1]).all())
    True
    """
    rng = np.random.default_rng(random_state)
    if not spread >= 0:
        raise DataError(f"spread must be >= 0; got {spread}")
    W = rng.standard_normal((p, 1)) + spread * rng.standard_normal((p, T))
    return _draw(W, n, noise, loss, shared, rng)


def make_clusters(
    T: int = 12,
    p: int = 30,
    n: int | tuple[int, int] = 40,
    n_clusters: int = 3,
    spread: float = 0.2,
    *,
    noise: float = 1.0,
    loss: Literal["squared", "logistic"] = "squared",
    shared: bool = False,
    random_state: int | np.random.Generator | None = None,
) -> Problem:
    """Tasks in clusters, task t in cluster t mod n_clusters: the case of GraphRegularized.

    ``cluster_graph(T, n_clusters)`` is the graph that joins the tasks of a cluster. Others as in
    ``make_around_mean``.

    Examples
    --------
    >>> import mtlref as mt
    >>> data, W, b = mt.data.make_clusters(T=4, n_clusters=2, spread=0.0, random_state=0)
    >>> bool((W[:, 0] == W[:, 2]).all()), bool((W[:, 0] == W[:, 1]).all())
    (True, False)
    """
    rng = np.random.default_rng(random_state)
    _within(n_clusters, "n_clusters", 1, T)
    if not spread >= 0:
        raise DataError(f"spread must be >= 0; got {spread}")
    centres = rng.standard_normal((p, n_clusters))
    W = centres[:, np.arange(T) % n_clusters] + spread * rng.standard_normal((p, T))
    return _draw(W, n, noise, loss, shared, rng)


def cluster_graph(T: int, n_clusters: int) -> Array:
    """Adjacency (T, T), 1 between different tasks whose places are equal modulo n_clusters.

    Examples
    --------
    >>> import mtlref as mt
    >>> mt.data.cluster_graph(3, 2)
    array([[0., 0., 1.],
           [0., 0., 0.],
           [1., 0., 0.]])
    """
    _within(n_clusters, "n_clusters", 1, T)
    of = np.arange(T) % n_clusters
    return (of[:, None] == of[None, :]).astype(float) - np.eye(T)


def _within(value: int, name: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise DataError(f"{name} must be from {least} to {most}; got {value}")


def _draw(
    W: Array, n: int | tuple[int, int], noise: float, loss: str, shared: bool, rng: np.random.Generator
) -> Problem:
    p, T = int(W.shape[0]), int(W.shape[1])
    if loss not in ("squared", "logistic"):
        raise DataError(f"loss must be 'squared' or 'logistic'; got {loss!r}")
    if not noise >= 0 or (loss == "logistic" and noise == 0):
        raise DataError(f"noise must be {'> 0' if loss == 'logistic' else '>= 0'}; got {noise}")
    least, most = (n, n) if isinstance(n, int) else n
    if not 1 <= least <= most:
        raise DataError(f"n must be at least 1 row, or (least, most); got {n}")
    if shared and least != most:
        raise DataError(f"a shared design has one number of rows; got n={n}")
    sizes = [int(v) for v in rng.integers(least, most, size=T, endpoint=True)]
    b = rng.standard_normal(T)
    if shared:
        X = rng.standard_normal((least, p))
        Y = np.column_stack([_targets(X @ W[:, t] + b[t], noise, loss, rng) for t in range(T)])
        return TaskData.from_shared(X, Y), W, b
    designs = [rng.standard_normal((size, p)) for size in sizes]
    targets: list[Any] = [_targets(x @ W[:, t] + b[t], noise, loss, rng) for t, x in enumerate(designs)]
    return TaskData.from_list(designs, targets), W, b


def _targets(z: Array, noise: float, loss: str, rng: np.random.Generator) -> Array:
    if loss == "squared":
        return z + noise * rng.standard_normal(len(z))
    y = np.where(rng.random(len(z)) < expit(z / noise), 1.0, -1.0)
    # A task of one label has no finite best intercept: its least certain row takes the other label.
    if len(y) > 1 and (y == y[0]).all():
        y[np.argmin(y * z)] *= -1
    return y
