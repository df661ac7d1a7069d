"""Loss plus tr(V' M V)/2 plus lam ‖V‖_1, tasks coupled by M: ADMM until the zeros are known, Newton on the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.admm import RELAXATION
from mtlref.optim.coupled import graph_solver
from mtlref.optim.problem import Problem
from mtlref.optim.proxnewton import prox_newton
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.spectral import natural_rho

Array = NDArray[np.float64]
Start = tuple[Array, Array]
ROUND = 25
# A round after each change of rho is longer, so that the changes come to an end; a smaller one is not worth a factor.
LONGER = 1.1
NEAR = 1.5
NEWTON_ROUND = 8
INNER_LIMIT = 60


def sparse_coupled_fit(problem: Problem, start: Start | None, M: Any, lam: float) -> Iterator[Iterate]:
    """Iterates for L(W, b) + tr(W M W')/2 + lam ‖W‖_1."""
    if problem.loss == "squared":
        V0 = np.zeros((problem.T, problem.p)) if start is None else start[0].T
        for V, _ in _quadratic(problem.quadratic, M, lam, V0):
            yield V.T, None
        return

    def inner(q: Quadratic, V: Array) -> Array:
        for k, (V, settled) in enumerate(_quadratic(q, M, lam, V)):
            if settled or k >= INNER_LIMIT:
                break
        return V

    def penalty(V: Array) -> float:
        return float(np.vdot(V, M @ V)) / 2 + lam * float(np.abs(V).sum())

    yield from prox_newton(problem, penalty, inner, start)


def _quadratic(q: Quadratic, M: Any, lam: float, V: Array) -> Iterator[tuple[Array, bool]]:
    """Yields (V, settled)."""
    rho = natural_rho(q)

    def pull(V: Array) -> Array:
        """Minus the gradient of the smooth part."""
        return np.asarray(q.r - q.times(V) - M @ V)

    def miss(V: Array) -> float:
        g = pull(V)
        return (
            float(np.where(V != 0, np.abs(g - lam * np.sign(V)), np.maximum(np.abs(g) - lam, 0.0)).max())
            / lam
        )

    settled_at = 1e-12 + 32 * np.finfo(float).eps * float(np.abs(q.r).max()) / lam
    solve = graph_solver(q.with_ridge(rho), M)
    # Between rounds ADMM keeps its own point: begun anew from V at each, it can go round for ever.
    Z, U, steps = V, pull(V) / rho, float(ROUND)
    while True:
        primal, dual = 0.0, 0.0
        for _ in range(int(steps)):
            X = solve(q.r + rho * (Z - U))
            relaxed = RELAXATION * X + (1 - RELAXATION) * Z
            old = Z
            Z = np.sign(relaxed + U) * np.maximum(np.abs(relaxed + U) - lam / rho, 0.0)
            U = U + relaxed - Z
            primal, dual = float(np.linalg.norm(X - Z)), rho * float(np.linalg.norm(Z - old))
        V = Z
        yield V, bool(miss(V) <= settled_at)
        size, force = float(np.linalg.norm(V)), rho * float(np.linalg.norm(U))
        if primal > 0 and dual > 0 and size > 0 and force > 0:
            change = float(np.clip(np.sqrt((primal / size) / (dual / force)), 0.1, 10.0))
            if not 1 / NEAR <= change <= NEAR:
                rho, U, steps = rho * change, U / change, steps * LONGER
                solve = graph_solver(q.with_ridge(rho), M)
        for _ in range(NEWTON_ROUND):
            before = miss(V)
            trial = _newton(q, M, lam, V, pull(V))
            if trial is None or not miss(trial) < before:
                break
            V = trial
            yield V, bool(miss(V) <= settled_at)


def _newton(q: Quadratic, M: Any, lam: float, V: Array, g: Array) -> Array | None:
    """One Newton step on the entries that are not zero, all tasks in one system; None where signs would change."""
    on = V != 0
    count = int(on.sum())
    if count == 0 or count > 3000:
        return None
    t, j = np.nonzero(on)
    H = q.H if q.H is not None else q.restrict(np.arange(q.p)).H
    assert H is not None
    pairs = M[t[:, None], t[None, :]] if isinstance(M, np.ndarray) else M[t][:, t].toarray()
    K = np.where(j[:, None] == j[None, :], pairs, 0.0)
    same = t[:, None] == t[None, :]
    blocks = H[0][j[:, None], j[None, :]] if len(H) == 1 else H[t[:, None], j[:, None], j[None, :]]
    K = K + np.where(same, blocks, 0.0)
    K[np.diag_indices(count)] += q.ridge + 1e-13 * float(np.diag(K).max())
    try:
        step = np.linalg.solve(K, g[on] - lam * np.sign(V[on]))
    except np.linalg.LinAlgError:
        return None
    trial = V.copy()
    trial[on] += step
    return trial if (np.sign(trial) == np.sign(V)).all() else None
