"""A net in a comparison: tuned over its ridge as the other methods are over lam, with a quick default of epochs.

The grid multiplies ``SCALE``, the ridge in the middle of what helps on standardised inputs. ``scaling="sum"`` weighs
each task's mean loss by its rows, "mean" by one. A training is no certified minimum: gap and relative gap are NaN, so
that no table counts it as one; the estimator's own gradient check is another thing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtlref.errors import FormError
from mtlref.tasks import TaskData

EPOCHS = 40
SCALE = 1e-2


@dataclass(frozen=True)
class Ended:
    """How a training ended, in the words of a table of fits."""

    value: str


@dataclass(frozen=True)
class Uncertified:
    """No bound on the distance to an optimum."""

    gap: float = float("nan")
    relative_gap: float = float("nan")


@dataclass(frozen=True)
class NeuralResult:
    """What a fit tells of itself."""

    status: Ended
    n_iter: int
    certificate: Uncertified = Uncertified()


class NeuralFit:
    """An estimator of ``mtlref.nn`` with the calls that a comparison makes: ``fit``, ``path``, ``lam_scale``.

    lam : the net's ridge.  Attributes after a fit: result_; and those of the net's estimator.
    """

    def __init__(
        self, cls: Any, *, lam: float, loss: str, scaling: str, seed: int, max_iter: int | None = None
    ) -> None:
        self._options = {"cls": cls, "loss": loss, "scaling": scaling, "seed": seed, "max_iter": max_iter}
        self._cls, self._lam, self._loss, self._scaling, self._seed = cls, lam, loss, scaling, seed
        self._epochs = EPOCHS if max_iter is None else max_iter

    def fit(self, data: Any) -> NeuralFit:
        """Train. Raises FormError for Moments."""
        if not isinstance(data, TaskData):
            raise FormError(f"a net needs the rows; got {type(data).__name__}")
        weights = data.n * (data.T / data.N) if self._scaling == "sum" else None
        self._net = self._cls(
            ridge=self._lam,
            loss=self._loss,
            task_weights=weights,
            max_iter=self._epochs,
            random_state=self._seed,
        ).fit(data)
        history = self._net.history_
        self.result_ = NeuralResult(Ended(history["ending"]), int(self._net.n_iter_))
        return self

    def path(self, data: Any, lams: Sequence[float]) -> Iterator[NeuralFit]:
        """A fit for each lam, each from the same first parameters."""
        for lam in lams:
            yield NeuralFit(**{**self._options, "lam": lam}).fit(data)

    def lam_scale(self, data: Any) -> float:
        """``SCALE``: inputs and targets are standardised, so that data have no say."""
        return SCALE

    def predict(self, X: Any) -> Any:
        """Of the net."""
        return self._net.predict(X)

    def decision_function(self, X: Any) -> Any:
        """Of the net."""
        return self._net.decision_function(X)

    @property
    def classes_(self) -> np.ndarray:
        """Of the net."""
        return np.asarray(self._net.classes_)
