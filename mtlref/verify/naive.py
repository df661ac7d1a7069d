"""Plain twins of the fast paths: loops over tasks, rows and entries, as the formulae stand in the papers.

They share no code with the solvers and the certificates, and are for small problems only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.penalties import (
    L1,
    BoxNorm,
    CappedRows,
    CappedTraceNorm,
    GraphSpread,
    MeanSpread,
    RowMax,
    RowNorm,
    SquaredNorm,
    SquaredRowNorm,
    SquaredTraceNorm,
    TraceNorm,
)
from mtlref.sparserows import is_sparse
from mtlref.tasks import TaskData

Array = NDArray[np.float64]


def row_loss(loss: str, y: float, z: float) -> float:
    """l(y, z) of one row."""
    if loss == "squared":
        return (z - y) ** 2 / 2
    # log(1 + e^m) = m + log(1 + e^-m), so that neither side overflows.
    m = -y * z
    return max(m, 0.0) + math.log1p(math.exp(-abs(m)))


def row_slope(loss: str, y: float, z: float) -> float:
    """l'(y, z) of one row, the derivative in z."""
    if loss == "squared":
        return z - y
    m = y * z
    sigma = math.exp(-m) / (1 + math.exp(-m)) if m > 0 else 1 / (1 + math.exp(m))
    return -y * sigma


def signs(data: TaskData) -> TaskData:
    """The data with its two labels, sorted, as −1 and +1."""
    from dataclasses import replace

    values = sorted(set(np.concatenate(data.y).tolist()))
    if len(values) != 2:
        raise DataError(f"labels must take two values; got {len(values)}")
    return replace(data, y=tuple(np.where(v == values[1], 1.0, -1.0) for v in data.y))


def factors(data: TaskData, scaling: str) -> list[float]:
    """c_t."""
    if scaling == "sum":
        return [1.0] * data.T
    return [1.0 / sum(weights_of(data, t)) for t in range(data.T)]


def weights_of(data: TaskData, t: int) -> list[float]:
    """The weights of task t's rows."""
    return [1.0] * len(data.y[t]) if data.weights is None else data.weights[t].tolist()


def loss_term(data: TaskData, W: Array, b: Array, loss: str, scaling: str) -> float:
    """L(W, b) = Σ_t c_t Σ_i s_ti l(y_ti, x_ti' w_t + b_t), row by row, summed exactly."""
    terms = []
    for t, c in enumerate(factors(data, scaling)):
        for x, y, s in zip(data.X[t], data.y[t], weights_of(data, t), strict=True):
            z = math.fsum(float(x[j]) * float(W[j, t]) for j in range(data.p)) + float(b[t])
            terms.append(c * s * row_loss(loss, float(y), z))
    return math.fsum(terms)


@dataclass(frozen=True)
class Term:
    """weight · penalty(W): one summand of a method's penalty."""

    weight: float
    penalty: Any


def terms(name: str, parameters: dict[str, Any], T: int) -> list[Term]:
    """The summands of a method's penalty, from the catalogue. Pooled: those of its one w."""
    get = parameters.get
    lam = float(parameters["lam"])
    ridge = Term(float(get("ridge", 0.0)), SquaredNorm())
    if name in ("SingleTaskRidge", "Pooled"):
        return [Term(lam, SquaredNorm())]
    if name == "SingleTaskLasso":
        return [Term(lam, L1()), ridge]
    if name == "JointFeature":
        return [Term(lam, RowNorm()), ridge]
    if name == "JointFeatureLinf":
        return [Term(lam, RowMax()), ridge]
    if name == "TraceNorm":
        return [Term(lam, TraceNorm()), ridge]
    if name == "MTFL" and get("diagonal"):
        return [Term(lam, SquaredRowNorm())]
    if name in ("MTRL", "MTFL"):  # at the best Ω or D
        return [Term(lam, SquaredTraceNorm()), ridge]
    if name == "CappedFeature":
        return [Term(lam, CappedRows(float(parameters["threshold"]))), ridge]
    if name == "CappedTraceNorm":
        return [Term(lam, CappedTraceNorm(float(parameters["threshold"]))), ridge]
    if name == "MeanRegularized":
        return [Term(lam, MeanSpread()), ridge]
    if name == "GraphRegularized":
        graph = parameters["graph"]
        graph = graph.toarray() if is_sparse(graph) else np.asarray(graph, dtype=float)
        graph = np.full((T, T), float(graph.ravel()[0])) if graph.size == 1 else graph
        return [Term(lam, GraphSpread(graph)), ridge, Term(float(get("lam_sparse", 0.0)), L1())]
    if name in ("ClusteredMTL", "ConvexASO"):
        return [
            Term(lam, BoxNorm(get("eta", 0.5), get("n_clusters" if name == "ClusteredMTL" else "dim", 2)))
        ]
    if name == "KMeansMTL":
        return [Term(lam, Clusters(get("n_clusters", 2))), Term(2 * lam * get("eta", 0.5), SquaredNorm())]
    if name == "ASO":
        return [Term(lam, OutsideSubspace(get("dim", 2))), Term(2 * lam * get("eta", 0.5), SquaredNorm())]
    raise DataError(f"no plain form of {name}")


