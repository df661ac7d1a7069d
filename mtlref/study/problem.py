"""What is compared on: a named set, a file, or data in memory, all brought to one form."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtlref.errors import DataError, FormError
from mtlref.forms import as_tasks
from mtlref.study.splits import Rows
from mtlref.tasks import TaskData


@dataclass(frozen=True)
class Problem:
    """Tasks with the name to print, the published splits or None, and what the report says of the data."""

    name: str
    tasks: TaskData
    published: list[tuple[Rows, Rows]] | None = None
    loss: str | None = None
    description: str = ""
    citation: str = ""


def resolve(data: Any, name: str | None = None) -> Problem:
    """Bring ``data`` (a name, a path, a Dataset, a TaskData, (X, Y) or (X, y, tasks)) to a Problem.

    Raises DataError for a path or a name that is not there, FormError for anything else.
    """
    from mtlref.data import Dataset, load

    if isinstance(data, (str, os.PathLike)):
        text = os.fspath(data)
        stem, suffix = os.path.splitext(os.path.basename(text))
        if suffix:
            from mtlref.study.readers import read

            return Problem(name or stem, read(text))
        data = load(text)
    if isinstance(data, Dataset):
        return Problem(
            name=name or data.name,
            tasks=data.tasks,
            published=data.splits,
            loss=data.loss,
            description=data.description,
            citation=data.citation or "",
        )
    if isinstance(data, tuple) and len(data) in (2, 3):
        return Problem(name or "data", as_tasks(*data))
    if isinstance(data, TaskData):
        return Problem(name or "data", as_tasks(data))
    if isinstance(data, Problem):
        return data
    raise FormError(
        "data must be the name of a data set, a path, a Dataset, a TaskData, or a tuple (X, Y) or (X, y, tasks); "
        f"got {type(data).__name__}"
    )


def constant_column(tasks: TaskData) -> str | None:
    """The name or place of a column that holds the same number, not 0, in every row of every task."""
    first = tasks.X[0][0]
    same = (first != 0) & np.logical_and.reduce([(x == first).all(axis=0) for x in tasks.X])
    if not same.any():
        return None
    place = int(np.argmax(same))
    return repr(tasks.feature_names[place]) if tasks.feature_names else f"column {place + 1} of {tasks.p}"


def check_usable(problem: Problem) -> None:
    """Raise DataError where no split can leave a task with training rows and any task with test rows."""
    if not (problem.tasks.n > 1).any():
        raise DataError(f"{problem.name}: no task has two rows, so nothing can be tested")
