"""Symmetries: tasks, features, units, weights and shifts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.sparserows import is_sparse
from mtlref.tasks import TaskData
from mtlref.verify.laws.carried import (
    CARRIED,
    answer_of,
    certified,
    columns_of,
    fitted,
    mapped,
    matrix_of,
    with_rows,
)
from mtlref.verify.strategies import Case

Array = NDArray[np.float64]


def relabelling_tasks_permutes_the_answer(case: Case, rng: np.random.Generator) -> None:
    """Fit with the tasks in another order, and carry the answer back."""
    order = rng.permutation(case.data.T)
    if (order == np.arange(case.data.T)).all():
        order = order[::-1]
    changes = {}
    if "graph" in case.parameters:
        changes["graph"] = _relabelled(case.parameters["graph"], order)
    model = fitted(case, case.data.select([case.data.names[o] for o in order]), **changes)
    W, b = answer_of(model)
    back = np.argsort(order)
    certified(case, case.data, columns_of(W, back), b[back], "the answer of permuted tasks")


def _relabelled(graph: Any, order: NDArray[np.intp]) -> Any:
    """A graph of tasks, dense or sparse, in their new order."""
    return (graph if is_sparse(graph) else np.asarray(graph))[order][:, order]


def tasks_are_separate(case: Case, rng: np.random.Generator) -> None:
    """Every task by itself gives the answer for all; a second copy of a task gets the same answer."""
    data = case.data
    alone = [fitted(case, data.select([name])) for name in data.names]
    W = np.column_stack([m.coef_[0] for m in alone])
    b = np.concatenate([m.intercept_ for m in alone])
    certified(case, data, W, b, "the answers of tasks by themselves")
    doubled = TaskData.from_list(
        [*data.X, *data.X],
        [*data.y, *data.y],
        weights=None if data.weights is None else [*data.weights, *data.weights],
    )
    both = fitted(case, doubled)
    for half in (slice(0, data.T), slice(data.T, None)):
        # A relative gap of the doubled problem may sit in one half alone.
        certified(
            case, data, both.coef_[half].T, both.intercept_[half], "the answer of doubled tasks", 2 * CARRIED
        )


def rotating_features_rotates_the_answer(case: Case, rng: np.random.Generator) -> None:
    """X Q in place of X gives Q'W."""
    Q = np.linalg.qr(rng.standard_normal((case.data.p, case.data.p)))[0]
    model = fitted(case, with_rows(case.data, lambda X: X @ Q))
    W, b = answer_of(model)
    certified(case, case.data, mapped(W, lambda A: Q @ A), b, "the answer of rotated features")


def rotating_tasks_rotates_the_answer(case: Case, rng: np.random.Generator) -> None:
    """One design, no weights, squared loss: Y R in place of Y gives W R."""
    data = case.data
    if not data.shared or data.weights is not None or case.loss != "squared" or data.form != "shared":
        return
    R = np.linalg.qr(rng.standard_normal((data.T, data.T)))[0]
    model = fitted(case, TaskData.from_shared(data.X[0], np.column_stack(data.y) @ R))
    W, b = answer_of(model)
    certified(case, data, W @ R.T, b @ R.T, "the answer of rotated tasks")


def units_do_not_matter(case: Case, rng: np.random.Generator) -> None:
    """X / a with weights / a^degree gives a W; y a with weights a^(2 − degree) gives a W (squared loss).

    Parameters that are lengths of W grow with it.
    """
    degrees = case.method.degrees
    lengths = {n: case.parameters[n] for n in case.method.lengths}
    weights = {w: case.parameters.get(w, 0.0) for w in degrees}
    a = float(rng.choice([1e-3, 3.7, 1e4]))
    changes = {w: v * a ** -degrees[w] for w, v in weights.items()} | {n: v * a for n, v in lengths.items()}
    model = fitted(case, with_rows(case.data, lambda X: X / a), **changes)
    W, b = answer_of(model)
    certified(case, case.data, mapped(W, lambda A: A / a), b, f"the answer of X / {a}")
    if case.loss == "squared":
        changes = {w: v * a ** (2 - degrees[w]) for w, v in weights.items()}
        changes |= {n: v * a for n, v in lengths.items()}
        model = fitted(case, replace(case.data, y=tuple(a * y for y in case.data.y)), **changes)
        W, b = answer_of(model)
        certified(case, case.data, mapped(W, lambda A: A / a), b / a, f"the answer of {a} y")


def extreme_units_do_not_matter(case: Case, rng: np.random.Generator) -> None:
    """Powers of two as far as 2^±500 change the answer by that power, to a few digits."""
    degrees = case.method.degrees
    shift = int(rng.choice([-400, -70, 70, 400]))
    weights = {w: float(np.ldexp(case.parameters.get(w, 0.0), -degrees[w] * shift)) for w in degrees}
    weights |= {n: float(np.ldexp(case.parameters[n], shift)) for n in case.method.lengths}
    model = fitted(case, with_rows(case.data, lambda X: np.ldexp(X, -shift)), **weights)
    W, b = answer_of(model)
    certified(case, case.data, mapped(W, lambda A: np.ldexp(A, -shift)), b, f"the answer of X / 2^{shift}")


def weights_are_repeated_rows(case: Case, rng: np.random.Generator) -> None:
    """Integer weights and rows repeated as often have each other's answer."""
    data = case.data
    counts = [rng.integers(0, 4, len(y)) for y in data.y]
    for k in counts:
        k[:2] = np.maximum(k[:2], 1)  # the first two rows hold both classes
    X, y = list(data.X), list(data.y)
    weighted = TaskData.from_list(X, y, weights=[k.astype(float) for k in counts])
    repeated = TaskData.from_list(
        [np.repeat(x, k, axis=0) for x, k in zip(X, counts, strict=True)],
        [np.repeat(v, k) for v, k in zip(y, counts, strict=True)],
    )
    W, b = answer_of(fitted(case, weighted))
    certified(case, repeated, W, b, "the answer of weights, on repeated rows")
    W, b = answer_of(fitted(case, repeated))
    certified(case, weighted, W, b, "the answer of repeated rows, on weights")


def shifts_go_into_the_intercept(case: Case, rng: np.random.Generator) -> None:
    """With an intercept, X + 1 m' gives the same W and b − m'W."""
    if not case.parameters["fit_intercept"]:
        return
    m = 10.0 * rng.standard_normal(case.data.p)
    model = fitted(case, with_rows(case.data, lambda X: X + m))
    W, b = answer_of(model)
    certified(case, case.data, W, b + m @ matrix_of(W), "the answer of shifted columns")
