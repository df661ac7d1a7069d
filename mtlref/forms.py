"""Data in any form of the contract, told apart and made TaskData."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtlref import inputs
from mtlref.errors import DataError, FormError
from mtlref.sparserows import is_sparse
from mtlref.tasks import TaskData


def as_tasks(
    X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None, sparse: bool = False
) -> TaskData:
    """TaskData from any form of the contract.

    A TaskData; lists of designs and targets; one design with Y (n, T), NaN not observed; long rows with ``tasks``
    labels; one task with y (n,). ``sample_weight`` has the shape of the targets. ``sparse`` : whether designs of
    scipy.sparse are let in.

    Raises FormError for a 3-D array (it names TaskData.from_list) and for forms that cannot be told apart.
    """
    if isinstance(X, TaskData):
        if y is not None or tasks is not None:
            raise FormError("a TaskData holds its own targets; give no y or tasks beside it")
        if sample_weight is not None:
            raise FormError("a TaskData holds its own weights; give weights= where it is made")
        if X.sparse and not sparse:
            inputs.as_float(X.X[0], "X", 2)
        return X
    if getattr(X, "ndim", None) == 3 or (hasattr(X, "shape") and len(X.shape) == 3):
        raise FormError(
            f"X must be a list of designs or one 2-D array; got an array of shape {tuple(X.shape)}. For T designs of "
            "equal size use TaskData.from_list(list(X), list(y))."
        )
    if y is None:
        raise DataError("fit needs targets: it requires y to be passed, but the target y is None")
    first = X[0] if isinstance(X, (list, tuple)) and len(X) else X
    if is_sparse(first) and not sparse:
        inputs.as_float(first, "X", 2)
    if tasks is not None:
        return TaskData.from_long(X, y, tasks, weights=sample_weight)
    if _is_list_of_designs(X):
        return TaskData.from_list(X, y, weights=sample_weight)
    if _axes(y) == 2:
        return TaskData.from_shared(X, y, weights=sample_weight)
    return TaskData.from_single(X, y, weights=sample_weight)


def _is_list_of_designs(X: Any) -> bool:
    """A list whose entries have two axes; a list of lists of numbers is one design."""
    if not isinstance(X, (list, tuple)) or len(X) == 0:
        return isinstance(X, (list, tuple))
    first = X[0]
    if hasattr(first, "shape"):  # a polars frame has a shape, but no ndim
        return len(first.shape) >= 2
    return (
        isinstance(first, (list, tuple))
        and len(first) > 0
        and (isinstance(first[0], (list, tuple)) or getattr(first[0], "ndim", 0) >= 1)
    )


def _axes(y: Any) -> int:
    """The number of axes, also of an object that only converts to an array."""
    if hasattr(y, "shape"):
        return len(y.shape)
    try:
        return np.asarray(y).ndim
    except (ValueError, TypeError):  # ragged: what reads it next says so
        return 1
