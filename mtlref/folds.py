"""Folds over the rows of every task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError
from mtlref.tasks import TaskData, two_valued

Rows = list[NDArray[np.intp]]


@dataclass(frozen=True)
class TaskKFold:
    """K folds stratified by task: every fold tests about 1/K of each task's rows.

    Where the targets take two values, also stratified by value. On a shared design all tasks are cut at the same
    rows. A value of which a task has a single row is never tested, so that no training part is left without it.

    Parameters
    ----------
    n_splits : int >= 2
    shuffle : bool; False cuts each task's rows in the order in which they stand
    random_state : int, Generator or None

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_list([np.eye(4), np.ones((6, 4))], [np.zeros(4), np.arange(6.0)])
    >>> [[len(r) for r in test] for train, test in mt.TaskKFold(2, random_state=0).split(data)]
    [[2, 3], [2, 3]]
    """

    n_splits: int = 5
    shuffle: bool = True
    random_state: int | np.random.Generator | None = None

    def split(self, data: TaskData) -> Iterator[tuple[Rows, Rows]]:
        """Pairs (training rows, test rows), each a list of T index arrays for ``TaskData.take``.

        Raises DataError where n_splits < 2.
        """
        if inputs.count(self.n_splits, "n_splits") < 2:
            raise DataError(f"n_splits must be >= 2; got {self.n_splits}")
        rng = np.random.default_rng(self.random_state)
        if data.shared:
            one = self._folds([np.arange(len(data.y[0]))], len(data.y[0]), rng)
            folds = [one] * data.T
        else:
            by_value = two_valued(data)
            folds = []
            for y in data.y:
                groups = [np.flatnonzero(y == v) for v in np.unique(y)] if by_value else [np.arange(len(y))]
                folds.append(self._folds(groups, len(y), rng))
        for k in range(self.n_splits):
            test = [np.flatnonzero(f == k) for f in folds]
            train = [np.flatnonzero(f != k) for f in folds]
            if data.shared:
                test, train = [test[0]] * data.T, [train[0]] * data.T
            yield train, test

    def _folds(self, groups: list[NDArray[np.intp]], n: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """The fold in which each row is tested; -1: never."""
        fold = np.full(n, -1, dtype=np.intp)
        for rows in groups:
            if len(rows) < 2:
                continue
            order = rng.permutation(rows) if self.shuffle else rows
            # A random first fold, so that small groups do not all fall into fold 0.
            start = int(rng.integers(self.n_splits)) if self.shuffle else 0
            if self.shuffle:
                fold[order] = (start + np.arange(len(rows))) % self.n_splits
            else:
                fold[order] = np.arange(len(rows)) * self.n_splits // len(rows)
        return fold
