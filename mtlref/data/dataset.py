"""What a loaded data set is, and what is known of one before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtlref.tasks import TaskData

Rows = list[NDArray[np.intp]]


@dataclass(frozen=True)
class Dataset:
    """A public data set with all that a comparison needs to know of it.

    Attributes
    ----------
    name : as ``load`` takes it
    tasks : TaskData
    loss : "squared" or "logistic", the loss that its targets call for
    splits : published pairs (training rows, test rows), each a list of T index arrays for ``TaskData.take``, or None
    licence : one line
    origin : one line
    description : one line
    citation : key of ``mtlref.bibliography.ENTRIES``
    """

    name: str
    tasks: TaskData
    loss: Literal["squared", "logistic"]
    splits: list[tuple[Rows, Rows]] | None
    licence: str
    origin: str
    description: str
    citation: str


@dataclass(frozen=True)
class DatasetInfo:
    """One line of ``mtlref data``: where a set was found (None: nowhere here), its licence, origin and size."""

    name: str
    found: Path | None
    licence: str
    origin: str
    bytes: int
    description: str
    citation: str
