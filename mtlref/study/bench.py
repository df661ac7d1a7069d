"""The data of a comparison cut into its parts: training and test, inner folds, what a method needs beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.folds import TaskKFold
from mtlref.moments import Moments
from mtlref.registry import Method
from mtlref.study.settings import Settings
from mtlref.study.splits import Split
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class HeldOut:
    """Rows that a fit has not seen: ``data`` by task (tasks without such rows left out) and the same rows stacked.

    X (n, p), y (n,), task (n,): the place of each row's task among the tasks of the training part.
    """

    data: TaskData
    X: Array
    y: NDArray[Any]
    task: NDArray[np.intp]


class Bench:
    """Parts of the data, made when first asked for and kept while the same (size, split) is worked on."""

    def __init__(self, data: TaskData, splits: list[Split], settings: Settings) -> None:
        self.data = data
        self.splits = splits
        self.settings = settings
        self._part: tuple[int, int] | None = None
        self._cache: dict[Any, Any] = {}

    def train(self, size: int, split: int) -> TaskData:
        """The training part."""
        return self._keep(
            size, split, "train", lambda: self._scaled(size, split, self._raw_train(size, split))
        )

    def test(self, size: int, split: int) -> TaskData:
        """The test part: the tasks that have test rows."""
        rows = self.splits[split].test
        return self._keep(size, split, "test", lambda: self._scaled(size, split, taken(self.data, rows)))

    def held_out(self, size: int, split: int, fold: int) -> HeldOut:
        """The rows that inner fold ``fold`` scores."""

        def make() -> HeldOut:
            train = self.train(size, split)
            rows = self._folds(size, split)[fold][1]
            data = taken(train, rows)
            task = np.repeat(np.arange(train.T), [len(r) for r in rows])
            return HeldOut(data, np.vstack(data.X), np.concatenate(data.y), task)

        return self._keep(size, split, ("held out", fold), make)

    def fold_train(self, size: int, split: int, fold: int) -> TaskData:
        """The rows that inner fold ``fold`` fits."""
        rows = self._folds(size, split)[fold][0]
        return self._keep(size, split, ("rows", fold), lambda: self.train(size, split).take(rows))

    def fitted_on(self, method: Method, size: int, split: int, fold: int | None) -> TaskData | Moments:
        """What the solver gets: the rows, or their Moments where those are smaller and serve as well.

        ``fold`` None is the whole training part. Moments are smaller while T p <= N.
        """
        train = self.train(size, split)
        if self.settings.loss != "squared" or method.family != "linear" or train.p * train.T > train.N:
            return train if fold is None else self.fold_train(size, split, fold)
        if fold is None:
            return self._keep(size, split, "moments", lambda: Moments.from_data(train))
        return self._keep(
            size, split, ("moments", fold), lambda: Moments.from_data(self.fold_train(size, split, fold))
        )

    def scale(self, method: Method, size: int, split: int, make: Callable[[TaskData], float]) -> float:
        """The natural size of lam on the training part, once for all folds."""
        return self._keep(size, split, ("scale", method.name), lambda: float(make(self.train(size, split))))

    def graph(self, size: int, split: int, fold: int | None) -> Array:
        """The graph of nearest tasks among the rows that are fitted, and no others."""

        def make() -> Array:
            from mtlref.data import nearest_task_graph

            data = self.train(size, split) if fold is None else self.fold_train(size, split, fold)
            if data.T == 1:
                return np.zeros((1, 1))
            return nearest_task_graph(data, n_neighbors=min(5, data.T - 1))

        return self._keep(size, split, ("graph", fold), make)

    def _keep(self, size: int, split: int, key: Any, make: Callable[[], Kept]) -> Kept:
        if self._part != (size, split):
            self._part, self._cache = (size, split), {}
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def _raw_train(self, size: int, split: int) -> TaskData:
        return self.data.take(self.splits[split].train[size])

    def _folds(self, size: int, split: int) -> list[tuple[list[NDArray], list[NDArray]]]:
        def make() -> list[tuple[list[NDArray], list[NDArray]]]:
            # The same folds for every method; another draw for every split.
            rng = np.random.default_rng([self.settings.seed, split, size, 1])
            folds = list(TaskKFold(self.settings.folds, random_state=rng).split(self.train(size, split)))
            for k, (_, test) in enumerate(folds):
                if not any(len(r) for r in test):
                    raise DataError(
                        f"inner fold {k + 1} of {self.settings.folds} has no row to score on: the training part has "
                        "too few rows; use fewer folds or a larger train size"
                    )
            return folds

        return self._keep(size, split, "folds", make)

    def _scaled(self, size: int, split: int, data: TaskData) -> TaskData:
        """Columns centred and divided by their deviation over the training rows of all tasks, where asked for."""
        if not self.settings.standardize:
            return data
        rows = np.vstack(self._raw_train(size, split).X)
        deviation = rows.std(axis=0)
        # A constant column stays a constant column.
        deviation[deviation == 0] = 1.0
        mean = rows.mean(axis=0)
        return TaskData.from_list(
            [(x - mean) / deviation for x in data.X],
            list(data.y),
            names=data.names,
            weights=data.weights,
            feature_names=data.feature_names,
        )


def taken(data: TaskData, rows: list[NDArray[np.intp]]) -> TaskData:
    """The rows given, without the tasks that have none."""
    if all(len(r) for r in rows):
        return data.take(rows)
    some = [t for t, r in enumerate(rows) if len(r)]
    return data.select([data.names[t] for t in some]).take([rows[t] for t in some])
