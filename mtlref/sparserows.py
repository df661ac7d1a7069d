"""Rows of a sparse design as they are needed centred: without being centred, and without becoming dense.

A column of which a share d of the weight is not zero has (Σ s x)² / Σ s <= d Σ s x². So where d <= 1/2, taking the mean
off by algebra, Σ s x² − m x̄², loses at most one binary digit. The other columns are few (their share of the stored
numbers is more than half of their rows), and are held dense and centred: together never more than twice the numbers
that are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.centring import centred

Array = NDArray[np.float64]
FULL = 0.5


def is_sparse(a: Any) -> bool:
    """Whether ``a`` is a scipy.sparse array or matrix, told without importing scipy.sparse."""
    return hasattr(a, "tocsr") and hasattr(a, "nnz")


def stacked(designs: Sequence[Any]) -> Any:
    """The rows of all designs under each other, sparse where they are."""
    if not is_sparse(designs[0]):
        return np.vstack(designs)
    from scipy.sparse import vstack

    return vstack(designs, format="csr")


def shared_out(X: Any, v: Array | None) -> Array:
    """(nnz,): a number a row to each stored entry; ones where v is None."""
    return np.ones(X.nnz) if v is None else np.repeat(v, np.diff(X.indptr))


def column_means(X: Any, s: Array | None) -> Array:
    """(p,): weighted by s."""
    total = X.shape[0] if s is None else s.sum()
    return np.bincount(X.indices, shared_out(X, s) * X.data, minlength=X.shape[1]) / total


def column_sizes(X: Any) -> Array:
    """(p,): the largest |x_ij| of each column."""
    out = np.zeros(X.shape[1])
    np.maximum.at(out, X.indices, np.abs(X.data))
    return out


@dataclass(frozen=True, eq=False)
class CentredRows:
    """The matrix of rows root_i (x_i − x̄), n by p, of which only products are ever taken.

    sparse : the design (n, p), the columns in ``full`` empty;  mean : (p,), what its rows are to lose
    dense : (n, d), the columns ``full`` (d,), centred;  root : (n,), or None for ones
    """

    sparse: Any
    mean: Array
    dense: Array
    full: NDArray[np.intp]
    root: Array | None = None

    # NumPy leaves products with this to the methods below.
    __array_ufunc__ = None

    @classmethod
    def of(cls, X: Any, s: Array | None, centre: bool) -> CentredRows:
        """The rows of a sparse X about their mean weighted by s, or (centre False) as they are."""
        n, p = X.shape
        if not centre:
            return cls(X, np.zeros(p), np.empty((n, 0)), np.empty(0, dtype=np.intp))
        total = n if s is None else float(s.sum())
        held = np.bincount(X.indices, shared_out(X, s), minlength=p)
        full = np.flatnonzero(held > FULL * total)
        if full.size == 0:
            return cls(X, column_means(X, s), np.empty((n, 0)), full)
        dense = centred(X[:, full].toarray(), s)[1]
        keep = np.ones(p, dtype=bool)
        keep[full] = False
        rest = X.copy()
        rest.data = rest.data * keep[rest.indices]
        rest.eliminate_zeros()
        return cls(rest, column_means(rest, s), dense, full)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, p)."""
        n, p = self.sparse.shape
        return int(n), int(p)

    def scaled(self, root: Any) -> CentredRows:
        """With root_i, a number or (n,), in place of the one that there is."""
        return replace(self, root=np.broadcast_to(np.asarray(root, dtype=float).ravel(), self.shape[:1]))

    def __matmul__(self, V: Any) -> Array:
        """(n,) or (n, k)."""
        if isinstance(V, Transposed) and V.rows is self:
            return self.products()
        out = np.asarray(self.sparse @ V) - self.mean @ V
        if self.full.size:
            out = out + self.dense @ V[self.full]
        if self.root is None:
            return np.asarray(out)
        return np.asarray(out * (self.root if out.ndim == 1 else self.root[:, None]))

    def __rmatmul__(self, B: Array) -> Array:
        """(p,) or (k, p): B times the matrix."""
        B = B if self.root is None else B * self.root
        out = np.asarray((self.sparse.T @ B.T).T) - np.multiply.outer(B.sum(axis=-1), self.mean)
        if self.full.size:
            out[..., self.full] += B @ self.dense
        return np.asarray(out)

    @property
    def T(self) -> Transposed:
        """For products from the other side."""
        return Transposed(self)

    def __getitem__(self, where: tuple[slice, Any]) -> Array:
        """Some columns, dense: (n, k)."""
        columns = np.arange(self.shape[1])[where[1]]
        out = self.sparse[:, columns].toarray() - self.mean[columns]
        place = np.full(self.shape[1], -1)
        place[self.full] = np.arange(self.full.size)
        explicit = place[columns] >= 0
        out[:, explicit] = self.dense[:, place[columns[explicit]]]
        return np.asarray(out if self.root is None else out * self.root[:, None])

    def products(self) -> Array:
        """(n, n): the inner products of the rows."""
        inner = (self.sparse @ self.sparse.T).toarray()
        level = self.sparse @ self.mean
        inner += float(self.mean @ self.mean) - level[:, None] - level + self.dense @ self.dense.T
        return np.asarray(inner if self.root is None else inner * self.root[:, None] * self.root)

    def gram(self, s: Array | None) -> Array:
        """(p, p): Σ_i s_i (x_i − x̄)(x_i − x̄)'; exact to rounding where s are the weights that x̄ was taken with."""
        S = self.sparse
        weighted = S.copy()
        weighted.data = weighted.data * shared_out(S, s)
        total = S.shape[0] if s is None else float(s.sum())
        out = (S.T @ weighted).toarray()
        if self.mean.any():
            level = np.bincount(S.indices, weighted.data, minlength=S.shape[1])  # = total x̄ for such weights
            out -= (
                np.outer(self.mean, level)
                + np.outer(level, self.mean)
                - total * np.outer(self.mean, self.mean)
            )
        if self.full.size:
            sD = self.dense if s is None else self.dense * s[:, None]
            cross = np.asarray(S.T @ sD) - np.outer(self.mean, sD.sum(axis=0))
            out[:, self.full] += cross
            out[self.full, :] += cross.T
            out[np.ix_(self.full, self.full)] += self.dense.T @ sD
        return np.asarray((out + out.T) / 2)

    def squares(self, s: Array | None) -> Array:
        """(p,): the diagonal of ``gram``."""
        S = self.sparse
        total = S.shape[0] if s is None else float(s.sum())
        weight = shared_out(S, s)
        out = np.bincount(S.indices, weight * S.data**2, minlength=S.shape[1])
        level = np.bincount(S.indices, weight * S.data, minlength=S.shape[1])
        out = out - 2 * self.mean * level + total * self.mean**2
        if self.full.size:
            out[self.full] = (np.ones(len(self.dense)) if s is None else s) @ self.dense**2
        return np.asarray(np.maximum(out, 0.0))


