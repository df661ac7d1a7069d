"""Graph regularisation: tasks joined by an edge are pulled together, in proportion to its weight.

(P)  min over W (p, T), b (T,):   L(W, b) + lam/2 Σ_{s<t} A_st ‖w_s − w_t‖² + ridge/2 ‖W‖_F² + lam_sparse ‖W‖_1
                                  = L(W, b) + tr(W M W')/2 + lam_sparse ‖W‖_1,   M = lam (diag(A1) − A) + ridge I,
     L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t),   A (T, T) symmetric, >= 0
(D)  max over θ_t (n_t,) and G = Q + S:   −Σ_ti c_t s_ti l*(y_ti, −θ_ti / (c_t s_ti)) − tr(Q M⁺ Q')/2,
     G = [X_t' θ_t]_t (p, T)
(F)  1' θ_t = 0 for each task where an intercept is fitted; max abs(S) <= lam_sparse; Q has its rows in the range of
     M: with ridge = 0 they sum to zero over each connected part of the graph
(K)  θ_ti = −c_t s_ti l'(y_ti, x_ti' w_t + b_t);   W M = Q;   S_jt = lam_sparse sign(W_jt) where W_jt ≠ 0

Source: Evgeniou, Micchelli & Pontil 2005, section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import EPS, DataFit
from mtlref.errors import DataError
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Prepared, Start
from mtlref.linear.taskgraph import (
    part_means,
    parts_of,
    sparse_graph,
    sparse_laplacian,
    spread_conjugate,
)
from mtlref.optim.coupled import graph_solver
from mtlref.optim.coupledsparse import sparse_coupled_fit
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate
from mtlref.optim.run import Iterate
from mtlref.optim.smooth import in_row_space, quadratic_penalty
from mtlref.registry import register
from mtlref.sparserows import is_sparse

Array = NDArray[np.float64]


def laplacian(graph: Any, lam: float, ridge: float, T: int) -> Any:
    """M (T, T), sparse where the graph is; a graph of one entry joins every two tasks."""
    if is_sparse(graph):
        return sparse_laplacian(graph, lam, ridge)
    graph = np.broadcast_to(graph, (T, T))
    A = graph - np.diag(np.diag(graph))
    return np.asarray(lam * (np.diag(A.sum(axis=1)) - A) + ridge * np.eye(len(A)))


def edges(graph: Any, T: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """(s, t, A_st) of each edge, s < t; a dense graph of one entry joins every two of T tasks."""
    if is_sparse(graph):
        from scipy.sparse import triu

        upper = triu(graph, 1, format="coo")
        return *upper.coords, upper.data
    graph = np.broadcast_to(graph, (T, T))
    s, t = np.nonzero(np.triu(graph, 1))
    return s, t, graph[s, t]


def connected_parts(graph: Array) -> NDArray[np.intp]:
    """(T,): the number of the connected part that each task lies in."""
    part = np.arange(len(graph))
    for _ in range(len(graph)):  # labels spread along edges, at most T times
        lowest = np.where(graph > 0, part[None, :], len(graph)).min(axis=1)
        new = np.minimum(part, lowest)
        if (new == part).all():
            break
        part = new
    return np.unique(part, return_inverse=True)[1]


def objective(
    fit: DataFit, W: Array, b: Array, *, graph: Any, lam: float, ridge: float = 0.0, lam_sparse: float = 0.0
) -> float:
    """F(W, b)."""
    s, t, weight = edges(graph, W.shape[1])
    apart = W[:, s] - W[:, t]
    pull = lam / 2 * float(weight @ np.square(apart).sum(axis=0))
    size = ridge / 2 * float(np.vdot(W, W)) + lam_sparse * float(np.abs(W).sum())
    return fit.total(W, b) + pull + size  # (P)


def certificate(
    fit: DataFit, W: Array, b: Array, *, graph: Any, lam: float, ridge: float = 0.0, lam_sparse: float = 0.0
) -> Certificate:
    """The duality gap; G is split into Q = W M, which is feasible as it stands, and the rest, or is Q alone."""
    primal = objective(fit, W, b, graph=graph, lam=lam, ridge=ridge, lam_sparse=lam_sparse)
    M = laplacian(graph, lam, ridge, W.shape[1])
    if lam_sparse:
        point = fit.dual_point(W)
        Q = (M @ W.T).T
        polar = float(np.abs(point.G - Q).max())
        alpha = min(1.0, lam_sparse / polar) if polar > 0 else 1.0  # (F)
        dual = point.value(alpha) - float(np.square(alpha)) / 2 * float(np.vdot(Q, W))  # (D)
    else:
        parts = parts_of(graph) if is_sparse(graph) else connected_parts(np.broadcast_to(graph, M.shape))
        point = fit.dual_point(W) if ridge else fit.balanced_point(W, parts)
        # Over each connected part M is ridge on the mean and at least ridge on what differs from it.
        means = part_means(point.G, parts)
        if is_sparse(graph):
            spread, lost = spread_conjugate(point.G - means, W, graph, parts, lam=lam, ridge=ridge)
        else:
            spread, lost = _spread_conjugate(point.G - means, M, int(parts.max()) + 1)
        dual = point.value() - spread  # (D)
        if ridge:
            dual -= float(np.vdot(means, means)) / (2 * ridge)  # (D)
        else:
            dual -= fit.free_charge(point.G, W, parts)  # (F)
        point = replace(point, rounding=point.rounding + lost)
    dual = fit.raised(dual, primal, W, b)  # the penalty is >= 0, and may be too small for its dual to show
    return Certificate.from_values(primal, dual, fit.null, point.rounding, speck=fit.speck, modulus=ridge)


def _spread_conjugate(G: Array, M: Array, number: int) -> tuple[float, float]:
    """(tr(G M⁺ G')/2 without the ``number`` directions that are constant over a part, its rounding)."""
    level, V = np.linalg.eigh(M)
    if number == len(level):
        return 0.0, 0.0
    spread = float(np.square(G @ V[:, number:]).sum(axis=0) @ (1.0 / level[number:])) / 2
    return spread, EPS * float(level[-1] / level[number]) * spread


def iterates(
    problem: Problem,
    start: Start | None,
    *,
    graph: Any,
    lam: float,
    ridge: float = 0.0,
    lam_sparse: float = 0.0,
) -> Iterator[Iterate]:
    """A linear solve with refinement; Newton's method for logistic; ADMM and Newton where lam_sparse > 0."""
    M = laplacian(graph, lam, ridge, problem.T)
    if lam_sparse:
        return sparse_coupled_fit(problem, start, M, lam_sparse)
    # What the tasks of a part have in common is taken away before the product, for a graph does not see it.
    parts = parts_of(graph) if is_sparse(graph) else connected_parts(np.broadcast_to(graph, M.shape))
    first = np.unique(parts, return_index=True)[1][parts]

    def times(V: Array) -> Array:
        return np.asarray(M @ (V - V[first]) + ridge * V[first])

    def inside(part: Problem, begin: Start | None) -> Iterator[Iterate]:
        return quadratic_penalty(part, begin, times, lambda q: graph_solver(q, M))

    return in_row_space(problem, start, inside)


@register(
    family="linear",
    penalty="lam/2 Σ_{s<t} A_st ‖w_s − w_t‖² + ridge/2 ‖W‖_F² + lam_sparse ‖W‖_1",
    sources=("evgeniou2005",),
    properties=("convex", "free_mean", "graph", "permutation_equivariant"),
    required=("graph",),
)
class GraphRegularized(LinearModel):
    """Graph regularisation: tasks that a graph joins are pulled together.

    Minimises L(W, b) + lam/2 Σ_{s<t} A_st ‖w_s − w_t‖² + ridge/2 ‖W‖_F² + lam_sparse ‖W‖_1   (P)
    over W (p, T) and the unpenalised intercepts b (T,).

    Parameters
    ----------
    graph : array (T, T), symmetric, >= 0: A, in the order of the tasks of the data (``TaskData.names``; sorted labels
        in the long form). Its diagonal has no effect. One number, or an array of one entry: A_st for every two tasks.
        Any scipy.sparse matrix or array, for thousands of tasks: then nothing of the size T × T is formed. An edge list
        is ``coo_array((weights, (s, t)), shape=(T, T))``, each edge from both its ends.
    lam : float > 0, default 1.0. Multiplies the weighted squared distances; unit: loss per squared coefficient.
    ridge : float >= 0, default 0.0. With 0 the mean of each connected part is not penalised.
    lam_sparse : float >= 0, default 0.0.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. Stops when gap <= tol * F(0, b0).
    max_iter : int >= 1, default 10000.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_, result_, task_similarity_ (T, T), with the logistic loss
    classes_.

    Raises: DataError, FormError for data or parameters out of range (``fit``). Warns: NotConverged.

    Certificate: duality gap. Cost: one design O(p³ + T³); else some tens of O(T p² + T² p) products. A sparse graph of
    E edges: O(T p³) once, some tens of O(T p² + E p) products; sparse factors where many steps lie between tasks.
    Departs from the source: unpenalised intercepts, row weights, the l1 term. Source: evgeniou2005.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> model = mt.GraphRegularized([[0, 1], [1, 0]], lam=0.5, scaling="sum", fit_intercept=False)
    >>> model.fit([np.eye(2), np.eye(2)], [[2.0, 4.0], [4.0, 0.0]]).coef_.round(9)
    array([[2.5, 3. ],
           [3.5, 1. ]])
    """

    degrees = {"lam": 2, "ridge": 2, "lam_sparse": 1}
    objective = staticmethod(objective)
    certificate = staticmethod(certificate)
    iterates = staticmethod(iterates)
    sparse_rows = True

    def __init__(
        self,
        graph: Any,
        lam: float = 1.0,
        *,
        ridge: float = 0.0,
        lam_sparse: float = 0.0,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 10000,
    ) -> None:
        self.graph = graph
        self.lam: Any = lam
        self.ridge = ridge
        self.lam_sparse = lam_sparse
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def _weights(self) -> dict[str, Any]:
        return {**super()._weights(), "graph": _check_graph(self.graph)}

    def _prepare(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> Prepared:
        ready = super()._prepare(X, y, tasks, sample_weight)
        T = ready.data.T
        shape = _check_graph(self.graph).shape
        if shape not in ((T, T), (1, 1)):
            raise DataError(f"graph must have shape ({T}, {T}), a row for each task; got {shape}")
        return ready


def _check_graph(graph: Any) -> Any:
    """The graph as an array of floats, dense or sparse as it came."""
    if is_sparse(graph):
        A = sparse_graph(graph)
        inputs.check_finite(A.data, "graph")
    else:
        A = inputs.as_float([[graph]] if np.ndim(graph) == 0 else graph, "graph", 2)
        inputs.check_finite(A, "graph")
    if A.shape[0] != A.shape[1]:
        raise DataError(f"graph must be square, (T, T); got shape {A.shape}")
    if (A != A.T).sum():
        raise DataError("graph must be symmetric; got graph[s, t] != graph[t, s]")
    if A.min() < 0:
        raise DataError(f"graph must be >= 0; got {A.min()!r}")
    return A
