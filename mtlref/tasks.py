"""The task container: one frozen class for every form in which multi-task data comes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, FormError, UnknownTask
from mtlref.labels import few, label_array
from mtlref.sparserows import is_sparse, stacked
from mtlref.taskfields import frozen, of_design, of_list, of_one_task, of_rows

Array = NDArray[np.float64]


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
        return cls(**of_list(X, y, names, weights, feature_names))

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
        return cls(**of_design(X, Y, names, weights, feature_names))

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
        return cls(**of_rows(X, y, tasks, weights, feature_names))

    @classmethod
    def from_single(
        cls, X: Any, y: Any, *, weights: Any = None, feature_names: Sequence[str] | None = None
    ) -> TaskData:
        """One task: X (n, p), y (n,), weights (n,) or None."""
        return cls(**of_one_task(X, y, weights, feature_names))

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
        tasks = np.repeat(label_array(self.names), self.n)
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
            one = frozen(self.X[0][places[0]])
            w = None if self.weights is None else (frozen(self.weights[0][places[0]]),) * self.T
            kept = self.rows[0][places[0]]
            return replace(
                self,
                X=(one,) * self.T,
                y=tuple(frozen(v[places[0]]) for v in self.y),
                weights=w,
                rows=(kept,) * self.T,
            )
        return replace(
            self,
            X=tuple(frozen(x[r]) for x, r in zip(self.X, places, strict=True)),
            y=tuple(frozen(v[r]) for v, r in zip(self.y, places, strict=True)),
            weights=None
            if self.weights is None
            else tuple(frozen(w[r]) for w, r in zip(self.weights, places, strict=True)),
            form="shared" if self.form == "shared" else "list",
            shared=False,
            rows=tuple(k[r] for k, r in zip(self.rows, places, strict=True)),
        )

    def select(self, names: Sequence[Hashable]) -> TaskData:
        """Only the tasks named, in the order given. Raises UnknownTask."""
        index = {name: t for t, name in enumerate(self.names)}
        missing = [name for name in names if name not in index]
        if missing:
            raise UnknownTask(f"tasks must be among {few(self.names)}; got {missing[0]!r}")
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


def two_valued(data: TaskData) -> bool:
    """Whether the targets of all tasks together take exactly two values."""
    return len(np.unique(np.concatenate(data.y))) == 2
