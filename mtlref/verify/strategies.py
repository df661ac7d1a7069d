"""Hypothesis strategies: awkward data, graphs, and problems with a lam that is neither too small nor too large.

What is drawn is structure and a seed; the numbers come from the seed, so that shrinking works on the structure.
Hypothesis is imported inside the functions: the rest of ``mtlref.verify`` works without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.registry import Method, method
from mtlref.tasks import TaskData
from mtlref.verify.difficulty import CONDITION as CONDITION
from mtlref.verify.difficulty import DIFFICULTIES as DIFFICULTIES
from mtlref.verify.difficulty import PATTERNS as PATTERNS
from mtlref.verify.difficulty import difficult as difficult
from mtlref.verify.difficulty import jacobians as jacobians
from mtlref.verify.difficulty import kernel_inputs as kernel_inputs
from mtlref.verify.difficulty import missing as missing
from mtlref.verify.difficulty import missing_patterns as missing_patterns

Array = NDArray[np.float64]

# Each kind is something that has broken, or would break, one of the steps from rows to coefficients.
KINDS = (
    "plain",
    "ragged",
    "one_row",
    "one_task",
    "one_column",
    "duplicate_column",
    "constant_column",
    "zero_column",
    "wide",
    "large_mean",
    "scales",
    "zero_weights",
    "shared",
    "missing",
    "ties",
    "collinear_rows",
    "constant_target",
)


# Parameters that are no weights of a penalty, and what is drawn for them.
SHAPES: dict[str, tuple[float, ...]] = {
    "eta": (0.05, 0.5, 3.0),
    "n_clusters": (1, 2, 3),
    "dim": (1, 2, 3),
    "n_restarts": (1, 2),
}


@dataclass(frozen=True)
class Case:
    """One problem: a method, its parameters, and data. ``model(...)`` makes the estimator."""

    method: Method
    parameters: dict[str, Any]
    data: TaskData

    @property
    def loss(self) -> str:
        """The loss."""
        return str(self.parameters["loss"])

    def model(self, **changes: Any) -> Any:
        """A new estimator with the case's parameters, or others."""
        return self.method.cls(**{**self.parameters, **changes})

    def __repr__(self) -> str:
        X, y = [x.tolist() for x in self.data.X], [v.tolist() for v in self.data.y]
        return f"Case({self.model()!r}, {self.data!r}, X={X}, y={y})"


def build(kinds: tuple[str, ...], T: int, p: int, n: int, seed: int, loss: str) -> TaskData:
    """Data of the kinds named: T tasks, p features, about n rows each, numbers from the seed."""
    rng = np.random.default_rng(seed)
    if "one_task" in kinds:
        T = 1
    if "one_column" in kinds:
        p = 1
    if "wide" in kinds:
        p, n = max(p, 4), min(n, 3)
    least = 2 if loss == "logistic" else 1
    shared = "shared" in kinds or "missing" in kinds
    sizes = np.full(T, max(n, least))
    if "ragged" in kinds and not shared:
        sizes = rng.integers(least, n + 3, T)
    if "one_row" in kinds and not shared:
        sizes[rng.integers(T)] = least
    if shared:
        sizes[:] = max(n, 3)
    X = [rng.standard_normal((k, p)) for k in sizes]
    if shared:
        X = [X[0]] * T
    X = [
        _columns(x.copy(), kinds, np.random.default_rng([seed, 0 if shared else t])) for t, x in enumerate(X)
    ]
    W = rng.standard_normal(p)[:, None] + 0.5 * rng.standard_normal((p, T))
    y = [_target(x, W[:, t], kinds, rng, loss) for t, x in enumerate(X)]
    if "missing" in kinds:
        Y = np.column_stack(y)
        hidden = rng.random(Y.shape) < 0.3
        hidden[:2] = False  # both classes stay
        Y[hidden] = np.nan
        return TaskData.from_shared(X[0], Y)
    weights = None
    if "zero_weights" in kinds:
        weights = [rng.integers(0, 4, len(v)).astype(float) for v in y]
        for w in weights:
            w[:2] = np.maximum(w[:2], 1.0)
    if shared:
        return TaskData.from_shared(X[0], np.column_stack(y), weights=None if weights is None else weights[0])
    return TaskData.from_list(X, y, weights=weights)


