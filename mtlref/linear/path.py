"""Fits along a path of lams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.result import Result

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """Fitted estimators along ``lams``; iterating gives them in order."""

    lams: tuple[float, ...]
    models: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.models)

    def __getitem__(self, k: int) -> Any:
        return self.models[k]

    @property
    def results(self) -> tuple[Result, ...]:
        """The Result of each fit."""
        return tuple(m.result_ for m in self.models)

    @property
    def coefs(self) -> Array:
        """(len, T, p)."""
        return np.stack([m.coef_ for m in self.models])
