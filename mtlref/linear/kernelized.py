"""Linear models in the span of a kernel's features of the rows: by the representer theorem the answer lies there.

With K = k(X, X) = Q diag(e) Q' over all rows X (N, p) the coordinates of x in that span are
z(x) = diag(e)^{-1/2} Q' k(X, x), so that z(x)' z(x') = k(x, x') for rows; a linear model of z is the kernel model.
Argyriou, Evgeniou & Pontil 2008, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError
from mtlref.linear.model import LinearModel
from mtlref.moments import Moments
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
# Eigenvalues of K below this share of the largest are rounding: the span ends there.
RANK = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class SpanData(TaskData):
    """Tasks whose rows are coordinates in the span; ``given`` (N, p): the rows that span it; ``lift`` (N, k)."""

    given: Array | None = None
    lift: Array | None = None
    given_names: tuple[str, ...] | None = None


class KernelModel(LinearModel):
    """A linear model with ``kernel``: None, or a callable k(X, Z) -> (n, m), symmetric and positive semidefinite."""

    kernel: Any
    _given: Array
    _lift: Array

    def features(self, X: Any) -> Array:
        """(n, k): coordinates of the rows of X (n, p) in the span that ``fit`` worked in; X itself without a kernel."""
        self._check_fitted()
        return self._design(X, "X")

    def _design(self, X: Any, name: str) -> Array:
        design = super()._design(X, name)
        return design if self.kernel is None else _evaluate(self.kernel, design, self._given) @ self._lift

    def _scores(self, X: Any, tasks: Any) -> list[Array] | Array:
        if self.kernel is None or not isinstance(X, TaskData):
            return super()._scores(X, tasks)
        self._check_fitted()
        if tasks is not None:
            raise FormError("a TaskData names its tasks; give no tasks beside it")
        where = self._places(X.names)
        return [
            self._design(x, "X") @ self.coef_[t] + self.intercept_[t] for x, t in zip(X.X, where, strict=True)
        ]

    @property
    def _takes_sparse(self) -> bool:  # type: ignore[override]
        """A kernel is handed dense rows."""
        return self.kernel is None

    def _read(self, X: Any, y: Any, tasks: Any, sample_weight: Any) -> TaskData | Moments:
        data = super()._read(X, y, tasks, sample_weight)
        if self.kernel is None:
            return data
        if not callable(self.kernel):
            raise FormError(f"kernel must be None or a callable k(X, Z); got {type(self.kernel).__name__}")
        if isinstance(data, Moments):
            raise FormError("a kernel needs the rows: Moments hold what linear features alone need")
        rows = data.X[0] if data.shared else np.vstack(data.X)
        K = _evaluate(self.kernel, rows, rows)
        size = float(np.abs(K).max())
        if not float(np.abs(K - K.T).max()) <= 1e-10 * size:
            raise DataError("kernel must be symmetric: k(X, X) differs from its transpose")
        level, Q = np.linalg.eigh((K + K.T) / 2)
        if level[0] < -1e-8 * size:
            raise DataError(
                f"kernel must be positive semidefinite; k(X, X) has the eigenvalue {level[0]:.3e}"
            )
        kept = level > RANK * max(float(level[-1]), 0.0)
        if not kept.any():
            raise DataError("kernel must not be zero on all rows; got k(X, X) = 0")
        lift = Q[:, kept] / np.sqrt(level[kept])
        Z = K @ lift
        if data.shared:
            X_new: tuple[Array, ...] = (Z,) * data.T
        else:
            X_new = tuple(np.split(Z, np.cumsum(data.n)[:-1]))
        fields = {name: getattr(data, name) for name in TaskData.__dataclass_fields__}
        fields |= {"X": X_new, "feature_names": None}
        return SpanData(**fields, given=rows, lift=lift, given_names=data.feature_names)

    def _remember(self, data: TaskData | Moments) -> dict[str, Any]:
        learned = super()._remember(data)
        if isinstance(data, SpanData):
            assert data.given is not None
            learned |= {"_given": data.given, "_lift": data.lift, "n_features_in_": data.given.shape[1]}
            if data.given_names is not None:
                learned["feature_names_in_"] = np.array(data.given_names, dtype=object)
        return learned


def _evaluate(kernel: Any, X: Array, Z: Array) -> Array:
    K = inputs.as_float(kernel(X, Z), "kernel(X, Z)", 2)
    if K.shape != (len(X), len(Z)):
        raise DataError(f"kernel(X, Z) must have shape {(len(X), len(Z))}; got {K.shape}")
    inputs.check_finite(K, "kernel(X, Z)")
    return K