@dataclass(frozen=True)
class Clusters:
    """min over partitions into at most k clusters of Σ_t ‖w_t − mean of its cluster‖², every assignment tried."""

    k: int
    properties = frozenset[str]()

    def value(self, W: Array) -> float:
        """The least cost; W (p, T), few tasks only."""
        return min(self.cost(W, labels) for labels in product(range(self.k), repeat=W.shape[1]))

    @staticmethod
    def cost(W: Array, labels: tuple[int, ...]) -> float:
        """Σ_t ‖w_t − mean of its cluster‖²."""
        total = 0.0
        for c in set(labels):
            own = W[:, [t for t, label in enumerate(labels) if label == c]]
            total += math.fsum(((own - own.mean(axis=1, keepdims=True)) ** 2).ravel())
        return total


@dataclass(frozen=True)
class OutsideSubspace:
    """min over subspaces of dimension k of Σ_t ‖w_t − its projection‖²: what the k largest singular values leave."""

    k: int
    properties = frozenset[str]()

    def value(self, W: Array) -> float:
        """Σ_{i > k} σ_i(W)²."""
        return math.fsum(np.linalg.svd(W, compute_uv=False)[self.k :] ** 2)


def objective(name: str, parameters: dict[str, Any], data: TaskData, W: Any, b: Array) -> float:
    """F(W, b) of any method of the catalogue, by loops. Labels of ``data`` are −1 and +1 for the logistic loss.

    W (p, T); for GOMTL the pair (L, S).
    """
    if name == "GOMTL":
        L, S = (np.asarray(factor).tolist() for factor in W)
        product = [[math.fsum(row[j] * S[j][t] for j in range(len(S))) for t in range(data.T)] for row in L]
        sparse = math.fsum(abs(v) for code in S for v in code)
        square = math.fsum(v * v for row in L for v in row)
        value = loss_term(data, np.array(product), b, parameters["loss"], parameters["scaling"])
        return value + float(parameters["mu"]) * sparse + float(parameters["lam"]) * square
    value = loss_term(data, W, b, parameters["loss"], parameters["scaling"])
    inside = W[:, :1] if name == "Pooled" else W
    return value + math.fsum(t.weight * t.penalty.value(inside) for t in terms(name, parameters, data.T))


def best_intercepts(data: TaskData, W: Array, loss: str, scaling: str, pooled: bool = False) -> Array:
    """argmin_b L(W, b) by bisection on the slope, task by task (or one number for all tasks)."""
    c = factors(data, scaling)
    groups = [list(range(data.T))] if pooled else [[t] for t in range(data.T)]
    b = np.zeros(data.T)
    for group in groups:
        rows = [
            (c[t] * s, float(y), float(x @ W[:, t]))
            for t in group
            for x, y, s in zip(data.X[t], data.y[t], weights_of(data, t), strict=True)
        ]

        def slope(at: float, rows: list[tuple[float, float, float]] = rows) -> float:
            return math.fsum(m * row_slope(loss, y, z + at) for m, y, z in rows)

        reach = 1.0 + max(abs(y) + abs(z) for _, y, z in rows)
        low, high = -reach, reach
        while slope(low) > 0:
            low *= 2
        while slope(high) < 0:
            high *= 2
        for _ in range(200):
            middle = (low + high) / 2
            here = slope(middle)
            low, high = (middle, high) if here < 0 else (low, middle)
            if here == 0:
                low = middle
        b[group] = (low + high) / 2
    return b


def moments(data: TaskData) -> list[dict[str, Any]]:
    """Of each task: mass, means, and centred second moments, summed row by row without rounding in the sums."""
    out = []
    for t in range(data.T):
        X, y, s = data.X[t], data.y[t], weights_of(data, t)
        n, p = X.shape
        mass = math.fsum(s)
        mean = [math.fsum(s[i] * X[i, j] for i in range(n)) / mass for j in range(p)]
        y_mean = math.fsum(s[i] * y[i] for i in range(n)) / mass
        out.append(
            {
                "mass": mass,
                "x_mean": np.array(mean),
                "y_mean": y_mean,
                "cxx": np.array(
                    [
                        [
                            math.fsum(s[i] * (X[i, j] - mean[j]) * (X[i, k] - mean[k]) for i in range(n))
                            for k in range(p)
                        ]
                        for j in range(p)
                    ]
                ),
                "cxy": np.array(
                    [
                        math.fsum(s[i] * (X[i, j] - mean[j]) * (y[i] - y_mean) for i in range(n))
                        for j in range(p)
                    ]
                ),
                "cyy": math.fsum(s[i] * (y[i] - y_mean) ** 2 for i in range(n)),
            }
        )
    return out


