"""Residual ratios of every factorisation and solve path, as LAPACK's own tests judge them.

python -m mtlref.verify.residuals          # the largest ratio of each path
python -m mtlref.verify.residuals --json

A ratio is ‖residual‖ / (‖A‖ ‖x‖ eps size), for factors ‖A − product‖ / (‖A‖ eps size) and ‖Q'Q − I‖ / (eps size): what
a backward stable method keeps near 1 whatever the condition number. LAPACK's tests reject 30. The problems are
symmetric matrices and designs with condition numbers from 1 to 1e15, and the designs of NIST that are within reach.

Residuals are computed in twice the working precision, so that a ratio is of the method, not of its measurement.
Source: Anderson et al. 1999, LAPACK Users' Guide; LAPACK Working Note 41, section 6.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

import mtlref as mt
from mtlref.gp.cells import Cells
from mtlref.gp.coregional import Coregional
from mtlref.gp.exact import Dense
from mtlref.gp.kronecker import Kronecker
from mtlref.gp.model import Model
from mtlref.gp.stationary import RBF
from mtlref.linalg import LeastSquares
from mtlref.linalg.compensated import plus, times
from mtlref.optim.coupled import around_mean, over_graph
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.rowsystem import row_solver
from mtlref.verify.nist import Reference, references

Array = NDArray[np.float64]
EPS = float(np.finfo(float).eps)
LIMIT = 30.0
EXPONENTS = range(16)
# Steps of iterative refinement that a fit makes at the least before it gives an answer to another lam of a path.
REFINED = 4
Found = Iterator[tuple[str, float]]


def product(A: Array, B: Array) -> Array:
    """A B (n, m), each entry rounded once at its end."""
    return np.column_stack([np.add(*times(A, (b, np.zeros_like(b)))) for b in B.T])


def apart(target: Array, A: Array, B: Array) -> Array:
    """target − A B, the difference taken before rounding."""
    columns = []
    for c, b in zip(target.T, B.T, strict=True):
        high, low = times(A, (-b, np.zeros_like(b)))
        columns.append(plus((c, np.zeros_like(c)), (high, low))[0])
    return np.column_stack(columns)


def ratio(residual: Array, A: float, x: Array | float, size: int) -> float:
    """‖residual‖ / (‖A‖ ‖x‖ eps size); 0 for no residual."""
    top = float(np.linalg.norm(residual))
    below = A * float(np.linalg.norm(x)) * EPS * size
    return 0.0 if top == 0 else top / below if below > 0 else np.inf


def symmetric(rng: np.random.Generator, p: int, exponent: int) -> Array:
    """(p, p), positive definite with condition number 10^exponent."""
    Q, _ = np.linalg.qr(rng.standard_normal((p, p)))
    H = (Q * np.logspace(0, -exponent, p)) @ Q.T
    return np.asarray((H + H.T) / 2)


def design(rng: np.random.Generator, n: int, p: int, exponent: int) -> Array:
    """(n, p) with condition number 10^exponent."""
    U, _ = np.linalg.qr(rng.standard_normal((n, p)))
    V, _ = np.linalg.qr(rng.standard_normal((p, p)))
    return np.asarray((U * np.logspace(0, -exponent, p)) @ V.T)


def of_spectra(exponent: int) -> Found:
    """Eigendecompositions, dense and from factors, and the shifted solves that use them."""
    rng = np.random.default_rng(exponent)
    p, T = 12, 3
    H = np.stack([symmetric(rng, p, exponent) for _ in range(T)])
    wide = tuple(design(rng, p, 5, exponent).T for _ in range(T))
    kinds = {
        "dense": Quadratic(rng.standard_normal((T, p)), H),
        "one design": Quadratic(rng.standard_normal((T, p)), H[:1]),
    }
    kinds["factors"] = Quadratic(rng.standard_normal((T, p)), None, wide)
    for kind, q in kinds.items():
        e, U = q.spectrum
        for k in range(len(e)):
            A = H[k] if q.H is not None else wide[k].T @ wide[k]
            size = float(np.linalg.norm(A))
            yield f"eigendecomposition, {kind}", ratio(apart(A, U[k] * e[k], U[k].T), size, 1.0, p)
            k_own = U[k].shape[1]
            yield f"its orthogonality, {kind}", ratio(apart(np.eye(k_own), U[k].T, U[k]), 1.0, 1.0, p)
        for shift in (10.0**-exponent, 1.0):
            by_inverses = q.shifted(shift)
            ways = {
                "shifted solve": q.solve_shifted(q.r, shift),
                "shifted solve by inverses": by_inverses(q.r),
            }
            for way, V in ways.items():
                for t in range(T):
                    A = (H[t % len(q.H)] if q.H is not None else wide[t].T @ wide[t]) + shift * np.eye(p)
                    left = apart(q.r[t][:, None], A, V[t][:, None])
                    yield f"{way}, {kind}", ratio(left, float(np.linalg.norm(A)), V[t], p)


def of_coupled(exponent: int, strength: float) -> Found:
    """Systems over all tasks: around the mean in closed form, over a graph by each of its three ways; refined.

    strength : of the coupling, beside matrices of norm 1.
    """
    rng = np.random.default_rng(100 + exponent)
    p, T = 8, 4
    H = np.stack([symmetric(rng, p, exponent) for _ in range(T)])
    adjacency = np.triu(rng.random((T, T)), 1)
    adjacency = adjacency + adjacency.T
    L = strength * (np.diag(adjacency.sum(axis=1)) - adjacency + 1e-3 * np.eye(T))
    spread, level = 0.1 * strength, 1e-3 * strength
    J = np.full((T, T), 1 / T)
    r = rng.standard_normal((T, p))
    ragged, alike = Quadratic(r, H), Quadratic(r, H[:1])
    large = Quadratic(np.tile(r, (10, 1)), np.tile(H, (10, 1, 1)))
    L_large: Array = np.asarray(np.kron(np.eye(10), L), dtype=float)
    ways: list[tuple[str, Quadratic, Array, Callable[[Array], Array]]] = [
        ("around the mean", ragged, spread * (np.eye(T) - J) + level * J, around_mean(ragged, spread, level)),
        ("graph, one design", alike, L, over_graph(alike, L)),
        ("graph, Cholesky", ragged, L, over_graph(ragged, L)),
        ("graph, conjugate gradients, to 1e13", large, L_large, over_graph(large, L_large)),
    ]
    # Conjugate gradients leave alone what has less than 1e-13 of the largest curvature.
    for name, q, coupling, solve in ways if exponent <= 13 or strength == 1.0 else ways[:-1]:
        assert q.H is not None
        blocks = np.stack([q.H[t % len(q.H)] for t in range(q.T)])
        V = np.zeros_like(q.r)
        for _ in range(REFINED):
            V = V + solve(q.r - q.times(V) - coupling @ V)
        whole: Array = np.asarray(np.kron(coupling, np.eye(p)), dtype=float)
        for t in range(q.T):
            whole[t * p : (t + 1) * p, t * p : (t + 1) * p] += blocks[t]
        left = apart(q.r.ravel()[:, None], whole, V.ravel()[:, None])
        yield name, ratio(left, float(np.linalg.norm(whole, 2)), V, q.T * p)


def of_apart(exponent: int) -> Found:
    """The same where columns have units up to 10^exponent apart and the coupling outweighs all but the largest.

    In the units of each column, so that the small ones are judged too.
    """
    if exponent > 12:
        return  # columns 1e13 apart are taken for rounding
    rng = np.random.default_rng(400 + exponent)
    p, T = 4, 3
    unit = np.logspace(0, exponent, p)
    rows = rng.standard_normal((T, 6, p))
    H = np.einsum("tij,tik->tjk", rows, rows) * unit[:, None] * unit
    r = rng.standard_normal((T, p)) * unit
    strength = 0.1 * float(unit[-1]) ** 2
    J = np.full((T, T), 1 / T)
    L = strength * (np.eye(T) - J)
    for name, q in (("ragged", Quadratic(r, H)), ("one design", Quadratic(r, H[:1]))):
        ways = {"around the mean": around_mean(q, strength, 0.0), "graph": over_graph(q, L)}
        for way, solve in ways.items():
            V = np.zeros_like(r)
            for _ in range(REFINED):
                apart_from = V - V[:1]
                V = V + solve(q.r - q.times(V) - strength * (apart_from - apart_from.mean(axis=0)))
            # The gradient over all tasks is free of the coupling: what is judged is Σ_t (r_t − H_t v_t).
            left = (q.r - q.times(V)).sum(axis=0) / unit
            whole = T * H[0] if q.shared else H.sum(axis=0)
            size = float(np.linalg.norm(whole / unit / unit[:, None]))
            yield f"{way}, units apart, {name}", ratio(left, size, V.mean(axis=0) * unit, T * p)


def of_newton(exponent: int) -> Found:
    """Newton's systems on rows, which one rank-one term a row couples: by features, and by rows where they are few."""
    rng = np.random.default_rng(500 + exponent)
    p, T = 8, 3
    few = np.stack([design(rng, p, 4, exponent).T for _ in range(T)])
    kinds: dict[str, tuple[Array, Array | None]] = {
        "by features": (np.stack([symmetric(rng, p, exponent) for _ in range(T)]), None),
        "by rows": (np.einsum("tij,tik->tjk", few, few), few),
    }
    unit = rng.standard_normal((T, p))
    unit /= np.linalg.norm(unit, axis=0)
    R = rng.standard_normal((T, p))
    for kind, (H, root) in kinds.items():
        for d, damping in ((np.ones(p), 1e-8), (np.full(p, 10.0**-exponent), 10.0 ** -(exponent + 3))):
            solve = row_solver(H, d, damping, unit, root)
            if solve is None:
                continue  # the caller damps more
            step = solve(R)
            S = np.sqrt(d) * unit
            A = np.zeros((T * p, T * p))
            for t in range(T):
                A[t * p : (t + 1) * p, t * p : (t + 1) * p] = H[t] + np.diag(d + damping)
                for u in range(T):
                    A[t * p : (t + 1) * p, u * p : (u + 1) * p] -= np.diag(S[t] * S[u])
            left = apart(R.ravel()[:, None], A, step.ravel()[:, None])
            yield f"Newton's step on rows, {kind}", ratio(left, float(np.linalg.norm(A, 2)), step, T * p)