def _columns(X: Array, kinds: tuple[str, ...], rng: np.random.Generator) -> Array:
    """Columns and rows made awkward."""
    p = X.shape[1]
    if "duplicate_column" in kinds and p > 1:
        X[:, -1] = X[:, 0]
    if "constant_column" in kinds:
        X[:, 0] = 1.0
    if "zero_column" in kinds:
        X[:, p // 2] = 0.0
    if "collinear_rows" in kinds:
        X[:] = np.outer(rng.standard_normal(len(X)), X[0])
    if "ties" in kinds:
        X[:] = np.round(X)
    if "scales" in kinds:
        X *= 10.0 ** np.linspace(-2, 2, p)
    if "large_mean" in kinds:
        X += 1e3
    return X


def _target(X: Array, w: Array, kinds: tuple[str, ...], rng: np.random.Generator, loss: str) -> Array:
    score = X @ w
    score = score - score.mean()
    size = float(np.abs(score).max())
    score = score / (size if size > 0 else 1.0) + 0.5 * rng.standard_normal(len(X))
    if loss == "logistic":
        labels = np.where(score > 0, 1.0, -1.0)
        labels[0], labels[1] = 1.0, -1.0
        return labels
    if "constant_target" in kinds:
        return np.full(len(X), 2.5)
    if "ties" in kinds:
        return np.round(score)
    return np.asarray(score + 3.0)


def task_data(loss: str = "squared", *, kinds: tuple[str, ...] = KINDS, max_tasks: int = 4) -> Any:
    """A strategy for TaskData of one or two of ``kinds``: up to ``max_tasks`` tasks, 5 features, 8 rows a task."""
    from hypothesis import strategies as st

    return st.builds(
        build,
        st.lists(st.sampled_from(kinds), min_size=1, max_size=2, unique=True).map(tuple),
        st.integers(1, max_tasks),
        st.integers(1, 5),
        st.integers(2, 8),
        st.integers(0, 2**31),
        st.just(loss),
    )


def graphs(T: int) -> Any:
    """A strategy for graphs (T, T): symmetric, weights >= 0, often in several parts."""
    from hypothesis import strategies as st

    edges = T * (T - 1) // 2

    def graph(weights: list[float]) -> Array:
        A = np.zeros((T, T))
        A[np.triu_indices(T, 1)] = weights
        return A + A.T

    one = st.sampled_from([0.0, 0.0, 1.0, 0.25, 3.0])
    return st.lists(one, min_size=edges, max_size=edges).map(graph)


def relative_lams(smallest: float = 1e-3, largest: float = 1.5) -> Any:
    """A strategy for lam / lam_scale, even on the logarithmic axis."""
    from hypothesis import strategies as st

    return st.floats(np.log(smallest), np.log(largest)).map(lambda u: float(np.exp(u)))


def _accuracy(chosen: Method, loss: str) -> float:
    """The relative gap that is asked of a method."""
    if "staged" in chosen.properties:
        return 1e-7
    # Block optimality of a logistic fit ends between 1e-8 and 1e-7 where two subspaces serve almost alike.
    return 1e-6 if "relaxed" in chosen.properties and loss == "logistic" else 1e-9


def cases(
    name: str | Method,
    loss: str,
    *,
    kinds: tuple[str, ...] = KINDS,
    where: Callable[[TaskData], bool] | None = None,
    lams: Any = None,
    attained: bool = False,
    **fixed: Any,
) -> Any:
    """A strategy for problems of one method: data, lam relative to its natural size, further weights, settings.

    where : only data for which it holds.  lams : a strategy for lam / lam_scale.  attained : only problems whose
    minimum is surely attained (an unpenalised direction and separable classes would send W to infinity).
    name : in the registry, or a Method.  fixed : parameters that are not drawn.
    """
    from hypothesis import strategies as st

    chosen = method(name) if isinstance(name, str) else name
    # Built once: a strategy costs Hypothesis more to make than to draw from.
    source = task_data(loss, kinds=kinds)
    source = source if where is None else source.filter(where)
    lams = relative_lams() if lams is None else lams
    scalings, yes_or_no = st.sampled_from(["mean", "sum"]), st.booleans()
    shapes = {k: st.sampled_from(v) for k, v in SHAPES.items() if k in chosen.cls._parameter_names()}
    some, maybe_none = st.sampled_from([0.01, 0.3]), st.sampled_from([0.0, 0.01, 0.3])
    sizes, mus = st.sampled_from([0.3, 1.0, 3.0, np.inf]), st.sampled_from([0.01, 0.1, 1.0])
    columns, restarts = st.integers(1, 3), st.integers(0, 2)
    grows = "has_lam_max" in chosen.properties and "staged" not in chosen.properties
    free = attained and "strongly_convex" not in chosen.properties and not grows
    further = [w for w in chosen.degrees if w not in ("lam", "mu")]

    @st.composite
    def draw_case(draw: Any) -> Case:
        data = draw(source)
        parameters: dict[str, Any] = {
            "loss": loss,
            "scaling": draw(scalings),
            # Without an intercept a large mean is a condition number of its square, beyond what 1e-9 can ask for.
            "fit_intercept": draw(yes_or_no) or max(float(abs(x.mean())) for x in data.X) > 100,
            # Stages creep where a penalty is flat: what a law asks of their limit is as well seen at fewer digits.
            "tol": _accuracy(chosen, loss),
        }
        parameters |= {k: v for k, v in fixed.items() if k in parameters}
        if "graph" in chosen.required:
            parameters["graph"] = draw(graphs(data.T))
        if "mu" in chosen.degrees:  # what is natural for lam depends on it
            parameters |= {"mu": draw(mus), "n_components": draw(columns), "restarts": draw(restarts)}
        parameters |= {shape: draw(values) for shape, values in shapes.items()}
        probe = chosen.cls(**parameters)
        scale = probe.lam_scale(data)
        # A target without anything to explain gives no scale: any lam is large then.
        scale = scale if scale > 1e-10 else 1.0
        parameters["lam"] = scale * draw(lams)
        for weight in further:
            parameters[weight] = scale * draw(some if weight == "ridge" and free else maybe_none)
        for length in chosen.lengths:
            parameters[length] = draw(sizes) / _size(data)
        parameters.update(fixed)
        return Case(chosen, parameters, data)

    return draw_case()


def _size(data: TaskData) -> float:
    """The largest size of X: coefficients are of the order of its inverse."""
    return max(float(np.abs(x).max()) for x in data.X) or 1.0


def matrices(max_rows: int = 5, max_columns: int = 4) -> Any:
    """A strategy for coefficient matrices (p, T): zero rows, zeros, equal entries, low rank, tiny and large sizes."""
    from hypothesis import strategies as st

    def matrix(kind: str, p: int, T: int, exponent: int, seed: int) -> Array:
        rng = np.random.default_rng(seed)
        W = rng.standard_normal((p, T))
        if kind == "zero":
            W[:] = 0.0
        elif kind == "zero_row":
            W[rng.integers(p)] = 0.0
        elif kind == "sparse":
            W[rng.random(W.shape) < 0.5] = 0.0
        elif kind == "rank_one":
            W = np.outer(W[:, 0], W[0])
        elif kind == "equal":
            W[:] = W[0, 0]
        elif kind == "integers":
            W = np.round(2 * W)
        return np.asarray(W * 10.0**exponent)

    return st.builds(
        matrix,
        st.sampled_from(["plain", "zero", "zero_row", "sparse", "rank_one", "equal", "integers"]),
        st.integers(1, max_rows),
        st.integers(1, max_columns),
        st.integers(-6, 6),
        st.integers(0, 2**31),
    )
