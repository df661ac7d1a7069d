"""The task container: one frozen class for every form in which multi-task data comes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError, UnknownTask
from mtlref.sparserows import is_sparse, stacked

Array = NDArray[np.float64]


def _frozen(a: Any) -> Any:
    """A read-only view: the caller's own array stays writeable and shares its memory."""
    if is_sparse(a):  # a copy of our own from the door on
        for part in (a.data, a.indices, a.indptr):
            part.flags.writeable = False
        return a
    view = a.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, eq=False, repr=False)
class TaskData:
    """Rows and targets of T tasks over the same p features.

    Make one with ``from_list``, ``from_shared``, ``from_long`` or ``from_single``.

    Attributes
    ----------
    X : tuple of T arrays (n_t, p), float64, read-only; csr_array where scipy.sparse designs came
    y : tuple of T arrays (n_t,), float64, or labels (text) for classification
    names : tuple of T task labels
    feature_names : tuple of p str, or None
    weights : tuple of T arrays (n_t,), >= 0, or None: a row's weight multiplies its loss
    form : "list", "shared", "long" or "single": how the data came, which ``predict`` mirrors
    shared : True where all tasks observe every row of one design with the same weights
    rows : tuple of T int arrays (n_t,): the place of each row in the arrays the data came from

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_list([np.eye(3), np.ones((2, 3))], [[1, 2, 3], [4, 5]], names=["a", "b"])
    >>> data.T, data.p, data.n.tolist(), data.N
    (2, 3, [3, 2], 5)
    """

    X: tuple[Array, ...]
    y: tuple[NDArray[Any], ...]
    names: tuple[Hashable, ...]
    feature_names: tuple[str, ...] | None = None
    weights: tuple[Array, ...] | None = None
    form: str = "list"
    shared: bool = False
    rows: tuple[NDArray[np.intp], ...] = field(default=())
    source_rows: int = 0

    @property
    def T(self) -> int:
        """Number of tasks."""
        return len(self.X)

    @property
    def p(self) -> int:
        """Number of features."""
        return int(self.X[0].shape[1])

    @property
    def n(self) -> NDArray[np.intp]:
        """Rows of each task, (T,)."""
        return np.array([len(v) for v in self.y], dtype=np.intp)

    @property
    def N(self) -> int:
        """Rows of all tasks together."""
        return sum(len(v) for v in self.y)

    @property
    def sparse(self) -> bool:
        """Whether the designs are sparse."""
        return is_sparse(self.X[0])

    def __repr__(self) -> str:
        sizes = self.n
        rows = f"n_t={sizes[0]}" if (sizes == sizes[0]).all() else f"n_t={sizes.min()}..{sizes.max()}"
        flags = ", one design" if self.shared else ""
        flags += ", sparse" if self.sparse else ""
        flags += ", weighted" if self.weights is not None else ""
        return f"TaskData(T={self.T}, p={self.p}, {rows}, N={self.N}, form={self.form!r}{flags})"

    @classmethod
    def from_list(
        cls,
        X: Sequence[Any],
        y: Sequence[Any],
        *,
        names: Sequence[Hashable] | None = None,
        weights: Sequence[Any] | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> TaskData:
        """Ragged tasks: X a list of T designs (n_t, p), y a list of T targets (n_t,), weights the same or None.

        Raises FormError for a 3-D array or anything that is not a list, DataError for shapes that do not match,
        NaN or infinity, a task without rows, and names that are not T different labels.
        """
        if not isinstance(X, (list, tuple)) or not isinstance(y, (list, tuple)):
            raise FormError(
                "TaskData.from_list takes a list of designs and a list of targets, one a task; got "
                f"{_what(X)} and {_what(y)}. An array of shape (T, n, p) becomes a list by list(X)."
            )
        if len(X) == 0:
            raise DataError("there must be at least one task; got an empty list")
        if len(X) != len(y):
            raise DataError(
                f"X and y must have one entry a task each; got {len(X)} designs and {len(y)} targets"
            )
        if weights is not None and len(weights) != len(X):
            raise DataError(f"weights must have one entry a task; got {len(weights)} for {len(X)} tasks")
        labels = _task_names(names, len(X))
        frames = feature_names if feature_names is not None else inputs.feature_names(X[0])
        designs: list[Array] = []
        targets: list[NDArray[Any]] = []
        row_weights: list[Array] = []
        p: int | None = None
        for t, (Xt, yt) in enumerate(zip(X, y, strict=True)):
            checked = inputs.rows(Xt, f"X[{t}]", p)
            p = checked.shape[1]
            designs.append(_frozen(checked))
            targets.append(_frozen(_target(yt, f"y[{t}]", checked.shape[0])))
            if weights is not None:
                row_weights.append(_frozen(inputs.row_weights(weights[t], f"weights[{t}]", checked.shape[0])))
        assert p is not None
        return cls(
            X=tuple(designs),
            y=tuple(targets),
            names=labels,
            feature_names=_feature_names(frames, p),
            weights=tuple(row_weights) if weights is not None else None,
            rows=tuple(np.arange(d.shape[0]) for d in designs),
        )

    @classmethod
    def from_shared(
        cls,
        X: Any,
        Y: Any,
        *,
        names: Sequence[Hashable] | None = None,
        weights: Any = None,
        feature_names: Sequence[str] | None = None,
    ) -> TaskData:
        """One design for all tasks: X (n, p), Y (n, T); NaN in Y marks a target that was not observed.

        weights : (n,) or (n, T), or None. Raises DataError for a task without any observed target.
        """
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
        labels = _task_names(columns, T)
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
            one = _frozen(design)
            w = None if shared_weights is None else _frozen(shared_weights)
            everything = np.arange(n)
            return cls(
                X=(one,) * T,
                y=tuple(_frozen(np.ascontiguousarray(targets[:, t])) for t in range(T)),
                names=labels,
                feature_names=_feature_names(frames, design.shape[1]),
                weights=None if w is None else (w,) * T,
                form="shared",
                shared=True,
                rows=(everything,) * T,
                source_rows=n,
            )
        rows = [np.flatnonzero(seen[:, t]) for t in range(T)]
        task_weights = None
        if shared_weights is not None:
            task_weights = tuple(
                _frozen(
                    inputs.row_weights(
                        (shared_weights if shared_weights.ndim == 1 else shared_weights[:, t])[r],
                        f"weights of task {labels[t]!r}",
                        len(r),
                    )
                )
                for t, r in enumerate(rows)
            )
        return cls(
            X=tuple(_frozen(design[r]) for r in rows),
            y=tuple(_frozen(targets[r, t]) for t, r in enumerate(rows)),
            names=labels,
            feature_names=_feature_names(frames, design.shape[1]),
            weights=task_weights,
            form="shared",
            rows=tuple(rows),
            source_rows=n,
        )

    @classmethod
    def from_long(
        cls,
        X: Any,
        y: Any,
        tasks: Any,
        *,
        weights: Any = None,
        feature_names: Sequence[str] | None = None,
    ) -> TaskData:
        """Stacked rows: X (N, p), y (N,) and a task label for each row, tasks (N,). Tasks come in sorted order.

        Raises DataError for lengths that do not match and labels that are missing (NaN or None).
        """
        frames = feature_names if feature_names is not None else inputs.feature_names(X)
        design = inputs.rows(X, "X")
        N = design.shape[0]
        target = _target(y, "y", N)
        labels, codes = _task_codes(tasks, N)
        w = None if weights is None else inputs.row_weights(weights, "weights", N)
        # A stable sort keeps each task's rows in the order in which they came.
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(labels) + 1))
        rows = tuple(order[bounds[t] : bounds[t + 1]] for t in range(len(labels)))
        return cls(
            X=tuple(_frozen(design[r]) for r in rows),
            y=tuple(_frozen(target[r]) for r in rows),
            names=labels,
            feature_names=_feature_names(frames, design.shape[1]),
            weights=None
            if w is None
            else tuple(
                _frozen(inputs.row_weights(w[r], f"weights of task {labels[t]!r}", len(r)))
                for t, r in enumerate(rows)
            ),
            form="long",
            rows=rows,
            source_rows=N,
        )

    @classmethod
    def from_single(
        cls, X: Any, y: Any, *, weights: Any = None, feature_names: Sequence[str] | None = None
    ) -> TaskData:
        """One task: X (n, p), y (n,), weights (n,) or None."""
        frames = feature_names if feature_names is not None else inputs.feature_names(X)
        design = inputs.rows(X, "X")
        target = _target(y, "y", design.shape[0])
        w = None if weights is None else (_frozen(inputs.row_weights(weights, "weights", design.shape[0])),)
        return cls(
            X=(_frozen(design),),
            y=(_frozen(target),),
            names=(0,),
            feature_names=_feature_names(frames, design.shape[1]),
            weights=w,
            form="single",
            shared=True,
            rows=(np.arange(design.shape[0]),),
            source_rows=design.shape[0],
        )

    def to_list(self) -> tuple[list[Array], list[NDArray[Any]]]:
        """(X, y): lists of T designs (n_t, p) and T targets (n_t,)."""
        return list(self.X), list(self.y)

    def to_shared(self) -> tuple[Array, Array]:
        """(X, Y): X (n, p), Y (n, T), NaN where a task does not have a row.

        Rows that came from one design go back to their places (rows that no task observed are left out); rows of
        ragged tasks are stacked, each with one observed target.
        """
        if self.shared and self.sparse:
            return self.X[0], np.column_stack(self.y)
        if self.form == "shared" and self.sparse:
            raise FormError("to_shared does not put a sparse design back together that has missing targets")
        if self.form == "shared":
            X = np.full((self.source_rows, self.p), np.nan)
            Y = np.full((self.source_rows, self.T), np.nan)
            for t in range(self.T):
                X[self.rows[t]] = self.X[t]
                Y[self.rows[t], t] = self.y[t]
            seen = ~np.isnan(X[:, 0])
            return X[seen], Y[seen]
        Y = np.full((self.N, self.T), np.nan)
        start = 0
        for t, yt in enumerate(self.y):
            Y[start : start + len(yt), t] = yt
            start += len(yt)
        return stacked(self.X), Y

    def to_long(self) -> tuple[Array, NDArray[Any], NDArray[Any]]:
        """(X, y, tasks): stacked rows (N, p), targets (N,), labels (N,); long data in the order in which they came."""
        X = stacked(self.X)
        y = np.concatenate(self.y)
        tasks = np.repeat(_label_array(self.names), self.n)
        if self.form == "long" and self.source_rows == self.N:
            back = np.argsort(np.concatenate(self.rows), kind="stable")
            return X[back], y[back], tasks[back]
        return X, y, tasks

    def take(self, rows: Sequence[Any]) -> TaskData:
        """The same tasks with only the rows given: T arrays of places in each task's own rows."""
        if len(rows) != self.T:
            raise DataError(f"rows must have one index array a task; got {len(rows)} for {self.T} tasks")
        places = [np.asarray(r) for r in rows]
        for t, r in enumerate(places):
            if r.size == 0:
                raise DataError(f"every task must keep a row; task {self.names[t]!r} would have none")
        if self.shared and all(r is rows[0] or np.array_equal(r, places[0]) for r in rows):
            one = _frozen(self.X[0][places[0]])
            w = None if self.weights is None else (_frozen(self.weights[0][places[0]]),) * self.T
            kept = self.rows[0][places[0]]
            return replace(
                self,
                X=(one,) * self.T,
                y=tuple(_frozen(v[places[0]]) for v in self.y),
                weights=w,
                rows=(kept,) * self.T,
            )
        return replace(
            self,
            X=tuple(_frozen(x[r]) for x, r in zip(self.X, places, strict=True)),
            y=tuple(_frozen(v[r]) for v, r in zip(self.y, places, strict=True)),
            weights=None
            if self.weights is None
            else tuple(_frozen(w[r]) for w, r in zip(self.weights, places, strict=True)),
            form="shared" if self.form == "shared" else "list",
            shared=False,
            rows=tuple(k[r] for k, r in zip(self.rows, places, strict=True)),
        )

    def select(self, names: Sequence[Hashable]) -> TaskData:
        """Only the tasks named, in the order given. Raises UnknownTask."""
        index = {name: t for t, name in enumerate(self.names)}
        missing = [name for name in names if name not in index]
        if missing:
            raise UnknownTask(f"tasks must be among {_few(self.names)}; got {missing[0]!r}")
        chosen = [index[name] for name in names]
        return replace(
            self,
            X=tuple(self.X[t] for t in chosen),
            y=tuple(self.y[t] for t in chosen),
            names=tuple(names),
            weights=None if self.weights is None else tuple(self.weights[t] for t in chosen),
            form="list" if self.form == "long" else self.form,
            rows=tuple(self.rows[t] for t in chosen),
        )


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