def of_rows(X: Array, Y: Array, intercept: bool, lam: float) -> Found:
    """QR of the rows and its refined answers: X'r = lam w and 1'r = 0, by columns of length one."""
    factors = LeastSquares(X, None, lam, intercept)
    n, p = X.shape
    rows = (X - factors.mean - (X - factors.mean).mean(axis=0) * intercept) / factors.size
    yield (
        "QR of the rows",
        ratio(apart(rows, factors.Q, factors.R), float(np.linalg.norm(rows)), 1.0, max(n, p)),
    )
    if not lam:  # with lam, Q holds the upper rows alone
        yield "its orthogonality, QR", ratio(apart(np.eye(p), factors.Q.T, factors.Q), 1.0, 1.0, max(n, p))
    for y in Y.T:
        answer = factors.solve(y)
        A, x = (
            (np.column_stack([np.ones(n), X]), np.append(answer.b, answer.w)) if intercept else (X, answer.w)
        )
        r = apart(y[:, None], A, x[:, None])[:, 0]
        g = apart(
            (lam * np.append(0.0, answer.w) if intercept else lam * answer.w)[:, None], A.T, r[:, None]
        )[:, 0]
        # A backward error: r is known to eps of what its terms cancel, and so is X'r.
        reach = float(np.linalg.norm(y)) + float(np.linalg.norm(np.linalg.norm(A, axis=0) * x))
        scale = np.sqrt(np.square(A).sum(axis=0) + lam)
        yield "least squares by rows", ratio(g / scale, 1.0, reach, max(n, p))


