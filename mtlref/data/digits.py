"""Digits: ten one-vs-rest tasks with few rows, from the images that come with scikit-learn; needs no network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlref.data.dataset import Dataset, Rows
from mtlref.data.fetch import MissingData
from mtlref.errors import DataError
from mtlref.tasks import TaskData

NAME = "digits"
LICENCE = "CC BY 4.0 (UCI Machine Learning Repository)"
ORIGIN = "Alpaydin & Kaynak 1998, the test part, as bundled with scikit-learn"
DESCRIPTION = (
    "1,797 handwritten digits of 8 x 8 pixels; ten tasks of their own images: this digit or another?"
)
CITATION = "alpaydin1998"
BYTES = 57523
# Any fixed number: the tasks and the splits are the same for everybody.
SEED = 1998


def found() -> Path | None:
    """The folder of scikit-learn, where it is installed; it is not imported."""
    spec = find_spec("sklearn")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def load(*, rows: int = 40, n_splits: int = 5) -> Dataset:
    """Ten tasks "0 or not" .. "9 or not" with labels -1 and +1; every image belongs to one task only.

    Half of the images of a digit are the positive rows of its task, the others are dealt to the other nine tasks as
    negative rows, so both labels are about as frequent (some 180 rows a task). No image is in two tasks: what one
    task trains on is never what another is tested on.

    Parameters
    ----------
    rows : int, even, 4 .. 120: training rows of each task, half of each label; few, as multi-task learning wants
    n_splits : int >= 1: repeated random splits, drawn once and for all from a fixed seed

    Raises DataError for other values, MissingData without scikit-learn.
    """
    if rows % 2 or not 4 <= rows <= 120:
        raise DataError(f"rows must be an even number from 4 to 120; got {rows}")
    if n_splits < 1:
        raise DataError(f"n_splits must be >= 1; got {n_splits}")
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingData(
            "the data set 'digits' comes with scikit-learn, which is not installed; pip install 'mtlref[study]'"
        ) from None
    images, digit = load_digits(return_X_y=True)
    members = _deal(digit)
    tasks = TaskData.from_list(
        # Ink as a share of the darkest.
        [images[m] / 16.0 for m in members],
        [np.where(digit[m] == d, 1.0, -1.0) for d, m in enumerate(members)],
        names=[f"{d} or not" for d in range(10)],
        feature_names=[f"pixel {i},{j}" for i in range(8) for j in range(8)],
    )
    splits = [_split(tasks, rows // 2, np.random.default_rng([SEED, k])) for k in range(n_splits)]
    return Dataset(NAME, tasks, "logistic", splits, LICENCE, ORIGIN, DESCRIPTION, CITATION)


def _deal(digit: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """The images of each task, in the order of the file."""
    rng = np.random.default_rng(SEED)
    hands: list[list[NDArray[np.intp]]] = [[] for _ in range(10)]
    for d in range(10):
        own = rng.permutation(np.flatnonzero(digit == d))
        half = len(own) // 2
        hands[d].append(own[:half])
        for k, part in enumerate(np.array_split(own[half:], 9)):
            hands[(d + 1 + k) % 10].append(part)
    return [np.sort(np.concatenate(h)) for h in hands]


def _split(tasks: TaskData, each: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    train, test = [], []
    for y in tasks.y:
        chosen = np.zeros(len(y), dtype=bool)
        for label in (-1.0, 1.0):
            chosen[rng.permutation(np.flatnonzero(y == label))[:each]] = True
        train.append(np.flatnonzero(chosen))
        test.append(np.flatnonzero(~chosen))
    return train, test
