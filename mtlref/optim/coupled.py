"""Linear systems (blockdiag(H_t) + L ⊗ I) V = R, which quadratic penalties tr(W L W')/2 lead to; V, R (T, p)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from mtlref.optim.conjugate import conjugate_gradients
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.sparsegraph import over_sparse_graph
from mtlref.optim.stacks import inverses

Array = NDArray[np.float64]
Solver = Callable[[Array], Array]

# Up to so many unknowns the whole matrix is factored.
DENSE = 300
CG_LIMIT = 500
CG_ACCURACY = 1e-10
NO_CURVATURE = 1e-13
EPS = float(np.finfo(float).eps)
# Eigenvalues below this share of the largest are half rounding.
CANCELLED = 1e-8
# What is smaller beside a unit diagonal is rounding.
FLOOR = 1e-14
# Columns 1e4 apart.
GRADED = 1e8
# Squares of rounding: what is smaller beside the largest is no unit but a zero that a change of coordinates left.
NOISE = 1e-25
# Beyond this multiple of the curvature a coupling leaves differences below rounding.
RIGID = 1e16


def around_mean(q: Quadratic, spread: float, level: float) -> Solver:
    """L = spread (I − J) + level J, J = 11'/T: in closed form, by one p × p system for the mean.

    v_t = K_t (r_t + (spread − level) v̄) with K_t = (H_t + spread I)⁻¹, and averaging over t gives v̄.
    """
    if graded(q):
        return _graded_mean(q, spread, level)
    e, U = q.spectrum
    full = U.shape[1] == U.shape[2]
    rigid = spread > RIGID * (e.max() + level)
    if rigid:  # the tasks differ by less than rounding: only their mean is left to find
        spread = RIGID * (float(e.max()) + level) or 1.0
    # mean_t (I − (spread − level) K_t) without the cancellation of that difference for a large spread.
    shrunk = (e + level) / (e + spread) if full else (e + level) / (e + spread) - level / spread
    M = np.einsum("tik,tk,tjk->ij", U, shrunk, U, optimize=True) / len(U)
    if not full:
        M[np.diag_indices_from(M)] += level / spread
    d, Q = np.linalg.eigh((M + M.T) / 2)
    cut = d > 1e-14 * max(d[-1], 0.0)
    inverse = np.divide(1.0, d, out=np.zeros_like(d), where=cut)

    def solve(R: Array) -> Array:
        alone = q.solve_shifted(R, spread)
        mean = Q @ (inverse * (Q.T @ alone.mean(axis=0)))
        if rigid:
            return np.repeat(mean[None], len(R), axis=0)
        if spread == level:
            return alone
        return alone + (spread - level) * q.solve_shifted(np.broadcast_to(mean, R.shape), spread)

    return solve


def graph_solver(q: Quadratic, L: Any) -> Solver:
    """Any L ⪰ 0 (T, T), dense or sparse."""
    return over_graph(q, L) if isinstance(L, np.ndarray) else over_sparse_graph(q, L)


def graded(q: Quadratic, coupling: float = 0.0) -> bool:
    """Whether columns' units, or theirs and a coupling, are so far apart that the largest hide the smallest."""
    if q.H is None:
        return False
    size = q.diagonal.mean(axis=0)
    least = float(size[size > 0].min(initial=np.inf))
    most = float(size.max())
    return NOISE * most < least < max(most, coupling) / GRADED


def _graded_mean(q: Quadratic, spread: float, level: float) -> Solver:
    """``around_mean`` by elimination in the coordinates w_j / s_j in which no column is larger than another.

    There the mean's system is mean_t(C_t⁻¹ (S H_t S + level S²)), C_t = S H_t S + spread S², S = diag(s). A column that
    the spread outweighs is as small in it as in H: its own unit takes the mean's system to a diagonal near one.
    """
    assert q.H is not None
    size = q.diagonal.mean(axis=0)
    s = 1.0 / np.sqrt(size + spread)
    inside = q.H * s[:, None] * s
    squares = np.diag(s * s)
    inverse = _inverses(inside + (q.ridge + spread) * squares)
    shares = np.matmul(inverse, inside + (q.ridge + level) * squares).mean(axis=0)
    unit = s * np.sqrt(size + level)
    unit = np.where(unit > 0, unit, 1.0)
    # What neither the data nor the level bend is left where it is.
    back = np.linalg.pinv(shares / unit[:, None] / unit, rcond=FLOOR)

    def solve(R: Array) -> Array:
        alone = np.matmul(inverse, (R * s)[:, :, None])[:, :, 0]
        mean = (back @ (alone.mean(axis=0) / unit)) / unit
        pull = np.matmul(inverse, (spread - level) * (s * s * mean)[:, None])[:, :, 0]
        return np.asarray((alone + pull) * s)

    return solve


def over_graph(q: Quadratic, L: Array) -> Solver:
    """Any L ⪰ 0 (T, T): exactly for one design or few unknowns, else by preconditioned conjugate gradients."""
    level, V = np.linalg.eigh(L)
    level = np.maximum(level, 0.0)
    alike = q.shared or q.T == 1
    if (alike or q.T * q.p <= DENSE) and graded(q, float(level[-1])):
        return _at_unit_diagonal(q, *_common(L, level, V))
    if alike:
        return _one_design(q, level, V)
    if q.T * q.p <= DENSE:
        return _dense(q, L)
    return _conjugate_gradients(q, L, level, V)


