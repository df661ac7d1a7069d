"""Moments: the Gram statistics of every task, all that a squared-loss method needs to know of the rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, FormError
from mtlref.sparserows import CentredRows, column_means, is_sparse
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
        ex, ey = extreme_exponents(data)
        return cls.from_scaled(scaled_rows(data, ex, ey) if ex or ey else data, ex, ey)

    @classmethod
    def from_scaled(cls, data: TaskData, ex: int = 0, ey: int = 0, *, centre: bool = True) -> Moments:
        """The same of rows that were divided by 2^ex and 2^ey already.

        centre False: tasks with designs of their own whose columns have small means come about x̄ = 0 and ȳ = 0, as X'X,
        X'y and y'y, which is what a fit without intercepts asks for.
        """
        if data.sparse:
            return cls._from_sparse(data, ex, ey)
        if data.shared and data.T > 1:
            return cls._from_shared(data, ex, ey)
        T, p = data.T, data.p
        mass, y_mean, cyy = np.empty(T), np.empty(T), np.empty(T)
        x_mean, cxy, cxx = np.empty((T, p)), np.empty((T, p)), np.empty((T, p, p))
        x_slip, y_slip = np.empty((T, p)), np.empty(T)
        near = False
        for t in range(T):
            X, y = data.X[t], data.y[t]
            s = None if data.weights is None else data.weights[t]
            mass[t] = len(y) if s is None else s.sum()
            if s is None:
                x_mean[t], x_slip[t] = np.full(len(X), 1.0 / len(X)) @ X, 0.0
                # Where the last task's columns were, these may be: their squares are then those of the products.
                near = near or _nearly_centred(X, x_mean[t])
                if near:
                    np.matmul(X.T, X, out=cxx[t])
                    near = bool((_least_squares(X, x_mean[t]) <= np.diag(cxx[t])).all())
            if near and not centre:
                x_mean[t], y_mean[t], y_slip[t] = 0.0, 0.0, 0.0
                cxy[t], cyy[t] = y @ X, y @ y
                continue
            y_mean[t], y_slip[t], yc = centred_twice(y, s)
            cyy[t] = yc @ (yc if s is None else s * yc)
            if near:
                cxy[t] = _less_means(X, yc, x_mean[t], cxx[t])
                continue
            x_mean[t], x_slip[t], Xc = centred_twice(X, s)
            sX = Xc if s is None else Xc * s[:, None]
            C = Xc.T @ sX
            cxx[t] = (C + C.T) / 2
            cxy[t] = sX.T @ yc
        held = (mass, data.n, x_mean, y_mean, cxx, cxy, cyy, data.feature_names, ex, ey, x_slip, y_slip)
        return cls(data.names, *held)

    @classmethod
    def of_ordinary(cls, data: TaskData, *, centre: bool = True) -> Moments | None:
        """``from_scaled`` of rows that need no scaling, None of others: their sizes are seen in the products.

        Dense rows without weights.
        """
        if _target_exponent(data):
            return None
        with np.errstate(all="ignore"):
            found = cls.from_scaled(data, centre=centre)
            own = found.count[: len(found.cxx)]
            squares = np.trace(found.cxx, axis1=1, axis2=2) + own * np.square(found.x_mean).sum(axis=1)
            return found if _ordinary(float(squares.max()), float((squares / own).max()) / data.p) else None

    @classmethod
    def _from_shared(cls, data: TaskData, ex: int, ey: int) -> Moments:
        X, Y = data.X[0], np.column_stack(data.y)
        s = None if data.weights is None else data.weights[0]
        y_mean, y_slip, Yc = centred_twice(Y, s)
        sY = Yc if s is None else Yc * s[:, None]
        cyy = np.einsum("it,it->t", Yc, sY)
        total = float(len(X)) if s is None else float(s.sum())
        mass = np.full(data.T, total)
        x_mean = _sums_in_blocks(X, s) / total
        if s is None and _nearly_centred(X, x_mean):
            cxx, cxy, slip = _in_blocks(X, sY, s, None, total)
            cxx -= total * x_mean[:, None] * x_mean
            cxy -= Yc.sum(axis=0)[:, None] * x_mean
        else:
            cxx, cxy, slip = _in_blocks(X, sY, s, x_mean, total)
        x_mean, x_slip = two_sum(x_mean, slip)
        return cls(
            data.names,
            mass,
            data.n,
            x_mean[None],
            y_mean,
            cxx[None],
            cxy,
            cyy,
            data.feature_names,
            ex,
            ey,
            x_slip[None],
            y_slip,
        )

    @classmethod
    def _from_sparse(cls, data: TaskData, ex: int, ey: int) -> Moments:
        """The same by products of the sparse designs."""
        blocks = 1 if data.shared else data.T
        p, held = data.p, []
        cxx, x_mean, x_slip = np.empty((blocks, p, p)), np.empty((blocks, p)), np.zeros((blocks, p))
        for t in range(blocks):
            tasks = range(data.T) if data.shared else [t]
            s = None if data.weights is None else data.weights[t]
            design: Any = data.X[t]
            rows = CentredRows.of(design, s, True)
            y_mean, y_slip, Yc = centred_twice(np.column_stack([data.y[k] for k in tasks]), s)
            sY = Yc if s is None else Yc * s[:, None]
            cxx[t] = rows.gram(s)
            x_mean[t] = column_means(design, s)
            if (
                rows.full.size
            ):  # what rounding took from the mean is seen in any row beside the same row centred
                first = design[:1, rows.full].toarray()[0]
                x_slip[t, rows.full] = (first - x_mean[t, rows.full]) - rows.dense[0]
            mass = np.full(len(y_mean), float(len(Yc)) if s is None else s.sum())
            held.append((mass, y_mean, y_slip, (sY.T @ rows), np.einsum("it,it->t", Yc, sY)))
        mass, y_mean, y_slip, cxy, cyy = (np.concatenate(part) for part in zip(*held, strict=True))
        more = (data.feature_names, ex, ey, x_slip, y_slip)
        return cls(data.names, mass, data.n, x_mean, y_mean, cxx, cxy, cyy, *more)

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


def centred(a: Array, s: Array | None) -> tuple[Array, Array]:
    """(mean, a − mean) along the rows, weighted by s. The second pass removes the rounding of the first mean."""
    mean, _, ac = centred_twice(a, s)
    return mean, ac


def centred_twice(a: Array, s: Array | None) -> tuple[Array, Array, Array]:
    """(mean, slip, a − mean − slip) along the rows, weighted by s; slip is what rounding took from the mean."""
    if s is None:
        mean = a.mean(axis=0)
        ac = a - mean
        slip = ac.mean(axis=0)
    else:
        total = s.sum()
        mean = (s @ a) / total
        ac = a - mean
        slip = (s @ ac) / total
    ac -= slip
    return *two_sum(mean, slip), ac


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """(a + b, what rounding took from it), exactly (Knuth)."""
    whole = a + b
    part = whole - a
    return whole, (a - (whole - part)) + (b - part)


# Rows are centred in blocks of about so many numbers.
BLOCK = 2**18
# Means whose squares are below this share of a column's mean square take no digits when they are subtracted after.
SMALL_MEAN = 0.1


def _nearly_centred(X: Array, mean: Array) -> bool:
    least = _least_squares(X, mean)
    # The squares of some of the rows are most often enough.
    return any((least <= np.einsum("ij,ij->j", rows, rows)).all() for rows in (X[: len(X) // 4], X))


def _least_squares(X: Array, mean: Array) -> Array:
    """(p,): the sums of squares that columns with these means must have for their means to be small."""
    return np.asarray(len(X) * mean**2 / SMALL_MEAN)


def _less_means(X: Array, yc: Array, mean: Array, cxx: Array) -> Array:
    """cxy of columns whose means are small; these are subtracted from the products cxx (p, p), in their place."""
    root = np.sqrt(len(X)) * mean
    cxx -= root[:, None] * root
    return np.asarray(yc @ X - yc.sum() * mean)


def _block_rows(p: int) -> int:
    return max(BLOCK // p, 2 * p)


def error_growth(data: TaskData) -> float:
    """γ: what Moments of dense rows hold of Σ_i s_i x_ij z_i errs by at most γ ‖√s x_j‖ ‖√s z‖, z a column of X or Y.

    A sum errs, in any order, by its number of terms times eps/2 of that; four times as much allows for the centring.
    """
    n = int(data.n.max())
    size = _block_rows(data.p) if data.shared and data.T > 1 else n
    return 2 * (min(n, size) + -(-n // size) + 16) * float(np.finfo(float).eps)


def _sums_in_blocks(X: Array, s: Array | None) -> Array:
    size, total = _block_rows(X.shape[1]), np.zeros(X.shape[1])
    for i in range(0, len(X), size):
        total += X[i : i + size].sum(axis=0) if s is None else s[i : i + size] @ X[i : i + size]
    return total


def _in_blocks(
    X: Array, sY: Array, s: Array | None, mean: Array | None, total: float
) -> tuple[Array, Array, Array]:
    """(cxx, cxy, what rounding left of the mean): rows are centred block by block, in the processor's cache.

    The slip of the mean is known only at the end, and what it added is taken off there. mean None: as they are.
    Short sums of short sums err by less than long ones.
    """
    p, T = X.shape[1], sY.shape[1]
    cxx, cxy, slip = np.empty((p, p)), np.zeros((T, p)), np.zeros(p)
    size = _block_rows(p)
    buffer, product = np.empty((0 if mean is None else min(size, len(X)), p)), np.empty((p, p))
    for i in range(0, len(X), size):
        Xc = X[i : i + size]
        if mean is not None:
            Xc = np.subtract(Xc, mean, out=buffer[: len(X) - i])
            slip += Xc.sum(axis=0) if s is None else s[i : i + size] @ Xc
        cxy += sY[i : i + size].T @ Xc
        if s is not None:
            Xc *= np.sqrt(s[i : i + size])[:, None]
        if i:
            cxx += np.matmul(Xc.T, Xc, out=product)
        else:
            np.matmul(Xc.T, Xc, out=cxx)
    slip /= total
    cxx -= total * slip[:, None] * slip
    cxy -= sY.sum(axis=0)[:, None] * slip
    return cxx, cxy, slip


# Squares of numbers within 2^±64, summed over any number of rows, stay far from overflow and underflow.
EXTREME = 64


def exponent_of(largest: float) -> int:
    """0, or the power of two nearest above ``largest`` where that is beyond 2^±EXTREME."""
    if largest == 0.0:
        return 0
    exponent = int(np.frexp(largest)[1])
    return exponent if abs(exponent) > EXTREME else 0


def extreme_exponents(data: TaskData, products: Array | None = None) -> tuple[int, int]:
    """The exponents by which rows and numeric targets are to be divided: (0, 0) for all ordinary data.

    products : (T, p), is filled with X_t'y_t while the rows of a task, held as numbers, are in the processor's cache.
    """
    largest_x = 0.0
    for t, X in enumerate(data.X[:1] if data.shared else data.X):
        largest_x = max(largest_x, _about_largest(X))
        if products is not None:
            np.dot(data.y[t], X, out=products[t])
    return exponent_of(largest_x), _target_exponent(data)


def _target_exponent(data: TaskData) -> int:
    return exponent_of(
        max((float(max(y.max(), -y.min())) for y in data.y if y.dtype.kind == "f"), default=0.0)
    )


def _ordinary(squares: float, mean_square: float) -> bool:
    """Whether numbers with this sum of squares, and this mean of them, are neither very large nor all very small.

    The largest lies between the root of the mean and that of the sum: neither is extreme, and 2^40 numbers between.
    """
    return mean_square > 2.0 ** (-EXTREME) and squares < 2.0**EXTREME


def _about_largest(X: Any) -> float:
    """The largest |x|, or for ordinary numbers their root mean square, which costs one look at them instead of two."""
    if is_sparse(X):
        return float(max(X.max(), -X.min()))  # its zeros counted
    flat = X.ravel(order="K")
    with np.errstate(over="ignore", under="ignore"):
        squares = float(flat @ flat)
    if _ordinary(squares, squares / X.size):
        return float(np.sqrt(squares / X.size))
    return float(max(X.max(), -X.min()))


def _ldexp(x: Any, exponent: int) -> Any:
    """A sparse x · 2^exponent."""
    out = x.copy()
    out.data = np.ldexp(x.data, exponent)
    return out


def scaled_rows(data: TaskData, x_exponent: int, y_exponent: int) -> TaskData:
    """The data with X divided by 2^x_exponent and y by 2^y_exponent: exact but for subnormal numbers."""
    own = data.X[:1] if data.shared else data.X
    if data.sparse:
        X: tuple[Any, ...] = tuple(_ldexp(x, -x_exponent) for x in own)
    else:
        X = tuple(np.ldexp(x, -x_exponent) for x in own)
    X = X * data.T if data.shared else X
    y = data.y if y_exponent == 0 else tuple(np.ldexp(v, -y_exponent) for v in data.y)
    return replace(data, X=X, y=y)
