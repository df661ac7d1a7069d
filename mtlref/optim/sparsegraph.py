"""Linear systems (blockdiag(H_t) + L ⊗ I) V = R, V, R (T, p), for a sparse L (T, T): nothing here has T² numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.conjugate import conjugate_gradients
from mtlref.optim.quadratic import Quadratic

Array = NDArray[np.float64]
Solver = Callable[[Array], Array]

CG_LIMIT = 300
CG_ACCURACY = 1e-10
NO_CURVATURE = 1e-13
# Levels of curvature within this ratio are preconditioned by one factor.
SAME_LEVEL = 4.0


def over_sparse_graph(q: Quadratic, L: Any) -> Solver:
    """Conjugate gradients, preconditioned by each task's own block and by what each connected part shares.

    These do not reach far along a graph of many steps, such as a chain under a large weight. There the mean block at
    every level of L is added, by sparse factors of L + e I: graphs of many steps are those that factors do not fill.
    """
    own = np.maximum(L.diagonal(), 1e-14 * float(q.diagonal.max()) + 1e-300)
    together, least = common_moves(q, L)
    along: list[Solver] = []

    def precondition(R: Array) -> Array:
        out = q.solve_shifted(R, own)
        for further in (together, *along):
            out = out + further(R)
        return np.asarray(out)

    def times(X: Array) -> Array:
        return np.asarray(q.times(X) + L @ X)

    def solve(R: Array) -> Array:
        target = CG_ACCURACY * float(np.linalg.norm(R))
        X = conjugate_gradients(times, precondition, np.zeros_like(R), R, target, CG_LIMIT, least)
        left = R - times(X)
        if along or not float(np.linalg.norm(left)) > 2 * target:
            return X
        along.append(_mean_block_along(q, L, least))
        return conjugate_gradients(times, precondition, X, left, target, CG_LIMIT, least)

    return solve


def common_moves(q: Quadratic, L: Any) -> tuple[Solver, float]:
    """((Σ_t H_t + 1'L1)⁻¹ over each connected part: all of its tasks moved as one; what curvature is rounding)."""
    from scipy.sparse.csgraph import connected_components

    least = NO_CURVATURE * float(q.diagonal.max() + L.diagonal().max(initial=0.0))
    if q.H is None:  # factors of wide designs: a p × p matrix for each part would be larger than the data
        return np.zeros_like, least
    number, part = connected_components(L, directed=False)
    order = np.argsort(part, kind="stable")
    starts = np.searchsorted(part[order], np.arange(number))
    size = np.bincount(part)

    def sums(rows: Array) -> Array:
        return np.asarray(np.add.reduceat(rows[order], starts, axis=0))

    blocks = size[:, None, None] * q.H if len(q.H) == 1 else sums(q.H)
    level = sums(np.asarray(L.sum(axis=1)))
    e, U = np.linalg.eigh(blocks)
    curvature = e + (level + q.ridge * size)[:, None]
    inverse = np.divide(1.0, curvature, out=np.zeros_like(e), where=curvature > least * size[:, None])

    def move(R: Array) -> Array:
        along = np.matmul(sums(R)[:, None, :], U)[:, 0, :] * inverse
        return np.asarray(np.matmul(U, along[:, :, None])[:, :, 0][part])

    return move, least


def _mean_block_along(q: Quadratic, L: Any, least: float) -> Solver:
    """(H̄ + L)⁻¹ with the mean block H̄, to within SAME_LEVEL of its eigenvalues."""
    from scipy import sparse
    from scipy.sparse.linalg import splu

    if q.H is not None:
        mean = q.H.mean(axis=0)
    else:
        assert q.A is not None
        rows = np.vstack(q.A)
        mean = rows.T @ rows / q.T
    e, U = np.linalg.eigh(mean)
    e = np.maximum(e + q.ridge, max(least, 1e-12 * float(e[-1])))
    group = np.round(np.log(e) / np.log(SAME_LEVEL)).astype(int)
    factors = [
        (group == g, splu((L + float(np.median(e[group == g])) * sparse.eye_array(q.T)).tocsc(), **SYMMETRIC))
        for g in np.unique(group)
    ]

    def solve(R: Array) -> Array:
        inside, out = R @ U, np.empty_like(R)
        for own, factor in factors:
            out[:, own] = factor.solve(np.ascontiguousarray(inside[:, own]))
        return np.asarray(out @ U.T)

    return solve


# A symmetric matrix that is diagonally dominant is factored in the order that fills least, without looking for pivots.
SYMMETRIC: dict[str, Any] = {
    "permc_spec": "MMD_AT_PLUS_A",
    "diag_pivot_thresh": 0.0,
    "options": {"SymmetricMode": True},
}
