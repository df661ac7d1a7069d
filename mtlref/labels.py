"""Names of tasks and features, and a label for each row: what may stand there, and what is said where it does not."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, FormError


def few(names: Sequence[Hashable]) -> str:
    """At most six of them, as a message shows them."""
    shown = ", ".join(repr(n) for n in names[:6])
    return f"[{shown}, ... {len(names)} in all]" if len(names) > 6 else f"[{shown}]"


def task_names(names: Sequence[Hashable] | None, T: int) -> tuple[Hashable, ...]:
    """The names, one a task and all different; 0, 1, ... where none are given."""
    labels = tuple(range(T)) if names is None else tuple(names)
    if len(labels) != T:
        raise DataError(f"names must have one label a task; got {len(labels)} for {T} tasks")
    if len(set(labels)) != T:
        twice = next(n for n in labels if labels.count(n) > 1)
        raise DataError(f"names must differ from task to task; got {twice!r} more than once")
    return labels


def task_codes(tasks: Any, N: int) -> tuple[tuple[Hashable, ...], NDArray[np.intp]]:
    """The labels that occur in ``tasks`` (N,), ordered, and the place of each row's among them."""
    array = np.asarray(tasks)
    if array.shape != (N,):
        raise DataError(f"tasks must have shape ({N},), a label for each row of X; got {array.shape}")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise DataError("tasks must label every row; got NaN")
    if array.dtype.kind == "O":
        if any(v is None or v != v for v in array):
            raise DataError("tasks must label every row; got a missing label")
        try:
            values, codes = np.unique(array, return_inverse=True)
        except TypeError:
            raise FormError(
                "tasks must be labels of one kind (all text or all numbers); got a mixture"
            ) from None
    else:
        values, codes = np.unique(array, return_inverse=True)
    return tuple(values.tolist()), codes


def label_array(names: Sequence[Hashable]) -> NDArray[Any]:
    """Labels as an array with one entry a task, also where a label is itself a tuple."""
    plain = np.asarray(names) if not any(isinstance(n, tuple) for n in names) else None
    if plain is not None and plain.ndim == 1 and tuple(plain.tolist()) == tuple(names):
        return plain
    labels = np.empty(len(names), dtype=object)
    labels[:] = names
    return labels


def column_names(names: Sequence[str] | None, p: int) -> tuple[str, ...] | None:
    """The names, one a column; None where none are given."""
    if names is None:
        return None
    labels = tuple(names)
    if len(labels) != p:
        raise DataError(f"feature_names must have one name a column; got {len(labels)} for {p} columns")
    return labels
