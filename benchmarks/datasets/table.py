"""What a recipe gives: one design and its targets, or a design for each task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import mtlref as mt

Array = NDArray[np.float64]


class NotHere(Exception):
    """The data are not on this machine; the message says which."""


@dataclass(frozen=True)
class Table:
    """X: one design (n, p) for all tasks with y = one (n, T), or T designs (n_t, p) with T targets (n_t,)."""

    X: tuple[Array, ...]
    y: tuple[Array, ...]
    shared: bool

    @property
    def p(self) -> int:
        """Features."""
        return self.X[0].shape[1]

    @property
    def T(self) -> int:
        """Tasks."""
        return self.y[0].shape[1] if self.shared else len(self.y)

    def tasks(self) -> mt.TaskData:
        """For this library."""
        if self.shared:
            return mt.TaskData.from_shared(self.X[0], self.y[0])
        return mt.TaskData.from_list(list(self.X), list(self.y))


def centred(X: Array, Y: Array) -> Table:
    """One design, columns of both centred."""
    return Table((X - X.mean(axis=0),), (Y - Y.mean(axis=0),), True)


def listed(data: mt.TaskData) -> Table:
    """The tasks of a public set."""
    X, y = data.to_list()
    return Table(tuple(X), tuple(np.asarray(v, float) for v in y), False)
