"""The outer splits of a comparison: published ones, or repeated random ones stratified by task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.tasks import TaskData, two_valued

Rows = list[NDArray[np.intp]]

# A shared design is cut at the same rows for all tasks, so a rare label can fall on one side; drawing again is enough.
DRAWS = 200


@dataclass(frozen=True)
class Split:
    """One outer split. ``train[s]`` are the training rows at size s; they grow with s, the test rows stay.

    train : tuple over sizes of lists of T index arrays; test : list of T index arrays, some may be empty
    """

    train: tuple[Rows, ...]
    test: Rows


def random_splits(data: TaskData, n_splits: int, train_sizes: tuple[float, ...], seed: int) -> list[Split]:
    """Repeated random splits: each task gives the largest fraction of its rows to training and the rest to the test.

    Where targets take two values, each value of each task is divided in that fraction too. A single row (of a task, or
    of a value within it) always goes to training. Smaller sizes take nested subsets of the same training rows.
    """
    labels = two_valued(data)
    largest = max(train_sizes)
    splits = []
    for k in range(n_splits):
        rng = np.random.default_rng([seed, k])
        if data.shared:
            splits.append(_shared_split(data, train_sizes, rng, labels))
            continue
        groups = [_groups(y, labels) for y in data.y]
        parts = [[_divide(rows, largest, rng) for rows in task] for task in groups]
        test = [np.sort(np.concatenate([p[1] for p in task])) for task in parts]
        train = tuple(
            [np.sort(np.concatenate([_first(p[0], size / largest) for p in task])) for task in parts]
            for size in train_sizes
        )
        splits.append(Split(train, test))
    _check_tested(splits, data)
    return splits


def published_splits(
    data: TaskData,
    published: list[tuple[Rows, Rows]],
    n_splits: int,
    train_sizes: tuple[float, ...],
    seed: int,
) -> list[Split]:
    """The first ``n_splits`` published splits; a train size is a fraction of each task's published training rows."""
    if n_splits > len(published):
        raise DataError(f"this data set has {len(published)} published splits; got splits={n_splits}")
    labels = two_valued(data)
    splits = []
    for k, (train, test) in enumerate(published[:n_splits]):
        rng = np.random.default_rng([seed, k])
        train = [np.asarray(r) for r in train]
        sizes: list[Rows] = []
        if train_sizes == (1.0,):
            sizes.append(train)
        else:
            orders = [
                [rng.permutation(r[g]) for g in _groups(data.y[t][r], labels)] for t, r in enumerate(train)
            ]
            for size in train_sizes:
                sizes.append([np.sort(np.concatenate([_first(g, size) for g in task])) for task in orders])
        splits.append(Split(tuple(sizes), [np.asarray(r) for r in test]))
    _check_tested(splits, data)
    return splits


def describe(source: str, n_splits: int, train_sizes: tuple[float, ...], seed: int) -> str:
    """The splits in words, for the caption of the table."""
    if source == "published":
        text = f"{n_splits} train/test split{'s' if n_splits != 1 else ''} given with the data"
        if train_sizes != (1.0,):
            text += f"; training parts cut to {_percent(train_sizes)} of each task's rows in them"
        return text
    return (
        f"{n_splits} random train/test split{'s' if n_splits != 1 else ''} stratified by task "
        f"({_percent(train_sizes)} of each task's rows for training, seed {seed})"
    )


def _percent(sizes: tuple[float, ...]) -> str:
    return ", ".join(f"{100 * s:.3g} %" for s in sizes)


def _groups(y: NDArray, labels: bool) -> Rows:
    if not labels:
        return [np.arange(len(y))]
    return [np.flatnonzero(y == v) for v in np.unique(y)]


def _divide(rows: NDArray[np.intp], fraction: float, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    order = rng.permutation(rows)
    if len(rows) == 1:
        return order, order[:0]
    # Both sides get a row: a method can neither be fitted nor scored without.
    n = min(max(round(fraction * len(rows)), 1), len(rows) - 1)
    return order[:n], order[n:]


def _first(rows: NDArray[np.intp], fraction: float) -> NDArray[np.intp]:
    return rows[: max(round(fraction * len(rows)), 1)]


def _shared_split(data: TaskData, sizes: tuple[float, ...], rng: np.random.Generator, labels: bool) -> Split:
    """Every task is cut at the same rows, so that the design stays one."""
    n = len(data.y[0])
    for _ in range(DRAWS):
        train, test = _divide(np.arange(n), max(sizes), rng)
        parts = [np.sort(_first(train, s / max(sizes))) for s in sizes]
        if not labels or all(len(np.unique(y[parts[0]])) == 2 for y in data.y):
            return Split(tuple([rows] * data.T for rows in parts), [np.sort(test)] * data.T)
    raise DataError(
        f"no random split of the shared rows left every task with both labels in {DRAWS} draws; "
        "use a larger train size, or give the tasks as separate rows"
    )


def _check_tested(splits: list[Split], data: TaskData) -> None:
    for k, split in enumerate(splits):
        if not any(len(r) for r in split.test):
            raise DataError(
                f"split {k + 1} has no test row: every one of the {data.T} tasks needs at least two rows"
            )