@dataclass(frozen=True, eq=False)
class Transposed:
    """The transpose of ``rows``, for products alone."""

    rows: CentredRows
    __array_ufunc__ = None

    def __matmul__(self, V: Array) -> Array:
        return np.asarray((V.T @ self.rows).T)

    def __rmatmul__(self, B: Array) -> Array:
        return np.asarray((self.rows @ B.T).T)


# From so many numbers on a basis by QR, as large as the rows, is avoided where inner products of the rows give one that
# is orthonormal to 1e-12: their eigenvalues within WELL of each other.
MANY, WELL = 2**20, 1e-4
# Rows must be fewer than the features by this factor, for their inner products to be worth a look.
WIDE = 4


@dataclass(frozen=True, eq=False)
class RowSpan:
    """An orthonormal basis (p, k) of the span of the rows, held as X' R: rows is X (N, p), R (N, k).

    From the inner products of the rows, so that directions below 1e-7 of the largest are lost; a certificate says what
    they were worth.
    """

    rows: Any
    R: Array
    turned: bool = False

    __array_ufunc__ = None

    @classmethod
    def of(cls, rows: Any) -> tuple[RowSpan, Array]:
        """(the basis, the coordinates (N, k) of the rows in it)."""
        inner = rows @ rows.T
        e, U = np.linalg.eigh(inner.toarray() if is_sparse(inner) else inner)
        kept = e > 1e-14 * max(float(e[-1]), 0.0)
        if not kept.any():  # rows of zeros span nothing; one direction of no use keeps shapes alive
            kept[-1] = True
            e = np.maximum(e, 1.0)
        root = np.sqrt(e[kept])
        return cls(rows, U[:, kept] / root), U[:, kept] * root

    @classmethod
    def of_many(cls, rows: Array) -> tuple[RowSpan, Array] | None:
        """The same of dense rows that are many numbers; None where they are few, or lose digits by inner products."""
        if rows.size < MANY or len(rows) * WIDE > rows.shape[1]:
            return None
        span, inside = cls.of(rows)
        sizes = np.einsum("ij,ij->j", inside, inside)
        return (span, inside) if len(sizes) == len(rows) and sizes.min() >= WELL * sizes.max() else None

    @property
    def shape(self) -> tuple[int, int]:
        """(p, k), or (k, p) of the transpose."""
        p, k = int(self.rows.shape[1]), int(self.R.shape[1])
        return (k, p) if self.turned else (p, k)

    @property
    def T(self) -> RowSpan:
        """The transpose."""
        return replace(self, turned=not self.turned)

    def __matmul__(self, V: Array) -> Array:
        if self.turned:
            return np.asarray(self.R.T @ (self.rows @ V))
        return np.asarray(self.rows.T @ (self.R @ V))

    def __rmatmul__(self, X: Array) -> Array:
        return np.asarray((X @ self.R.T) @ self.rows) if self.turned else self.coordinates(X)

    def __getitem__(self, features: Any) -> Array:
        """Some rows of the basis, dense."""
        return np.asarray(self.rows[:, np.arange(self.shape[0])[features]].T @ self.R)

    def coordinates(self, X: Any) -> Array:
        """(n, k): X times the basis, for rows X (n, p)."""
        return np.asarray((X @ self.rows.T) @ self.R)
