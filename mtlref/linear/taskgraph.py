"""A graph of tasks that is held sparse: its edges, its connected parts, and the conjugate of its quadratic form.

    sup_V <G, V> − tr(V M V')/2 = <G, V> − tr(V M V')/2 + tr(E M⁺ E')/2,   E = G − V M,   for every V (p, T),

G (p, T) with rows that sum to zero over each connected part, and so E; M = lam (diag(A1) − A) + ridge I. There is no
T × T array: V is moved until tr(E M⁺ E') <= ‖E‖² / level is negligible, where level bounds the eigenvalues of M from
below on what sums to zero over the parts. A wrong V makes the value larger, never smaller.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.sparserows import is_sparse

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)
# What is left of E may cost this share of the value.
NEGLIGIBLE = 1e-13
# Below this share of M's diagonal the ridge does not keep a factor of M from being singular.
ALL_BUT_SINGULAR = 1e-12
STEPS, ENOUGH = 200, 1e-12
REFINEMENTS = 3


def sparse_graph(graph: Any) -> Any:
    """A scipy.sparse graph as floats by rows, weights of the same edge added up, without its diagonal and zeros."""
    from scipy import sparse

    A = sparse.csr_array(graph, dtype=float, copy=True)
    A.sum_duplicates()
    if A.shape[0] == A.shape[1]:
        A = sparse.csr_array(A - sparse.diags_array(A.diagonal()))
    A.eliminate_zeros()
    return A


def dense_graph(graph: Any, T: int) -> Array:
    """A (T, T) as an array, for what looks at every pair of tasks."""
    return np.broadcast_to(graph.toarray() if is_sparse(graph) else np.asarray(graph, dtype=float), (T, T))


def sparse_laplacian(graph: Any, lam: float, ridge: float) -> Any:
    """M (T, T), sparse."""
    from scipy import sparse

    own = lam * np.asarray(graph.sum(axis=1)) + ridge
    return (sparse.diags_array(own) - lam * graph).tocsr()


def parts_of(graph: Any) -> NDArray[np.intp]:
    """(T,): the number of the connected part that each task lies in."""
    from scipy.sparse.csgraph import connected_components

    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


def part_means(G: Array, parts: NDArray[np.intp]) -> Array:
    """(p, T): the mean of G (p, T) over the part of each task."""
    order = np.argsort(parts, kind="stable")
    starts = np.searchsorted(parts[order], np.arange(parts.max() + 1))
    means = np.add.reduceat(G[:, order], starts, axis=1) / np.bincount(parts)
    return np.asarray(means[:, parts])


def spread_level(graph: Any, parts: NDArray[np.intp]) -> float:
    """A lower bound of the eigenvalues of diag(A1) − A on what sums to zero over each part.

    Of all graphs that join n tasks by weights of at least a the path has the smallest: 4 a sin²(π / 2n) >= 4 a / n²
    (Fiedler 1973). a is the weakest edge of the heaviest spanning tree, for dropping edges only lowers eigenvalues.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree

    tree = minimum_spanning_tree(-graph)
    if tree.nnz == 0:
        return np.inf
    return 4.0 * float((-tree.data).min()) / float(np.bincount(parts).max()) ** 2


def spread_conjugate(
    G: Array, W: Array, graph: Any, parts: NDArray[np.intp], *, lam: float, ridge: float
) -> tuple[float, float]:
    """(the conjugate at G from above, its rounding), V moved from W; G sums to zero over each part."""
    level = lam * spread_level(graph, parts) + ridge
    if not np.isfinite(level):  # no edge: G is zero
        return 0.0, 0.0
    M = sparse_laplacian(graph, lam, ridge)
    V = W - part_means(W, parts)
    factor = None
    for turn in range(REFINEMENTS + 1):
        VM = (M @ V.T).T
        E = G - VM
        E = E - part_means(E, parts)  # what rounding left of their sums has no image under M⁺
        held = float(np.vdot(G, V)), float(np.vdot(VM, V)) / 2
        left = float(np.vdot(E, E)) / (2 * level)
        if turn == REFINEMENTS or left <= NEGLIGIBLE * max(abs(held[0]), held[1]):
            break
        if turn == 0:
            move = _by_steps(M, E)
        else:
            factor = _factor(M, parts, ridge) if factor is None else factor
            move = factor(E)
        V = V + move - part_means(V + move, parts)
    rounding = 8 * EPS * (float(np.vdot(np.abs(G), np.abs(V))) + held[1])
    return held[0] - held[1] + left, rounding


def _by_steps(M: Any, E: Array) -> Array:
    """An approximate E M⁺ by conjugate gradients in the scale of M's diagonal: enough where few steps join tasks."""
    scale = M.diagonal()
    scale[scale <= 0] = 1.0
    X, left = np.zeros_like(E), E
    Z = left / scale
    P, size = Z, float(np.vdot(left, Z))
    enough = ENOUGH**2 * size
    for _ in range(STEPS):
        MP = (M @ P.T).T
        bend = float(np.vdot(P, MP))
        if not (size > enough and bend > 0):
            break
        X, left = X + size / bend * P, left - size / bend * MP
        Z = left / scale
        new = float(np.vdot(left, Z))
        P, size = Z + new / size * P, new
    return X


def _factor(M: Any, parts: NDArray[np.intp], ridge: float) -> Any:
    """E -> E M⁺ up to constants over the parts, by a sparse factor; if M is singular, without a task of each part."""
    from scipy.sparse.linalg import splu

    free = np.ones(len(parts), dtype=np.bool_)
    if not ridge > ALL_BUT_SINGULAR * float(M.diagonal().max()):
        free[np.unique(parts, return_index=True)[1]] = False
    factor = splu(
        M[free][:, free].tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )

    def solve(E: Array) -> Array:
        out = np.zeros_like(E)
        out[:, free] = factor.solve(np.ascontiguousarray(E[:, free].T)).T
        return out

    return solve
