"""Alternation between W, by a linear solve, and the structure that its penalty is built on: clusters or a subspace.

With a structure S fixed the penalty is quadratic, spread/2 ‖V − S(V)‖² + level/2 ‖S(V)‖², where S(V) are the means of
the clusters, or the projections onto the subspace. Neither step raises the objective.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.coupled import Solver, around_mean
from mtlref.optim.problem import Problem
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.run import Iterate
from mtlref.optim.smooth import in_row_space, quadratic_penalty

Array = NDArray[np.float64]
Labels = NDArray[np.intp]
Start = tuple[Array, Array]
# Labels (T,), or a basis (p, k).
Structure = Any
# The search needs W to this share of its size; the answer is solved to its certificate afterwards.
SETTLED = 1e-9
# While the best start is looked for, Newton's method for other losses may end a step earlier.
SEARCHED = 1e-3
STEPS = 60
ROUNDS = 500
TIE = 1e-13


def around_clusters(q: Quadratic, labels: Labels, spread: float, level: float) -> Solver:
    """(blockdiag(H_t) + penalty)⁻¹ for clusters: each is a problem around its own mean."""
    e, U = q.spectrum
    parts = []
    for c in range(int(labels.max()) + 1):  # clusters are few
        own = np.flatnonzero(labels == c)
        one = len(U) == 1
        H = None if q.H is None else (q.H if one else q.H[own])
        A = None if q.A is None else (q.A if one else tuple(q.A[t] for t in own))
        part = Quadratic(q.r[own], H, A, q.ridge)
        part.__dict__["spectrum"] = (e, U) if one else (e[own], U[own])  # what q has found already
        parts.append((own, around_mean(part, spread, level)))

    def solve(R: Array) -> Array:
        out = np.empty_like(R)
        for own, solver in parts:
            out[own] = solver(R[own])
        return out

    return solve


def cluster_means(V: Array, labels: Labels) -> Array:
    """(T, p): each task's cluster mean."""
    members = np.equal.outer(np.arange(int(labels.max()) + 1), labels).astype(float)
    return np.asarray((members @ V / members.sum(axis=1)[:, None])[labels])


def clustered(
    problem: Problem, start: Start | None, labels: Labels, spread: float, level: float
) -> Iterator[Iterate]:
    """Iterates for L(W, b) + spread/2 Σ_t ‖w_t − mean‖² + level/2 Σ_t ‖mean‖², the clusters fixed."""

    def times(V: Array) -> Array:
        return np.asarray(spread * V - (spread - level) * cluster_means(V, labels))

    return in_row_space(
        problem,
        start,
        lambda part, begin: quadratic_penalty(
            part, begin, times=times, factor=lambda q: around_clusters(q, labels, spread, level)
        ),
    )


def around_subspace(q: Quadratic, B: Array, spread: float, level: float) -> Solver:
    """(H_t + spread I − (spread − level) B B')⁻¹ for all tasks, by Woodbury's formula on the k columns of B (p, k)."""
    KB = np.stack([q.solve_shifted(np.broadcast_to(column, (q.T, q.p)), spread) for column in B.T], axis=2)
    inside = np.eye(B.shape[1]) - (spread - level) * (B.T @ KB)

    def solve(R: Array) -> Array:
        alone = q.solve_shifted(R, spread)
        weight = np.linalg.solve(inside, (alone @ B)[:, :, None])
        return np.asarray(alone + (spread - level) * (KB @ weight)[:, :, 0])

    return solve


def around(problem: Problem, start: Start | None, B: Array, spread: float, level: float) -> Iterator[Iterate]:
    """Iterates for L(W, b) + spread/2 ‖W − B B'W‖² + level/2 ‖B'W‖², the subspace B (p, k) fixed."""
    return quadratic_penalty(
        problem,
        start,
        times=lambda V: np.asarray(spread * V - (spread - level) * (V @ B) @ B.T),
        factor=lambda q: around_subspace(q, B, spread, level),
    )


def settled(
    iterates: Iterator[Iterate], share: float = SETTLED, start: Start | None = None
) -> tuple[Array, Array | None]:
    """The iterate at which W changes by no more than a share of itself, from the last one or from the start."""
    W, b = (np.zeros((0, 0)) if start is None else start[0]), None
    for _, iterate in zip(range(STEPS), iterates, strict=False):
        if iterate is None:
            continue
        before, (W, b) = W, iterate
        if before.shape == W.shape and float(np.linalg.norm(W - before)) <= share * float(np.linalg.norm(W)):
            break
    return W, b


def alternate(
    structure: Structure,
    start: Start | None,
    solve: Callable[[Start | None, Structure], Start],
    improve: Callable[[Array, Structure], Structure],
    value: Callable[[Array, Array, Structure], float],
    tol: float,
) -> tuple[float, Array, Array, Structure, list[float]]:
    """(F, W, b, structure, descent) from one start, until the structure stays or F falls by no more than tol.

    solve(start, structure) -> (W, b); improve(W, structure) -> a structure no worse for W; value(W, b, structure) -> F.
    The descent holds F after each half of a round.
    """
    W, b = solve(start, structure)
    descent = [value(W, b, structure)]
    for _ in range(ROUNDS):
        new = improve(W, structure)
        if new.shape == structure.shape and (new == structure).all():
            break
        structure = new
        descent.append(value(W, b, structure))
        W, b = solve((W, b), structure)
        descent.append(value(W, b, structure))
        if not descent[-3] - descent[-1] > tol:
            break
    return descent[-1], W, b, structure, descent


def lowest(
    starts: Sequence[Structure],
    start: Start | None,
    solve: Callable[[Start | None, Structure, float], Start],
    improve: Callable[[Array, Structure], Structure],
    value: Callable[[Array, Array, Structure], float],
    tol: float,
    rough: bool,
) -> tuple[tuple[float, Array, Array, Structure, list[float]], list[float]]:
    """The best of ``alternate`` from each start, the first of those that tie, and F from all of them.

    solve(start, structure, share): to that share of W. rough : the search is, and its best is settled afterwards.
    """

    def from_one(begin: Start | None, structure: Structure, share: float) -> Any:
        return alternate(structure, begin, lambda at, S: solve(at, S, share), improve, value, tol)

    found = [from_one(start, structure, SEARCHED if rough else SETTLED) for structure in starts]
    values = [f[0] for f in found]
    least = min(values)
    best = next(f for f in found if f[0] <= least + TIE * abs(least))
    if rough:
        _, W, b, structure, descent = best
        settled_best = from_one((W, b), structure, SETTLED)
        best = (*settled_best[:4], descent + settled_best[4])
    return best, values


def leading(W: Array, k: int) -> Array:
    """(p, min(k, p, T)): the left singular vectors of the k largest singular values of W (p, T)."""
    return np.asarray(np.linalg.svd(W, full_matrices=False)[0][:, :k])


def subspace_rounds(
    problem: Problem, start: Start, k: int, spread: float, level: float, B: Array | None = None
) -> Iterator[Iterate]:
    """Rounds of W for the subspace and the subspace for W, begun at the subspace B or that of the start."""
    W, b = start
    B = leading(W, k) if B is None else B
    while True:
        W, found = settled(around(problem, (W, b), B, spread, level))
        b = b if found is None else found
        yield W, found
        B = leading(W, k)
