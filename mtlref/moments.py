"""Moments: the Gram statistics of every task, all that a squared-loss method needs to know of the rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.centring import two_sum
from mtlref.errors import DataError, FormError
from mtlref.extremes import extreme_exponents, ordinary, scaled_rows, target_exponent
from mtlref.rowstatistics import statistics
from mtlref.tasks import TaskData

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Moments:
    """Centred second moments of T tasks, from rows that need not be in memory together.

    With weights s (ones where there are none), m = Σ_i s_i, x̄ = Σ_i s_i x_i / m and ȳ likewise, task t holds

        C = Σ_i s_i (x_i − x̄)(x_i − x̄)',   r = Σ_i s_i (x_i − x̄)(y_i − ȳ),   q = Σ_i s_i (y_i − ȳ)².

    Centring comes before squaring, and parts are joined by the update of Chan, Golub & LeVeque (1979) about means held
    in two parts, so that columns with a large mean lose nothing to cancellation, in however many parts they come. Data
    beyond 2^±64 are held divided by a power of two.

    Attributes
    ----------
    mass : (T,) sums of weights;  count : (T,) rows
    x_mean : (T, p), y_mean : (T,)
    cxx : (T, p, p), cxy : (T, p), cyy : (T,): C, r and q. One design for all tasks: x_mean (1, p), cxx (1, p, p).
    x_exponent, y_exponent : the rows were multiplied by 2^-exponent before the moments were taken
    x_slip, y_slip : what rounding took from the means, of their shapes or 0: x̄ = x_mean + x_slip to twice the digits

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((100, 3)), rng.standard_normal(100)
    >>> chunks = [mt.TaskData.from_list([X[i : i + 25]], [y[i : i + 25]]) for i in range(0, 100, 25)]
    >>> moments = mt.Moments.from_chunks(chunks)
    >>> bool(np.allclose(mt.SingleTaskRidge(lam=0.1).fit(moments).coef_,
    ...                  mt.SingleTaskRidge(lam=0.1).fit([X], [y]).coef_, rtol=1e-12, atol=1e-12))
    True
    """

    names: tuple[Hashable, ...]
    mass: Array
    count: NDArray[np.intp]
    x_mean: Array
    y_mean: Array
    cxx: Array
    cxy: Array
    cyy: Array
    feature_names: tuple[str, ...] | None = None
    x_exponent: int = 0
    y_exponent: int = 0
    x_slip: Array | float = 0.0
    y_slip: Array | float = 0.0

    @property
    def T(self) -> int:
        """Number of tasks."""
        return len(self.names)

    @property
    def p(self) -> int:
        """Number of features."""
        return int(self.cxy.shape[1])

    @property
    def n(self) -> NDArray[np.intp]:
        """Rows of each task, (T,)."""
        return self.count

    @property
    def N(self) -> int:
        """Rows of all tasks together."""
        return int(self.count.sum())

    @property
    def shared(self) -> bool:
        """Whether all tasks share one design."""
        return len(self.cxx) == 1

    def __repr__(self) -> str:
        return f"Moments(T={self.T}, p={self.p}, N={self.N}{', one design' if self.shared and self.T > 1 else ''})"

    @classmethod
    def from_data(cls, data: TaskData) -> Moments:
        """The moments of all rows of ``data``. One pass, O(N p²), and T p² numbers kept (p² for a shared design)."""
        if any(y.dtype.kind != "f" for y in data.y):
            raise FormError("Moments need numeric targets; got text labels")
        found = cls.of_ordinary(data)
        if found is not None:
            return found
        ex, ey = extreme_exponents(data)
        return cls.from_scaled(scaled_rows(data, ex, ey) if ex or ey else data, ex, ey)

    @classmethod
    def from_scaled(cls, data: TaskData, ex: int = 0, ey: int = 0, *, centre: bool = True) -> Moments:
        """The same of rows that were divided by 2^ex and 2^ey already.

        centre False: tasks with designs of their own whose columns have small means come about x̄ = 0 and ȳ = 0, as X'X,
        X'y and y'y, which is what a fit without intercepts asks for.
        """
        found = statistics(data, centre)
        return cls(
            data.names, count=data.n, feature_names=data.feature_names, x_exponent=ex, y_exponent=ey, **found
        )

    @classmethod
    def of_ordinary(cls, data: TaskData, *, centre: bool = True) -> Moments | None:
        """``from_scaled`` of dense rows without weights that need no scaling: their sizes are seen in the products.

        None of others.
        """
        if data.weights is not None or data.sparse or target_exponent(data):
            return None
        with np.errstate(all="ignore"):
            found = cls.from_scaled(data, centre=centre)
            own = found.count[: len(found.cxx)]
            squares = np.trace(found.cxx, axis1=1, axis2=2) + own * np.square(found.x_mean).sum(axis=1)
            return found if ordinary(float(squares.max()), float((squares / own).max()) / data.p) else None

    @classmethod
    def from_chunks(cls, chunks: Iterable[TaskData]) -> Moments:
        """The moments of an iterator of TaskData, of which only one is in memory at a time.

        Tasks are matched by name; a chunk need not hold every task. Raises DataError for an empty iterator.
        """
        from mtlref.streaming import joined

        total = joined(cls.from_data(chunk) for chunk in chunks)
        if total is None:
            raise DataError("from_chunks needs at least one chunk; got an empty iterator")
        return total

    @classmethod
    def from_rows(
        cls, X: Any, y: Any, tasks: Any = None, *, weights: Any = None, chunk_rows: int | None = None
    ) -> Moments:
        """The moments of rows that lie in a memory map (or any array), read a slice at a time and never all at once.

        X (N, p) with y (N,) and tasks (N,), a label a row; or with Y (N, T), NaN not observed; or with y (N,) alone,
        one task. Anything that has a shape and gives arrays for slices of rows will do. weights : (N,) or None; rows of
        weight zero are left out. chunk_rows : rows in memory at a time, None for some 32 MB. Tasks come sorted.

        Raises DataError and FormError as TaskData does, with the place of the slice.
        """
        from mtlref.streaming import moments_of_rows

        return moments_of_rows(X, y, tasks, weights, chunk_rows)

    @classmethod
    def from_dask(
        cls, X: Any, y: Any, tasks: Any = None, *, weights: Any = None, features: Sequence[str] | None = None
    ) -> Moments:
        """The moments of a dask collection, by whatever scheduler is in force: threads, processes, or a cluster.

        X : a dask.array (N, p), with y, tasks and weights arrays (dask or not) as in ``from_rows``. Or a
        dask.dataframe, with the names of its columns: y the target, tasks the task labels, weights; features: the
        columns to learn from, None for all others. Blocks are summarised where they lie and their moments merged
        by a tree in a fixed order, so that every scheduler gives the same bits, also where a worker dies and its blocks
        are done again.

        Raises DataError where blocks do not match or hold no rows, FormError for anything but a dask collection.
        """
        from mtlref.distributed import moments_of_dask

        return moments_of_dask(X, y, tasks, weights, features)

    def update(self, chunk: TaskData) -> Moments:
        """These moments with the rows of ``chunk`` added (a new object)."""
        return self.merge(Moments.from_data(chunk))

    def merge(self, other: Moments) -> Moments:
        """The moments of both sets of rows together (a new object); tasks are matched by name.

        Raises DataError where p or the feature names differ.
        """
        if other.p != self.p:
            raise DataError(f"moments to merge must have p = {self.p} features; got {other.p}")
        if self.feature_names != other.feature_names and self.feature_names and other.feature_names:
            raise DataError(f"moments to merge must have the same feature names; got {other.feature_names}")
        ex, ey = max(self.x_exponent, other.x_exponent), max(self.y_exponent, other.y_exponent)
        a, b = self.at_exponents(ex, ey), other.at_exponents(ex, ey)
        if a.names == b.names:
            return a._joined(b)
        names = a.names + tuple(n for n in b.names if n not in set(a.names))
        return a._spread(names)._joined(b._spread(names))

    def _joined(self, other: Moments) -> Moments:
        a, b = (self, other) if self.shared == other.shared else (self.per_task(), other.per_task())
        mass = a.mass + b.mass
        share = np.divide(b.mass, mass, out=np.zeros_like(mass), where=mass > 0)  # of b in the whole
        cross = share * a.mass  # = mass_a mass_b / mass
        g = slice(0, len(a.cxx))
        # Means of one size differ exactly; what rounding took from them comes after.
        dx = (b.x_mean - a.x_mean) + (b.x_slip - a.x_slip)
        dy = (b.y_mean - a.y_mean) + (b.y_slip - a.y_slip)
        x_mean, x_slip = two_sum(a.x_mean, a.x_slip + share[g, None] * dx)
        y_mean, y_slip = two_sum(a.y_mean, a.y_slip + share * dy)
        return replace(
            a,
            mass=mass,
            count=a.count + b.count,
            x_mean=x_mean,
            y_mean=y_mean,
            cxx=a.cxx + b.cxx + (cross[g, None, None] * dx[:, :, None]) * dx[:, None, :],
            cxy=a.cxy + b.cxy + (cross * dy)[:, None] * dx,
            cyy=a.cyy + b.cyy + cross * dy * dy,
            feature_names=a.feature_names or b.feature_names,
            x_slip=x_slip,
            y_slip=y_slip,
        )

    def per_task(self) -> Moments:
        """The same with one (p, p) block a task, also where the design is shared."""
        if len(self.cxx) == self.T:
            return self
        slip = self.x_slip if np.ndim(self.x_slip) == 0 else np.repeat(self.x_slip, self.T, axis=0)
        return replace(
            self,
            x_mean=np.repeat(self.x_mean, self.T, axis=0),
            cxx=np.repeat(self.cxx, self.T, axis=0),
            x_slip=slip,
        )

    def only(self, places: Any) -> Moments:
        """The moments of the tasks at ``places``, in that order."""
        own = self.per_task()
        names = tuple(own.names[t] for t in places)
        fields: dict[str, Any] = {f: v[places] for f, v in own.by_task().items()}
        return replace(own, names=names, **fields)

    def by_task(self) -> dict[str, NDArray[Any]]:
        """The arrays that have an entry a task, by name, where every task has its own block."""
        arrays = {f: getattr(self, f) for f in ("mass", "count", "x_mean", "y_mean", "cxx", "cxy", "cyy")}
        for f, mean in (("x_slip", self.x_mean), ("y_slip", self.y_mean)):
            slip = getattr(self, f)
            arrays[f] = np.zeros_like(mean) if np.ndim(slip) == 0 else slip
        return arrays

    def _spread(self, names: tuple[Hashable, ...]) -> Moments:
        """With rows of zeros for tasks that these moments do not hold."""
        own = self.per_task()
        place = {name: t for t, name in enumerate(own.names)}
        to = np.array([k for k, name in enumerate(names) if name in place], dtype=np.intp)
        source = np.array([place[name] for name in names if name in place], dtype=np.intp)

        def put(a: NDArray[Any]) -> NDArray[Any]:
            out = np.zeros((len(names), *a.shape[1:]), dtype=a.dtype)
            out[to] = a[source]
            return out

        fields: dict[str, Any] = {f: put(v) for f, v in own.by_task().items()}
        return replace(own, names=names, **fields)

    def at_exponents(self, x_exponent: int, y_exponent: int) -> Moments:
        """The same moments, held for rows divided by 2^x_exponent and targets by 2^y_exponent."""
        dx, dy = self.x_exponent - x_exponent, self.y_exponent - y_exponent
        if dx == 0 and dy == 0:
            return self
        return replace(
            self,
            x_mean=np.ldexp(self.x_mean, dx),
            y_mean=np.ldexp(self.y_mean, dy),
            cxx=np.ldexp(self.cxx, 2 * dx),
            cxy=np.ldexp(self.cxy, dx + dy),
            cyy=np.ldexp(self.cyy, 2 * dy),
            x_exponent=x_exponent,
            y_exponent=y_exponent,
            x_slip=np.ldexp(self.x_slip, dx),
            y_slip=np.ldexp(self.y_slip, dy),
        )