def fista(
    slope: Callable[[Array], Array],
    prox: Callable[[Array, float], Array],
    V: Array,
    lipschitz: float,
    steps: int,
) -> Array:
    """min smooth(V) + penalty(V): accelerated proximal gradient with restart when the momentum points uphill.

    slope : V -> the gradient of the smooth part; prox(V, step). Returns the prox point, not the point of momentum, and
    ends early where a step moves nothing but the last digits: a point that the step leaves where it is is a minimum.
    Source: Beck & Teboulle 2009; the restart: O'Donoghue & Candès 2015.
    """
    point, momentum = V, 1.0
    for _ in range(steps):
        new = prox(point - slope(point) / lipschitz, 1.0 / lipschitz)
        if float(np.abs(new - point).max()) <= 1e-15 * float(np.abs(new).max()):
            return new
        if float(np.vdot(point - new, new - V)) > 0:
            momentum = 1.0
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        point = new + (momentum - 1) / following * (new - V)
        V, momentum = new, following
    return V


def solve(name: str, parameters: dict[str, Any], data: TaskData, steps: int = 20000) -> tuple[Array, Array]:
    """(W, b) of a method with at most one penalty that is not smooth, by FISTA on the rows.

    Intercepts are eliminated for the squared loss by centring, and are further coordinates of the smooth part for the
    logistic one. Slow: a gradient method feels the conditioning of the data.
    """
    loss, scaling = parameters["loss"], parameters["scaling"]
    intercept = bool(parameters.get("fit_intercept", True))
    pooled = name == "Pooled"
    T, p = data.T, data.p
    c = factors(data, scaling)
    parts = [t for t in terms(name, parameters, T) if t.weight > 0]
    rough = [t for t in parts if "norm" in t.penalty.properties or "squared_norm" in t.penalty.properties]
    gentle = [t for t in parts if t not in rough]
    if len(rough) > 1:
        raise DataError(f"{name} has more than one penalty that is not smooth")
    masses = [c[t] * np.array(weights_of(data, t)) for t in range(T)]
    # The intercept is a column whose size is that of the others, so that it does not spoil the conditioning.
    size = max(float(np.abs(x).max()) for x in data.X) or 1.0
    designs = [np.column_stack([x, np.full(len(x), size if intercept else 0.0)]) for x in data.X]

    def slope(V: Array) -> Array:
        gradient = np.zeros_like(V)
        for t in range(T):
            v = V[:, 0] if pooled else V[:, t]
            z = designs[t] @ v
            slopes = np.array(
                [row_slope(loss, float(y), float(u)) for y, u in zip(data.y[t], z, strict=True)]
            )
            gradient[:, 0 if pooled else t] += designs[t].T @ (masses[t] * slopes)
        for part in gentle:
            gradient[:p] += part.weight * part.penalty.gradient(V[:p])
        return gradient

    def prox(V: Array, step: float) -> Array:
        if not rough:
            return V
        return np.vstack([rough[0].penalty.prox(V[:p], step * rough[0].weight), V[p:]])

    curvature = 1.0 if loss == "squared" else 0.25
    blocks = [
        curvature * float(np.linalg.norm(np.sqrt(m)[:, None] * X, 2)) ** 2
        for m, X in zip(masses, designs, strict=True)
    ]
    lipschitz = sum(blocks) if pooled else max(blocks)
    for part in gentle:
        if isinstance(part.penalty, GraphSpread):
            lipschitz += part.weight * 2 * float(part.penalty.graph.sum(axis=1).max())
        elif isinstance(part.penalty, BoxNorm):
            lipschitz += part.weight * 2 * (1 + part.penalty.eta)
        else:
            lipschitz += part.weight
    lipschitz = lipschitz or 1.0
    V = fista(slope, prox, np.zeros((p + 1, 1 if pooled else T)), lipschitz, steps)
    if pooled:
        V = np.repeat(V, T, axis=1)
    return V[:p], V[p] * size


def row_newton_step(H: Array, d: Array, damping: float, unit: Array, R: Array) -> Array:
    """(T, a): Newton's step on rows, from the Hessian of all tasks at once, entry by entry; H (T, a, a), unit (T, a).

    The Hessian of Σ_t v_t'H_t v_t/2 + Σ_j lam_j ‖v_j‖ is blockdiag(H_t) + d_j (I − unit_j unit_j') in every row j.
    """
    T, a = unit.shape
    whole = np.zeros((T * a, T * a))
    for t, i, s, j in product(range(T), range(a), range(T), range(a)):
        value = H[t, i, j] if t == s else 0.0
        if i == j:
            value += (d[i] + damping if t == s else 0.0) - d[i] * unit[t, i] * unit[s, i]
        whole[t * a + i, s * a + j] = value
    return np.asarray(np.linalg.solve(whole, R.ravel()).reshape(T, a), dtype=np.float64)
