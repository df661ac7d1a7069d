"""Moments of dask collections: every block is summarised where it lies, and the summaries are merged by a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mtlref.errors import DataError, FormError
from mtlref.moments import Moments
from mtlref.streaming import block_moments, in_order


def moments_of_dask(X: Any, y: Any, tasks: Any, weights: Any, features: Sequence[str] | None) -> Moments:
    """See ``Moments.from_dask``."""
    if not hasattr(X, "__dask_graph__") or not hasattr(X, "to_delayed"):
        raise FormError(
            f"X must be a dask.array or a dask.dataframe; got a {type(X).__name__}. Moments.from_rows takes arrays and "
            "memory maps."
        )
    import dask

    leaves = (
        _frame_leaves(X, y, tasks, weights, features)
        if hasattr(X, "columns")
        else _array_leaves(X, y, tasks, weights, features)
    )
    join = dask.delayed(_both)
    while len(leaves) > 1:
        leaves = [
            join(*leaves[k : k + 2]) if k + 1 < len(leaves) else leaves[k] for k in range(0, len(leaves), 2)
        ]
    (total,) = dask.compute(leaves[0])
    if total is None:
        raise DataError("there must be at least one row with an observed target; got none")
    return in_order(total)


def _array_leaves(X: Any, y: Any, tasks: Any, weights: Any, features: Any) -> list[Any]:
    """A delayed summary for each block of rows."""
    import dask
    import dask.array as da

    if features is not None:
        raise FormError("features names columns of a dask.dataframe; a dask.array has none")
    if X.ndim != 2:
        raise DataError(f"X must be 2-D, (N, p); got {X.ndim} axes")
    X = X.rechunk({1: -1})
    rows = X.chunks[0]
    unknown = any(n != n for n in rows)
    columns = []
    for name, a in (("y", y), ("tasks", tasks), ("weights", weights)):
        if a is None:
            columns.append([None] * len(rows))
            continue
        if not unknown and a.shape[0] == a.shape[0] and a.shape[0] != X.shape[0]:
            raise DataError(f"{name} must have {X.shape[0]} rows to match X; got {a.shape[0]}")
        if not hasattr(a, "__dask_graph__"):
            if unknown:
                raise DataError(
                    f"{name} must be a dask.array too where the blocks of X have unknown sizes; "
                    "X.compute_chunk_sizes() finds them out"
                )
            a = da.from_array(a, chunks=(rows, *((-1,) * (getattr(a, "ndim", 1) - 1))))
        if a.ndim == 2:
            a = a.rechunk({1: -1})
        elif a.ndim != 1:
            raise DataError(f"{name} must have one axis, or y two; got {a.ndim}")
        known = not unknown and not any(n != n for n in a.chunks[0])
        if known and a.chunks[0] != rows:
            a = a.rechunk({0: rows})
        if len(a.chunks[0]) != len(rows):
            raise DataError(f"{name} must have {len(rows)} blocks of rows as X has; got {len(a.chunks[0])}")
        columns.append(a.to_delayed().ravel().tolist())
    summary = dask.delayed(_block)
    return [summary(x, *rest) for x, *rest in zip(X.to_delayed().ravel().tolist(), *columns, strict=True)]


def _frame_leaves(frame: Any, y: Any, tasks: Any, weights: Any, features: Sequence[str] | None) -> list[Any]:
    """A delayed summary for each partition."""
    import dask

    named = [c for c in (y, tasks, weights) if c is not None]
    columns = [c for c in frame.columns if c not in named] if features is None else list(features)
    for column in [*named, *columns]:
        if not isinstance(column, str) or column not in frame.columns:
            known = ", ".join(map(str, frame.columns))
            raise DataError(
                f"y, tasks, weights and features must name columns of the frame ({known}); got {column!r}"
            )
    if not columns:
        raise DataError("there must be at least one column to learn from; got none")
    summary = dask.delayed(_partition)
    return [summary(part, columns, y, tasks, weights) for part in frame.to_delayed()]


def _block(X: Any, y: Any, tasks: Any, weights: Any) -> Moments | None:
    if len(X) != len(y):
        raise DataError(f"blocks of y must have as many rows as those of X; got {len(y)} beside {len(X)}")
    return block_moments(X, y, tasks, weights)


def _partition(
    part: Any, features: list[str], y: str, tasks: str | None, weights: str | None
) -> Moments | None:
    from dataclasses import replace

    found = block_moments(
        part[features].to_numpy(),
        part[y].to_numpy(),
        None if tasks is None else part[tasks].to_numpy(),
        None if weights is None else part[weights].to_numpy(),
    )
    return None if found is None else replace(found, feature_names=tuple(features))


def _both(a: Moments | None, b: Moments | None) -> Moments | None:
    if a is None or b is None:
        return b if a is None else a
    return a.merge(b)
