"""The checked fields of a TaskData from each form in which data come; what they take and raise its constructors say."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError
from mtlref.labels import column_names, task_codes, task_names
from mtlref.sparserows import is_sparse

Array = NDArray[np.float64]
Fields = dict[str, Any]


def of_list(
    X: Sequence[Any],
    y: Sequence[Any],
    names: Sequence[Hashable] | None,
    weights: Sequence[Any] | None,
    feature_names: Sequence[str] | None,
) -> Fields:
    """Ragged tasks: a design and a target for each."""
    if not isinstance(X, (list, tuple)) or not isinstance(y, (list, tuple)):
        raise FormError(
            "TaskData.from_list takes a list of designs and a list of targets, one a task; got "
            f"{_what(X)} and {_what(y)}. An array of shape (T, n, p) becomes a list by list(X)."
        )
    if len(X) == 0:
        raise DataError("there must be at least one task; got an empty list")
    if len(X) != len(y):
        raise DataError(f"X and y must have one entry a task each; got {len(X)} designs and {len(y)} targets")
    if weights is not None and len(weights) != len(X):
        raise DataError(f"weights must have one entry a task; got {len(weights)} for {len(X)} tasks")
    labels = task_names(names, len(X))
    frames = feature_names if feature_names is not None else inputs.feature_names(X[0])
    designs: list[Array] = []
    targets: list[NDArray[Any]] = []
    row_weights: list[Array] = []
    p: int | None = None
    for t, (Xt, yt) in enumerate(zip(X, y, strict=True)):
        checked = inputs.rows(Xt, f"X[{t}]", p)
        p = checked.shape[1]
        designs.append(frozen(checked))
        targets.append(frozen(_target(yt, f"y[{t}]", checked.shape[0])))
        if weights is not None:
            row_weights.append(frozen(inputs.row_weights(weights[t], f"weights[{t}]", checked.shape[0])))
    assert p is not None
    return {
        "X": tuple(designs),
        "y": tuple(targets),
        "names": labels,
        "feature_names": column_names(frames, p),
        "weights": tuple(row_weights) if weights is not None else None,
        "rows": tuple(np.arange(d.shape[0]) for d in designs),
    }


def of_design(
    X: Any, Y: Any, names: Sequence[Hashable] | None, weights: Any, feature_names: Sequence[str] | None
) -> Fields:
    """One design for all tasks, Y (n, T), NaN where a target was not observed."""
    frames = feature_names if feature_names is not None else inputs.feature_names(X)
    columns = names if names is not None else inputs.feature_names(Y)
    design = inputs.rows(X, "X")
    targets = inputs.as_float(Y, "Y", 2)
    n, T = targets.shape
    if n != design.shape[0]:
        raise DataError(
            f"Y must have shape ({design.shape[0]}, T) to match the rows of X; got {targets.shape}"
        )
    if T == 0:
        raise DataError("Y must have at least one column, a task; got 0 tasks")
    if np.isinf(targets).any():
        raise DataError("Y must be finite or NaN (not observed); got infinity")
    labels = task_names(columns, T)
    seen = ~np.isnan(targets)
    for t in np.flatnonzero(~seen.any(axis=0)):
        raise DataError(
            f"every task needs an observed target; task {labels[t]!r} (column {t} of Y) has only NaN"
        )
    shared_weights = None
    if weights is not None:
        shared_weights = np.asarray(weights)
        if shared_weights.ndim == 2:
            if shared_weights.shape != targets.shape:
                raise DataError(
                    f"weights must have shape (n,) or {targets.shape}; got {shared_weights.shape}"
                )
        else:
            shared_weights = inputs.row_weights(weights, "weights", n)
    common_weights = shared_weights is None or shared_weights.ndim == 1
    if seen.all() and common_weights:
        one = frozen(design)
        w = None if shared_weights is None else frozen(shared_weights)
        everything = np.arange(n)
        return {
            "X": (one,) * T,
            "y": tuple(frozen(np.ascontiguousarray(targets[:, t])) for t in range(T)),
            "names": labels,
            "feature_names": column_names(frames, design.shape[1]),
            "weights": None if w is None else (w,) * T,
            "form": "shared",
            "shared": True,
            "rows": (everything,) * T,
            "source_rows": n,
        }
    rows = [np.flatnonzero(seen[:, t]) for t in range(T)]
    task_weights = None
    if shared_weights is not None:
        task_weights = tuple(
            frozen(
                inputs.row_weights(
                    (shared_weights if shared_weights.ndim == 1 else shared_weights[:, t])[r],
                    f"weights of task {labels[t]!r}",
                    len(r),
                )
            )
            for t, r in enumerate(rows)
        )
    return {
        "X": tuple(frozen(design[r]) for r in rows),
        "y": tuple(frozen(targets[r, t]) for t, r in enumerate(rows)),
        "names": labels,
        "feature_names": column_names(frames, design.shape[1]),
        "weights": task_weights,
        "form": "shared",
        "rows": tuple(rows),
        "source_rows": n,
    }


def of_rows(X: Any, y: Any, tasks: Any, weights: Any, feature_names: Sequence[str] | None) -> Fields:
    """Stacked rows with a task label each."""
    frames = feature_names if feature_names is not None else inputs.feature_names(X)
    design = inputs.rows(X, "X")
    N = design.shape[0]
    target = _target(y, "y", N)
    labels, codes = task_codes(tasks, N)
    w = None if weights is None else inputs.row_weights(weights, "weights", N)
    # A stable sort keeps each task's rows in the order in which they came.
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(labels) + 1))
    rows = tuple(order[bounds[t] : bounds[t + 1]] for t in range(len(labels)))
    return {
        "X": tuple(frozen(design[r]) for r in rows),
        "y": tuple(frozen(target[r]) for r in rows),
        "names": labels,
        "feature_names": column_names(frames, design.shape[1]),
        "weights": None
        if w is None
        else tuple(
            frozen(inputs.row_weights(w[r], f"weights of task {labels[t]!r}", len(r)))
            for t, r in enumerate(rows)
        ),
        "form": "long",
        "rows": rows,
        "source_rows": N,
    }


def of_one_task(X: Any, y: Any, weights: Any, feature_names: Sequence[str] | None) -> Fields:
    """One task."""
    frames = feature_names if feature_names is not None else inputs.feature_names(X)
    design = inputs.rows(X, "X")
    target = _target(y, "y", design.shape[0])
    w = None if weights is None else (frozen(inputs.row_weights(weights, "weights", design.shape[0])),)
    return {
        "X": (frozen(design),),
        "y": (frozen(target),),
        "names": (0,),
        "feature_names": column_names(frames, design.shape[1]),
        "weights": w,
        "form": "single",
        "shared": True,
        "rows": (np.arange(design.shape[0]),),
        "source_rows": design.shape[0],
    }


def frozen(a: Any) -> Any:
    """A read-only view: the caller's own array stays writeable and shares its memory."""
    if is_sparse(a):  # a copy of our own from the door on
        for part in (a.data, a.indices, a.indptr):
            part.flags.writeable = False
        return a
    view = a.view()
    view.flags.writeable = False
    return view


def _what(a: Any) -> str:
    return f"an array of shape {tuple(a.shape)}" if hasattr(a, "shape") else f"a {type(a).__name__}"


def _target(y: Any, name: str, n: int) -> NDArray[Any]:
    """Numbers as float64, or text labels as they are; (n,), finite."""
    labels = None if isinstance(y, np.ma.MaskedArray) else np.asarray(y)
    if labels is not None and (
        labels.dtype.kind in "US"
        or (labels.dtype.kind == "O" and all(isinstance(v, str) for v in labels.ravel()))
    ):
        if labels.shape != (n,):
            raise DataError(f"{name} must have shape ({n},) to match the rows of X; got {labels.shape}")
        return labels.astype(str)
    return inputs.vector(y, name, n)