def _what(a: Any) -> str:
    return f"an array of shape {tuple(a.shape)}" if hasattr(a, "shape") else f"a {type(a).__name__}"


def _few(names: Sequence[Hashable]) -> str:
    shown = ", ".join(repr(n) for n in names[:6])
    return f"[{shown}, ... {len(names)} in all]" if len(names) > 6 else f"[{shown}]"


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


def _task_names(names: Sequence[Hashable] | None, T: int) -> tuple[Hashable, ...]:
    labels = tuple(range(T)) if names is None else tuple(names)
    if len(labels) != T:
        raise DataError(f"names must have one label a task; got {len(labels)} for {T} tasks")
    if len(set(labels)) != T:
        twice = next(n for n in labels if labels.count(n) > 1)
        raise DataError(f"names must differ from task to task; got {twice!r} more than once")
    return labels


def _task_codes(tasks: Any, N: int) -> tuple[tuple[Hashable, ...], NDArray[np.intp]]:
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


def _label_array(names: Sequence[Hashable]) -> NDArray[Any]:
    """Labels as an array with one entry a task, also where a label is itself a tuple."""
    plain = np.asarray(names) if not any(isinstance(n, tuple) for n in names) else None
    if plain is not None and plain.ndim == 1 and tuple(plain.tolist()) == tuple(names):
        return plain
    labels = np.empty(len(names), dtype=object)
    labels[:] = names
    return labels


def _feature_names(names: Sequence[str] | None, p: int) -> tuple[str, ...] | None:
    if names is None:
        return None
    labels = tuple(names)
    if len(labels) != p:
        raise DataError(f"feature_names must have one name a column; got {len(labels)} for {p} columns")
    return labels


def two_valued(data: TaskData) -> bool:
    """Whether the targets of all tasks together take exactly two values."""
    return len(np.unique(np.concatenate(data.y))) == 2