def of_processes(exponent: int) -> Found:
    """Gaussian processes: Cholesky of all cells, and the eigendecompositions of a complete table."""
    if exponent > 12:
        return  # refused there: condition numbers beyond 1e14 raise IllConditioned
    rng = np.random.default_rng(200 + exponent)
    T, n = 3, 10
    X, Y = rng.uniform(-1, 1, (n, 2)), rng.standard_normal((n, T))
    noise = 10.0**-exponent
    shared = Coregional(rng.standard_normal((T, 1)), np.full(T, 0.5))
    model = Model.make([(shared, RBF(1.0))], Coregional(np.zeros((T, 0)), np.full(T, noise)))
    cells = Cells.from_tasks(mt.TaskData.from_shared(X, Y))
    C = np.kron(model.terms[0][0].matrix(), model.terms[0][1](X)) + noise * np.eye(T * n)
    size = float(np.linalg.norm(C, 2))
    alpha = Dense(model, cells).alpha
    yield "process, Cholesky", ratio(apart(cells.y[:, None], C, alpha[:, None]), size, alpha, T * n)
    table = Kronecker(model, cells).alpha
    yield "process, complete table", ratio(apart(cells.y[:, None], C, table[:, None]), size, table, T * n)


def measure(exponents: range = EXPONENTS, problems: list[Reference] | None = None) -> dict[str, float]:
    """The largest ratio of each path."""
    worst: dict[str, float] = {}

    def note(found: Found) -> None:
        for name, value in found:
            worst[name] = max(worst.get(name, 0.0), value)

    for k in exponents:
        note(of_spectra(k))
        note(of_coupled(k, 1.0))
        note(of_coupled(k, 10.0**-k))
        note(of_apart(k))
        note(of_newton(k))
        note(of_processes(k))
        rng = np.random.default_rng(300 + k)
        X, Y = design(rng, 40, 6, k), rng.standard_normal((40, 2))
        for lam in (0.0, 10.0 ** (-2 * k)):
            if lam > 0 or k < 15:  # beyond, lam = 0 is refused: the columns do not determine the answer
                note(of_rows(X, Y, False, lam))
                note(of_rows(X + 1.0, Y, True, lam))
    for problem in references() if problems is None else problems:
        note(
            (f"{name}, NIST", value) for name, value in of_rows(problem.X, problem.Y, problem.intercept, 0.0)
        )
    return worst


def table(worst: dict[str, float]) -> str:
    """Markdown."""
    rows = [f"| {name} | {value:.2g} |" for name, value in worst.items()]
    return "\n".join(["| path | largest ratio |", "|:--|--:|", *rows])


def main(arguments: list[str] | None = None) -> int:
    """Print the table; the exit code is 1 where a ratio reaches 30."""
    parser = argparse.ArgumentParser(description="Residual ratios of factorisations and solves.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    worst = measure()
    sys.stdout.write((json.dumps(worst, indent=1) if options.json else table(worst)) + "\n")
    return int(not max(worst.values()) < LIMIT)


if __name__ == "__main__":
    sys.exit(main())
