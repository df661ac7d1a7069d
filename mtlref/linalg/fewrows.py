"""Coefficients of which few rows are not zero: these rows, and where they are.

A path at p features and T tasks would otherwise go through p T numbers for each thing that it asks of a W: which rows
are not zero, where the last answers point, whether a product is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Features = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class FewRows:
    """W (p, T), zero but for ``rows`` (k, T) at ``on`` (k,), which rises. Like an array it has rows and a shape."""

    p: int
    on: Features
    rows: Array

    @classmethod
    def of(cls, W: Array | FewRows) -> FewRows:
        """The same W, without its rows of zeros where it is an array."""
        if isinstance(W, FewRows):
            return W
        on = rows_in_use(W)
        return cls(len(W), on, W[on])

    def equals(self, other: FewRows) -> bool:
        """Whether the two have the same rows, number for number; both of one shape."""
        return self is other or (np.array_equal(self.on, other.on) and np.array_equal(self.rows, other.rows))

    @property
    def shape(self) -> tuple[int, int]:
        """(p, T)."""
        return self.p, self.rows.shape[1]

    def __len__(self) -> int:
        return self.p

    def __getitem__(self, features: Features | slice) -> Array:
        """(m, T): the rows of W at some features, in any order; not to be changed."""
        if isinstance(features, slice):
            return np.asarray(self)[features]
        if np.array_equal(features, self.on):
            return self.rows
        found = np.zeros((len(features), self.rows.shape[1]))
        if self.on.size:
            place = np.minimum(np.searchsorted(self.on, features), self.on.size - 1)
            here = np.flatnonzero(self.on[place] == features)
            found[here] = self.rows[place[here]]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """W (p, T), a new array: its rows stand together, so that only memory that holds some is touched."""
        W = np.zeros(self.shape)
        W[self.on] = self.rows
        return W if dtype is None else W.astype(dtype, copy=False)


def rows_in_use(W: Array | FewRows) -> Features:
    """The rows of W (p, T) that are not zero."""
    return W.on if isinstance(W, FewRows) else np.flatnonzero((W != 0).any(axis=1))
