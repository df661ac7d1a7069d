"""What a comparison is asked to do: one frozen record that a resumed run must match."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mtlref import inputs
from mtlref.errors import DataError
from mtlref.tasks import TaskData

# Raised whenever the meaning of a stored row changes, so that an old folder is refused instead of misread.
FORMAT = 1


class BadSettings(DataError):
    """A setting of a comparison that does not exist or makes no sense."""


@dataclass(frozen=True)
class Settings:
    """The protocol of one comparison.

    Attributes
    ----------
    data : the name printed in the table
    data_hash : SHA-256 of names, designs, targets and weights
    methods : names in the registry
    loss : "squared" or "logistic"
    scaling : "mean" or "sum", as in the estimators
    splits : how many outer splits
    split_source : "published" or "random"
    train_sizes : ascending fractions; with random splits of each task's rows, with published ones of the training part
    folds : inner folds
    grid : settings a method is tuned over, the same number for all
    criterion : "loss", or the metric that the inner folds are scored with
    fit_intercept : False where a constant column of the data is the intercept
    standardize : whether columns are centred and divided by their deviation on the training rows
    tol : relative gap that certifies a fit
    max_iter : None for each method's own
    seed : of the random splits and the folds
    """

    data: str
    data_hash: str
    methods: tuple[str, ...]
    loss: str
    scaling: str
    splits: int
    split_source: str
    train_sizes: tuple[float, ...]
    folds: int = 5
    grid: int = 20
    criterion: str = "loss"
    fit_intercept: bool = True
    standardize: bool = False
    tol: float = 1e-6
    max_iter: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.methods:
            raise BadSettings("a comparison needs at least one method; got none")
        for name, least in (("folds", 2), ("grid", 2), ("splits", 1)):
            if inputs.count(getattr(self, name), name) < least:
                raise BadSettings(f"{name} must be >= {least}; got {getattr(self, name)}")
        inputs.positive(self.tol, "tol")
        inputs.choice(self.scaling, "scaling", ("mean", "sum"))
        for size in self.train_sizes:
            if not 0 < size <= 1 or (size == 1 and self.split_source == "random"):
                raise BadSettings(f"train_size must be a fraction between 0 and 1; got {size!r}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they are kept in the store."""
        values = asdict(self)
        values["methods"] = list(self.methods)
        values["train_sizes"] = list(self.train_sizes)
        values["format"] = FORMAT
        return values

    def units(self) -> list[tuple[int, int, str]]:
        """Every (size, split, method), in the order in which they are worked on."""
        return [
            (size, split, method)
            for size in range(len(self.train_sizes))
            for split in range(self.splits)
            for method in self.methods
        ]


def data_hash(data: TaskData) -> str:
    """SHA-256 over names, shapes and values of ``data``: two runs with the same hash saw the same numbers."""
    digest = hashlib.sha256()
    parts: list[tuple[np.ndarray, ...]] = [data.X, data.y]
    if data.weights is not None:
        parts.append(data.weights)
    digest.update(repr([str(n) for n in data.names]).encode())
    for arrays in parts:
        for a in arrays:
            digest.update(f"{a.shape}{a.dtype.kind}".encode())
            digest.update(np.ascontiguousarray(a).tobytes())
    return digest.hexdigest()
