"""Moments of rows that are not in memory together: slices of a memory map, chunks of a stream."""

from __future__ import annotations

import mmap
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import numpy as np

from mtlref import inputs
from mtlref.errors import DataError, FormError
from mtlref.moments import Moments
from mtlref.tasks import TaskData

# Numbers of X in memory at a time where nobody says how many rows.
CHUNK = 2**22


def joined(parts: Iterable[Moments]) -> Moments | None:
    """The parts merged in turn; None where there are none. A part costs what its own tasks cost, not what all do."""
    total: Moments | None = None
    place: dict[Hashable, int] = {}
    for part in parts:
        if total is not None and _fits(total, part) and place.keys() >= set(part.names):
            _add(total, part, [place[name] for name in part.names])
            continue
        total = part if total is None else total.merge(part)
        place = {name: t for t, name in enumerate(total.names)}
        if not total.shared:
            total = total.only(np.arange(total.T))  # arrays of its own, which are written to from here on
    return total


def _fits(total: Moments, part: Moments) -> bool:
    """Whether ``part`` can go into the arrays of ``total`` as they are."""
    alike = (total.p, total.x_exponent, total.y_exponent) == (part.p, part.x_exponent, part.y_exponent)
    return alike and not total.shared


def _add(total: Moments, part: Moments, places: list[int]) -> None:
    """``part`` merged into the arrays of ``total``, whose tasks at ``places`` are those of the part."""
    new = total.only(places).merge(part).by_task()
    for name, array in total.by_task().items():
        array[places] = new[name]


def moments_of_rows(X: Any, y: Any, tasks: Any, weights: Any, chunk_rows: int | None) -> Moments:
    """See ``Moments.from_rows``."""
    shape = getattr(X, "shape", None)
    if shape is None or len(shape) != 2:
        raise FormError(f"X must be a memory map or an array of shape (N, p); got {_what(X)}")
    N, p = shape
    for name, a in (("y", y), ("tasks", tasks), ("weights", weights)):
        if a is not None and (getattr(a, "shape", None) is None or a.shape[0] != N):
            raise DataError(f"{name} must be an array with {N} rows to match X; got {_what(a)}")
    size = max(1, CHUNK // max(p, 1)) if chunk_rows is None else inputs.count(chunk_rows, "chunk_rows")

    def parts() -> Iterator[Moments]:
        for start in range(0, N, size):
            rows = slice(start, min(start + size, N))
            cut = [None if a is None else a[rows] for a in (X, y, tasks, weights)]
            try:
                part = block_moments(*cut)
            except (DataError, FormError) as problem:
                raise type(problem)(f"rows {rows.start} to {rows.stop - 1}: {problem}") from None
            for a in (X, y, tasks, weights):
                _forget(a)
            if part is not None:
                yield part

    total = joined(parts())
    if total is None:
        raise DataError("there must be at least one row with an observed target; got none")
    return in_order(total)


def block_moments(X: Any, y: Any, tasks: Any, weights: Any) -> Moments | None:
    """The moments of some rows, None where they have no observed target of positive weight.

    tasks (n,) with y (n,); or Y (n, T), the tasks named 0, ..., T − 1; or y (n,), one task.
    """
    X, y = np.asarray(X), np.asarray(y)
    tasks = None if tasks is None else np.asarray(tasks)
    if weights is not None:
        weights = inputs.vector(weights, "weights", len(X))
        if (weights < 0).any():
            raise DataError(f"weights must be >= 0; got {weights.min()!r}")
        if not weights.all():
            kept = weights > 0
            X, y, weights = X[kept], y[kept], weights[kept]
            tasks = None if tasks is None else tasks[kept]
    if len(X) == 0:
        return None
    if tasks is not None:
        data = TaskData.from_long(X, y, tasks, weights=weights)
    elif y.ndim == 2:
        if y.dtype.kind != "f":
            y = inputs.as_float(y, "Y", 2)
        seen = ~np.isnan(y).all(axis=0)
        if not seen.any():
            return None
        names = np.flatnonzero(seen).tolist()
        data = TaskData.from_shared(X, y[:, seen], names=names, weights=weights)
    else:
        data = TaskData.from_single(X, y, weights=weights)
    return Moments.from_data(data)


def in_order(total: Moments) -> Moments:
    """The tasks in sorted order, as the long form has them."""
    try:
        order = sorted(range(total.T), key=lambda t: total.names[t])  # type: ignore[arg-type,return-value]
    except TypeError:
        raise FormError("tasks must be labels of one kind (all text or all numbers); got a mixture") from None
    return total if order == list(range(total.T)) else total.only(order)


def _forget(a: Any) -> None:
    """Let go of the pages of a memory map that were read: they are on disk, and need not stay in memory as well.

    Not where the map is a private copy ("c"), whose changes are nowhere else.
    """
    pages: Any = getattr(a, "_mmap", None)
    advice = getattr(mmap, "MADV_DONTNEED", None)
    if getattr(a, "mode", None) in ("r", "r+") and advice is not None and hasattr(pages, "madvise"):
        pages.madvise(advice)


def _what(a: Any) -> str:
    shape = getattr(a, "shape", None)
    return f"a {type(a).__name__}" if shape is None else f"a {type(a).__name__} of shape {tuple(shape)}"