def _common(L: Array, level: Array, V: Array) -> tuple[Array, Array]:
    """The eigenvalues and eigenvectors, those of a graph's connected parts, which are constant there, without rounding.

    What rounding adds to such an eigenvalue would outweigh small columns, and to its vector pull tasks apart.
    """
    from scipy.sparse.csgraph import connected_components

    small = int((level < CANCELLED * level[-1]).sum())
    parts = np.unique(connected_components(L != 0, directed=False)[1], return_inverse=True)[1]
    if small != parts.max() + 1:
        return level, V
    constant = (parts[:, None] == np.arange(small)) / np.sqrt(np.bincount(parts))
    if not np.abs(constant @ (constant.T @ V[:, :small]) - V[:, :small]).max() < CANCELLED:
        return level, V
    own = L.sum(axis=1)
    own[np.abs(own) <= len(L) * EPS * np.abs(L).sum(axis=1)] = 0.0
    known = np.maximum(own @ constant**2, 0.0)
    return np.append(known, level[small:]), np.column_stack([constant, V[:, small:]])


def _one_design(q: Quadratic, level: Array, V: Array) -> Solver:
    """(H + level_k I)⁻¹ in the eigenvectors of L, without the directions that have no curvature at all."""
    e, U = q.spectrum
    inside, outside = e[0] + (level + q.ridge)[:, None], level + q.ridge
    cut = 1e-14 * float(inside.max())
    inside = np.divide(1.0, inside, out=np.zeros_like(inside), where=inside > cut)
    outside = np.divide(1.0, outside, out=np.zeros_like(outside), where=outside > cut)
    full = U.shape[1] == U.shape[2]

    def solve(R: Array) -> Array:
        B = V.T @ R
        at = B @ U[0]
        out = (at * inside) @ U[0].T
        if not full:
            out = out + outside[:, None] * (B - at @ U[0].T)
        return np.asarray(V @ out)

    return solve


def _floor(q: Quadratic) -> float:
    """A shift below rounding, so that a singular system has a solution; refinement keeps its fixed points."""
    return 1e-14 * float(q.diagonal.max()) + 1e-300


def _dense(q: Quadratic, L: Array) -> Solver:
    T, p = q.T, q.p
    M = np.kron(L, np.eye(p)).reshape(T, p, T, p)
    H = q.restrict(np.arange(p)).H if q.H is None else q.H
    assert H is not None
    t = np.arange(T)
    M[t, :, t, :] += H
    flat = M.reshape(T * p, T * p)
    flat[np.diag_indices_from(flat)] += q.ridge + _floor(q)
    try:
        factor = cho_factor(flat, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        pseudo = np.linalg.pinv(flat, hermitian=True)
        return lambda R: np.asarray((pseudo @ R.ravel()).reshape(T, p))
    return lambda R: np.asarray(cho_solve(factor, R.ravel(), check_finite=False).reshape(T, p))


def _at_unit_diagonal(q: Quadratic, level: Array, V: Array) -> Solver:
    """In the eigenvectors of L and at a unit diagonal there, so that nothing hides a column that the coupling outweighs
    but where it leaves tasks free to move together."""
    assert q.H is not None
    T, p = q.T, q.p
    if len(q.H) == 1:  # a system a level
        M = q.H + (q.ridge + level)[:, None, None] * np.eye(p)
    else:
        M = np.einsum("tk,tl,tij->kilj", V, V, q.H, optimize=True).reshape(1, T * p, T * p)
        M[0][np.diag_indices(T * p)] += np.repeat(q.ridge + level, p)
    size = np.einsum("kii->ki", M)
    s = 1.0 / np.sqrt(np.where(size > 0, size, 1.0))
    inverse = _inverses(M * s[:, :, None] * s[:, None, :])

    def solve(R: Array) -> Array:
        B = s * (V.T @ R).reshape(s.shape)
        return np.asarray(V @ (s * np.matmul(inverse, B[:, :, None])[:, :, 0]).reshape(T, p))

    return solve


def _conjugate_gradients(q: Quadratic, L: Array, level: Array, V: Array) -> Solver:
    """Preconditioned by each task's own block and, for what neighbours share, by ``mean_at_levels``."""
    own = np.maximum(np.diag(L), _floor(q))
    smooth, least = mean_at_levels(q, level, V)

    def precondition(R: Array) -> Array:
        return np.asarray(q.solve_shifted(R, own) + smooth(R))

    def times(X: Array) -> Array:
        return np.asarray(q.times(X) + L @ X)

    def solve(R: Array) -> Array:
        target = CG_ACCURACY * float(np.linalg.norm(R))
        return conjugate_gradients(times, precondition, np.zeros_like(R), R, target, CG_LIMIT, least)

    return solve


def mean_at_levels(q: Quadratic, level: Array, V: Array) -> tuple[Solver, float]:
    """((H̄ + ridge + L)⁻¹ with the mean block H̄ and L = V diag(level) V', what curvature is rounding)."""
    mean = _mean_block(q)
    e, U = np.linalg.eigh(mean)
    e = np.maximum(e, 0.0)
    curvature = e[None, :] + level[:, None] + q.ridge
    # What the mean block and the graph both leave free has no right-hand side but rounding, which must not grow.
    least = NO_CURVATURE * float(curvature.max())
    inverse = np.divide(1.0, curvature, out=np.zeros_like(curvature), where=curvature > least)

    def smooth(R: Array) -> Array:
        return np.asarray(V @ (((V.T @ R) @ U) * inverse) @ U.T)

    return smooth, least


def _mean_block(q: Quadratic) -> Array:
    if q.H is not None:
        return np.asarray(q.H.mean(axis=0))
    assert q.A is not None
    rows = np.vstack(q.A)
    return np.asarray(rows.T @ rows / q.T)


def _inverses(M: Array) -> Array:
    """(k, m, m): M_k⁻¹ at about a unit diagonal, to which FLOOR is added; pseudoinverses where one is not definite."""
    try:
        return inverses(M, FLOOR)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(M + FLOOR * np.eye(M.shape[1]), rcond=FLOOR, hermitian=True))
